"""Explorer ``failures``: recorded trainings of a sound VAE and of broken ones, to be told apart."""

from typing import ClassVar

import numpy as np

from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Readout, Slider
from vaebook.explorers.words import write
from vaebook.results import failures

PATIENTS = ("healthy", *"ABCDEFGH")
STAGES = 20  # of a training: epochs, or four epochs each where there are 80
N_SAMPLES, N_PAIRS = 6, 3
ACTIVE = 0.1  # nats from which a latent number counts as active


def at_stages(curve):
    """Return the rows (20, 2) of a curve (T, 2) at every twentieth of the training."""
    step = len(curve) // STAGES
    return curve[step - 1 :: step]


class Failures(Explorer):
    """What a sound program and eight broken ones print, and what a test makes of their networks.

    Source: chapter "what-goes-wrong", eq-wrong-chain.
    """

    name = "failures"
    title = "The ward round"

    patient = Choice("A", {name: name for name in PATIENTS}, label="patient")
    stage = Slider(10, 1, STAGES, step=1, label="stage")

    shown = (
        Readout("printed_reconstruction", "reconstruction", "", 3, group="Printed", more=True),
        Readout("price", "− price", "", 3, group="Printed", more=True),
        Readout("printed", "printed bound", "", 3, role="bound"),
        Readout(
            "reconstruction",
            "reconstruction",
            "",
            1,
            group="By vaebook.vae, test images",
            more=True,
        ),
        Readout("kl", "− KL to the prior", "", 1, group="By vaebook.vae, test images", more=True),
        Readout("elbo", "test ELBO", "", 1),
        Readout("log_px", "final log p(x)", "", 1, role="p"),
        Readout("fresh", "ELBO, fresh images", "", 1, group="At the end", more=True),
        Readout(
            "active",
            f"active latent numbers (KL above {ACTIVE} nats)",
            "",
            0,
            group="At the end",
            more=True,
        ),
        Readout("std", "mean of s", "", 3, group="At the end", more=True),
    )

    text: ClassVar = {
        "note": "Choose a patient and compare what it prints with the test. What is wrong?",
        "stage_axis": "twentieths of the training",
        "nats_axis": "nats per image",
        "printed": "printed",
        "test": "test",
        "off_chart": "outside the chart:\n{printed} printed\n{elbo:1} in the test",
        "samples": "samples",
        "pairs": "reconstructed",
        "latent_axis": "latent number, the dearest first",
        "kl_axis": "KL (nats)",
        "off_bars": "far above the chart",
        "consequence": "patient {patient}: printed {printed}, test bound {elbo:1}; at the end "
        "log p(x) is {log_px:1}, and {active:0} latent numbers are active",
        "curve_description": "Patient {patient}. Over the training, the printed bound and the "
        "bound of the same networks on test images. At stage {stage:0}: {printed} and {elbo:1}.",
        "pictures_description": "Patient {patient} at the end of the training: six samples, and "
        "three test images above their reconstructions.",
        "bars_description": "Patient {patient} at the end: the KL of each of the 20 latent numbers "
        "on test images, falling from {dearest} to {cheapest} nats.",
        "table_caption": "Bounds up to the stage on show, nats per image",
    }
    described = ("curve_description", "pictures_description", "bars_description")

    def tables(self):
        """Return the curves, the pictures and the latent numbers of all patients."""
        runs = [failures.load()[name] for name in PATIENTS]
        return {
            "names": list(PATIENTS),
            "n_samples": N_SAMPLES,
            "n_pairs": N_PAIRS,
            "active_from": ACTIVE,
            "printed": np.stack([at_stages(run.printed) for run in runs]),
            "honest": np.stack([at_stages(run.honest) for run in runs]),
            "samples": np.stack([run.samples[:N_SAMPLES] for run in runs]),
            "reconstructions": np.stack([run.reconstructions[:N_PAIRS] for run in runs]),
            "originals": np.stack(
                [failures.load()[name].originals[:N_PAIRS] for name in ("healthy", "E")]
            ),
            "kl": np.stack([np.sort(run.kl)[::-1] for run in runs]).astype(float),
            "std": [float(run.std.mean(dtype=float)) for run in runs],
            "ends": [[run.numbers[key] for key in ("log_px", "fresh_elbo")] for run in runs],
        }

    def compute(self):
        """Return the numbers of the stage on show, and those of the end."""
        run = failures.load()[self.patient]
        printed, honest = (at_stages(c)[self.stage - 1] for c in (run.printed, run.honest))
        return {
            "printed_reconstruction": printed[0],
            "price": printed[1],
            "printed": printed[0] - printed[1],
            "reconstruction": honest[0],
            "kl": honest[1],
            "elbo": honest[0] - honest[1],
            "log_px": run.numbers["log_px"],
            "fresh": run.numbers["fresh_elbo"],
            "active": np.sum(run.kl > ACTIVE),
            "std": run.std.mean(dtype=float),
        }

    def blanks(self):
        """Return also the largest and the smallest KL, and the printed bound with more digits."""
        blanks, kl = super().blanks(), failures.load()[self.patient].kl
        printed = write(blanks["printed"], 3 if abs(blanks["printed"]) < 1 else 1)
        return blanks | {"printed": printed, "dearest": kl.max(), "cheapest": kl.min()}

    def still(self):
        """Return the curves, samples, reconstructions and latent numbers."""
        from matplotlib.figure import Figure

        from vaebook import figures

        run, at = failures.load()[self.patient], self.compute()
        fig = Figure(figsize=(6.4, 4.2), layout="constrained")
        (left, right), (below, pairs) = fig.subplots(2, 2, height_ratios=[1.3, 1])
        curves = [np.subtract(*at_stages(curve).T) for curve in (run.printed, run.honest)]
        figures.plot_printed_and_honest(*curves, at["log_px"], ax=left)
        left.set_xlabel(self.text["stage_axis"])
        for ax, images, name in [
            (right, run.samples[:N_SAMPLES], "samples"),
            (pairs, np.concatenate([run.originals[:N_PAIRS], run.reconstructions[:N_PAIRS]]),
             "pairs"),
        ]:  # fmt: skip
            figures.show_images(images, 3, ax=ax)
            ax.set_title(self.text[name], fontsize="medium")
        figures.plot_prices([run.kl], [self.patient], ax=below)
        return fig
