"""Explorer ``rate``: recorded VAEs of drawn digits, from much weight of the KL to next to none."""

from typing import ClassVar

import numpy as np

from vaebook import figures
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Ladder, Readout, Slider
from vaebook.results import rate
from vaebook.results.rate import BETAS

COLUMNS, TRAVERSED = 4, 4  # images in a row; dimensions that can be walked along
FIELDS = ("rate", "distortion", "log_px", "active", "gap")  # of each seed
LARGEST = (150.0, 260.0)  # ends of the axes, in nats


class Rate(Explorer):
    r"""The curve of rate and distortion of VAEs of drawn digits, and what each of them makes.

    ``beta`` chooses one of the recorded weights of the KL, ``dimension`` the latent dimension of
    the traversal: 1 has the largest KL. Points are means over three seeds; pictures and bars are
    those of the first. The line through the point has the slope :math:`-\beta`, along which
    distortion plus beta times rate stays the same.

    Source: chapter "rate-and-distortion".
    """

    name = "rate"
    title = "What a nat of KL buys"
    size = (6.4, 5.2)

    beta = Ladder(1.0, BETAS, label="KL weight", symbol="β", role="q", page=2)
    dimension = Slider(1, 1, TRAVERSED, step=1, label="dimension", role="c2")

    shown = (
        Readout("rate", "rate (KL)", "R", digits=1, unit="nats", role="q"),
        Readout("distortion", "distortion", "D", digits=1, unit="nats", role="c1"),
        Readout("elbo", "ELBO", "−R − D", digits=1, unit="nats", role="bound"),
        Readout("log_px", "estimate of log p(x)", digits=1, group="Mean of three seeds"),
        Readout("spread_rate", "spread of R", digits=2, group="Mean of three seeds"),
        Readout("spread_distortion", "spread of D", digits=2, group="Mean of three seeds"),
        Readout("active", "active dimensions", digits=1, group="Mean of three seeds"),
        Readout("gap", "mutual information gap", group="Mean of three seeds"),
        Readout("walked", "KL of the dimension", digits=2, group="First seed", role="c2"),
    )

    text: ClassVar = {
        "note": "Drag the point along the curve; the line through it has slope −β. Where are "
        "samples good, and where reconstructions?",
        "rate_axis": "rate R: KL divergence (nats)",
        "distortion_axis": "distortion D: −log p(x|z) (nats)",
        "pairs": "test, reconstructed",
        "samples": "samples",
        "walk": "one dimension from −2 to 2",
        "dimension_axis": "dimension, largest KL first",
        "kl_axis": "KL (nats)",
        "consequence": "at β = {beta} the rate is {rate:1} nats and the distortion "
        "{distortion:1}; the ELBO is {elbo:1}; active dimensions: {active:1} of {dimensions:0}",
        "curve_description": "Distortion against rate for {count:0} weights β, from "
        "({first_rate:0}, {first_distortion:0}) at β = {first_beta} to ({last_rate:0}, "
        "{last_distortion:0}) at β = {last_beta:0}. The point: {consequence}.",
        "pictures_description": "At β = {beta}: four test images above their reconstructions, "
        "eight samples of the model, and one image decoded while dimension {dimension:0} goes from "
        "−2 to 2.",
        "bars_description": "KL of each latent dimension at β = {beta}, falling from {largest} to "
        "{smallest} nats.",
        "table_caption": "The recorded curve, means over three seeds in nats; "
        "the point is at β = {beta}",
        "table_beta": "β",
        "table_rate": "rate",
        "table_distortion": "distortion",
        "table_elbo": "ELBO",
    }
    described = ("curve_description", "pictures_description", "bars_description")

    def run(self):
        """Return the recorded runs of the weight on show."""
        return rate.load().curve()[BETAS.index(self.beta)]

    def tables(self):
        """Return the numbers of every weight, and the pictures of its first seed."""
        runs = rate.load().curve()
        return {name: np.stack([getattr(run, name) for run in runs]) * 1.0 for name in FIELDS} | {
            "betas": list(BETAS),
            "largest": list(LARGEST),
            "kl": np.stack([np.sort(run.kl[0])[::-1] for run in runs]),
            "originals": rate.load().originals[:COLUMNS],
            "reconstructions": np.stack([run.reconstructions[:COLUMNS] for run in runs]),
            "samples": np.stack([run.samples[: 2 * COLUMNS] for run in runs]),
            "traversal": np.stack([run.traversal[:TRAVERSED] for run in runs]),
        }

    def compute(self):
        """Return means and spreads over the seeds, and the KL of the dimension walked along."""
        run = self.run()
        means = {name: getattr(run, name).mean() for name in FIELDS}
        return means | {
            "elbo": -means["rate"] - means["distortion"],
            "spread_rate": np.ptp(run.rate),
            "spread_distortion": np.ptp(run.distortion),
            "walked": np.sort(run.kl[0])[::-1][self.dimension - 1],
        }

    def blanks(self):
        """Return also the ends of the curve and of the bars."""
        first, *_, last = rate.load().curve()
        kl = self.run().kl[0]
        return super().blanks() | {
            "dimensions": len(kl), "largest": kl.max(), "smallest": kl.min(),
            "count": len(BETAS), "first_beta": BETAS[0], "last_beta": BETAS[-1],
            "first_rate": first.rate.mean(), "first_distortion": first.distortion.mean(),
            "last_rate": last.rate.mean(), "last_distortion": last.distortion.mean(),
        }  # fmt: skip

    def paint(self, fig):
        """Draw the curve, the KL of each dimension, and beneath them the pictures."""
        runs, run, at = rate.load().curve(), self.run(), self.compute()
        (left, right), (pairs, samples) = fig.subplots(2, 2, height_ratios=[1.4, 1])
        rates, distortions = (
            np.array([getattr(one, name) for one in runs]) for name in ("rate", "distortion")
        )
        colours = figures.COLOURS
        left.plot(rates.mean(1), distortions.mean(1), color=colours["bound"])
        left.plot(rates.ravel(), distortions.ravel(), ".", color=colours["ink"], markersize=3)
        ends = np.array([0, LARGEST[0]])
        line = at["distortion"] - self.beta * (ends - at["rate"])
        left.plot(ends, line, linewidth=1, **figures.role_line("q"))
        left.plot(at["rate"], at["distortion"], "D", color=colours["q"])
        left.set(xlim=(0, LARGEST[0]), ylim=(50, LARGEST[1]))
        left.set(xlabel=self.text["rate_axis"], ylabel=self.text["distortion_axis"])
        kl = np.sort(run.kl[0])[::-1]
        right.bar(np.arange(1, len(kl) + 1), kl, color=colours["q"])
        right.set(xlabel=self.text["dimension_axis"], ylabel=self.text["kl_axis"])
        for ax, images, name in [
            (pairs, [*rate.load().originals[:COLUMNS], *run.reconstructions[:COLUMNS]], "pairs"),
            (samples, run.samples[: 2 * COLUMNS], "samples"),
        ]:
            figures.show_images(np.array(images), COLUMNS, ax=ax)
            ax.set_title(self.text[name], fontsize="medium")
