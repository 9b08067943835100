"""Three weights that sum to one; ``shareRest`` in ``js/forms/mixture.js`` is the double."""

from vaebook.explorers.controls import ControlError

NAMES = ("weight_1", "weight_2", "weight_3")


def share_rest(values, moved):
    """Return ``values`` with weights that sum to one.

    Weights that ``moved`` keep their values; the others share the rest in proportion to what they
    had, or equally if they had nothing.
    """
    fixed = [name for name in NAMES if name in moved]
    free = [name for name in NAMES if name not in moved]
    if not fixed:
        return values
    rest = 1.0 - sum(values[name] for name in fixed)
    if rest < -1e-9 or (not free and rest > 1e-9):
        raise ControlError(
            f"The weights {', '.join(fixed)} sum to {1.0 - rest:g}, expected "
            f"{'at most ' if free else ''}1; divide by their sum."
        )
    others = sum(values[name] for name in free)
    share = {
        name: (values[name] / others if others > 0 else 1 / len(free)) * max(rest, 0.0)
        for name in free
    }
    return values | share
