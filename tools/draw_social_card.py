"""Draw ``_static/social-card.png``, the picture that a link to the book shows elsewhere.

    .venv/bin/python tools/draw_social_card.py

A log-likelihood over the slope of the exact toy model, the ELBO of the posterior at one slope, and
the point where the two touch. 1200 by 630 pixels, the size that such cards have.
"""

import matplotlib.pyplot as plt
import numpy as np
from environment import ROOT

from vaebook.bounds import elbo
from vaebook.figures import COLOURS
from vaebook.latent import LinearGaussianModel


def main():
    """Draw the card."""
    x, noise_std, touching = 1.7, 0.8, 0.9
    phi = np.linspace(-0.4, 2.6, 301)
    mean, std = LinearGaussianModel(touching, noise_std).posterior(x)
    terms = elbo(LinearGaussianModel(phi, noise_std), x, mean, std)
    at = elbo(LinearGaussianModel(touching, noise_std), x, mean, std)
    plt.style.use("vaebook.book")
    figure = plt.figure(figsize=(12, 6.3), facecolor=COLOURS["paper"], layout="none")
    figure.text(0.06, 0.86, "Variational autoencoders, live", size=44, weight="bold")
    figure.text(0.06, 0.77, "Every idea as a picture that moves, every number checked", size=24)
    ax = figure.add_axes((0.06, 0.06, 0.88, 0.64))
    ax.plot(phi, terms.log_px, color=COLOURS["p"], lw=5)
    ax.plot(phi, terms.elbo, color=COLOURS["bound"], lw=5, ls=(0, (6, 2)))
    ax.plot(touching, at.log_px, "o", color=COLOURS["gap"], ms=18)
    ax.text(
        phi[-1], terms.log_px[-1] + 0.32, "log-likelihood", color=COLOURS["p"], size=24, ha="right"
    )
    ax.text(1.84, -3.0, "evidence lower bound", color=COLOURS["bound"], size=24, ha="right")
    ax.set_ylim(-3.4, terms.log_px.max() + 0.25)
    ax.set_axis_off()
    figure.savefig(ROOT / "_static" / "social-card.png", dpi=100, transparent=False)


if __name__ == "__main__":
    main()
