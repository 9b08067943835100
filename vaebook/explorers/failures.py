"""Explorer ``failures``: recorded trainings of broken VAEs, to be told apart beside a sound one."""

from typing import ClassVar

import numpy as np

from vaebook import figures
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Count, Hidden, Readout, Slider
from vaebook.explorers.words import fill
from vaebook.results import failures

#: The bug of each patient; the words for it are in ``SUSPECTS``.
BUGS = {
    "A": "mean", "B": "width", "C": "pixels", "D": "sign",
    "E": "weight", "F": "grey", "G": "decoder", "H": "leak",
}  # fmt: skip
SUSPECTS = {
    "none": "not chosen yet",
    "pixels": "log-likelihood averaged over pixels",
    "sign": "KL added, not subtracted",
    "weight": "KL weight picked by hand",
    "grey": "grey pixels in a binary formula",
    "width": "log s² used as s",
    "mean": "mean decoded, no sampling",
    "decoder": "decoder that can do without z",
    "leak": "test images in training",
}
HISTORY = dict.fromkeys("ABCDF", "Network and epochs as in the healthy run.") | {
    "E": "Real pixels from 0 to 1 and a Gaussian decoder.",
    "G": "Another decoder, which draws its samples pixel by pixel.",
    "H": "1,500 images, 80 epochs, four to each step of the slider. It also prints a test bound, "
    "which is no worse than its training bound.",
}
STAGES = 20  # of a training: epochs, or four epochs each where there are 80


def at_stages(curve):
    """Return the rows (20, 2) of a curve (T, 2) at every twentieth of the training."""
    step = len(curve) // STAGES
    return curve[step - 1 :: step]


def has_healthy_beside(run):
    """Tell whether a patient and the healthy run print numbers that one axis can hold."""
    ends = [abs(np.subtract(*one.printed[-1])) for one in (run, failures.load()["healthy"])]
    return bool(0.1 < ends[0] / ends[1] < 10)


