"""The chapters that are still in the old form; what holds of the new form is not asked of them."""

OLD_FORM = {
    "chapters/training-a-vae",
}