class Failures(Explorer):
    """What eight broken programs print and sample beside a sound one; revealed, what a test says.

    ``case`` is the patient to whom ``suspect`` and ``revealed`` belong; any other begins blind.

    Source: chapter "what-goes-wrong", eq-wrong-chain.
    """

    name = "failures"
    title = "The ward round"
    size = (6.4, 4.6)

    patient = Choice("A", {name: name for name in BUGS}, label="patient")
    stage = Slider(10, 1, STAGES, step=1, play=5, label="epoch")
    suspect = Choice("none", SUSPECTS, label="suspect")
    case = Hidden("A")
    revealed = Count(0, 0, 1)
    buttons = ("reveal", "next_patient")

    shown = (
        Readout("printed", "patient prints", digits=2, role="bound"),
        Readout("healthy", "healthy run prints", digits=2),
        Readout("price", "KL term, subtracted", group="Printed, this epoch"),
        Readout("kl", "KL to the prior", digits=1, group="Examined, this epoch"),
        Readout("elbo", "test bound", digits=1, group="Examined, this epoch"),
        Readout("log_px", "estimate of log p(x)", digits=1, group="At the end", role="p"),
        Readout("fresh", "bound on fresh images", digits=1, group="At the end"),
        Readout("active", "active dimensions", digits=0, group="At the end"),
        Readout("std", "mean of s", group="At the end"),
    )

    text: ClassVar = {
        "reveal": "Reveal",
        "next_patient": "Next patient",
        "note": "Compare with the healthy run, choose a suspect, then reveal.",
        "note_small": "Compare with the healthy run, then reveal.",
        **{f"history_{patient}": words for patient, words in HISTORY.items()},
        "verdict_right": "Right.",
        "verdict_wrong": "Not that one.",
        "verdict_none": "",
        "told_A": "The mean is decoded, nothing is sampled. The program prints more than the "
        "estimate of log p(x); s is {std}.",
        "told_B": "log s² is used as s. The program prints more than the estimate of log p(x); "
        "the s of the KL is {std}.",
        "told_C": "The log-likelihood is averaged over the pixels, so the KL outweighs it.",
        "told_D": "The KL is added, and so driven up. A bound for binary pixels is never above 0.",
        "told_E": "A KL weight picked by hand: a noise level in disguise. It prints no bound.",
        "told_F": "Grey pixels in a formula for binary ones: its number belongs to other data.",
        "told_G": "The decoder sees the pixels before each pixel, and can nearly do without z.",
        "told_H": "Test images are among the training images: on fresh ones its bound is "
        "{fresh:1}.",
        "nats_axis": "printed bound (nats per image)",
        "patient_name": "patient {patient}",
        "healthy_name": "healthy run",
        "test_name": "test bound",
        "log_px_name": "estimate of log p(x)",
        "patient_outside": "patient {patient}: far above the chart",
        "healthy_outside": "healthy run: far below the chart",
        "samples": "samples: patient above, healthy below",
        "latent_axis": "latent dimension, largest KL first",
        "kl_axis": "KL (nats)",
        "healthy_dots": "dots: healthy run",
        "off_bars": "patient: far above the chart",
        "seen": "Test bound {elbo:1}, KL {kl:1}; at the end the estimate of log p(x) is "
        "{log_px:1}; active dimensions: {active:0} of 20.",
        "consequence": "patient {patient} prints {printed}, the healthy run {healthy}. {found}",
        "curve_description": "The printed bound over {epochs:0} epochs: at the marked one patient "
        "{patient} prints {printed}, the healthy run {healthy}. {found}",
        "pictures_description": "Six samples of patient {patient}; below, six of the healthy run.",
        "bars_description": "The KL of the 20 latent dimensions at the end, largest first: dots "
        "for the healthy run{bars}.",
        "shown_bars": ", bars for the patient if the chart can hold them",
        "table_caption": "Printed bounds, nats per image",
    }
    described = ("curve_description", "pictures_description", "bars_description")

    def constrain(self, values, moved):
        """Begin blind with another patient."""
        if values["case"] == values["patient"]:
            return values
        blind = {"suspect": "none", "revealed": 0}
        fresh = {name: blind[name] for name in blind.keys() - moved}
        return values | fresh | {"case": values["patient"]}

    def reveal(self):
        """Say what is wrong with the patient."""
        self.set(revealed=1)

    def next_patient(self):
        """Go on to the next one, and from the last to the first."""
        self.set(patient="BCDEFGHA"["ABCDEFGH".index(self.patient)])

    def tables(self):
        """Return the curves, samples and latent dimensions of the patients and, last, healthy."""
        runs = [failures.load()[name] for name in (*BUGS, "healthy")]
        samples = np.stack([run.samples for run in runs]).reshape(len(runs), -1) // 17
        return {
            "bugs": BUGS,
            "beside": [has_healthy_beside(run) for run in runs],
            "n_samples": runs[0].samples.shape[1],
            "n_epochs": [len(run.printed) for run in runs],
            "printed": np.stack([at_stages(run.printed) for run in runs]),
            "honest": np.stack([at_stages(run.honest) for run in runs]),
            "samples": samples[:, ::2] * 16 + samples[:, 1::2],  # two pixels of 16 levels in a byte
            "kl": np.stack([np.sort(run.kl)[::-1] for run in runs]).astype(float),
            "active": [int(run.active.sum()) for run in runs],
            "std": [float(run.std.mean(dtype=float)) for run in runs],
            "ends": [[run.numbers[key] for key in ("log_px", "fresh_elbo")] for run in runs],
        }

    def compute(self):
        """Return the numbers of the epoch on show, and those of the end."""
        run, healthy = (failures.load()[name] for name in (self.patient, "healthy"))
        curves = (run.printed, run.honest, healthy.printed)
        printed, honest, sound = (at_stages(curve)[self.stage - 1] for curve in curves)
        return {
            "printed": printed[0] - printed[1],
            "healthy": sound[0] - sound[1],
            "price": printed[1],
            "kl": honest[1],
            "elbo": honest[0] - honest[1],
            "log_px": run.numbers["log_px"],
            "fresh": run.numbers["fresh_elbo"],
            "active": run.active.sum(),
            "std": run.std.mean(dtype=float),
        }

    def blanks(self):
        """Return also what is found; before the reveal, the history of the patient."""
        blanks, run = super().blanks(), failures.load()[self.patient]
        blanks["epochs"] = len(run.printed)
        found = self.text[f"history_{self.patient}"]
        if self.revealed:
            found = f"{fill(self.text[f'told_{self.patient}'], blanks)} "
            found += fill(self.text["seen"], blanks)
        return blanks | {"found": found, "bars": self.text["shown_bars"] if self.revealed else ""}

    def paint(self, fig):
        """Draw the curves, and samples of the patient over those of the healthy run."""
        run, healthy = (failures.load()[name] for name in (self.patient, "healthy"))
        printed, beside, test = (
            np.subtract(*at_stages(curve).T) for curve in (run.printed, healthy.printed, run.honest)
        )
        examined = {"test": test, "log_px": run.numbers["log_px"]} if self.revealed else {}
        over, below = fig.subplots(2, 1, height_ratios=[1, 0.9])
        healthy_line = beside if has_healthy_beside(run) else None
        figures.plot_printed(printed, healthy_line, **examined, ax=over)
        pictures = np.concatenate([one.samples[self.stage - 1] for one in (run, healthy)])
        figures.show_images(pictures, len(pictures) // 2, ax=below)
        below.set_title(self.text["samples"], fontsize="medium")
