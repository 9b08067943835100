"""Posteriors and what stands in for them."""

import numpy as np

from vaebook.figures.latent import unit_plane
from vaebook.figures.style import (
    CIRCLE,
    COLOURS,
    band,
    new_figure,
    plot,
    role_line,
    shade,
    stand_on_zero,
)


def figure_which_z(z, prior, likelihood, posterior, curve, x_star, noise_std):
    """Draw an observed point and the curve f[z] near it; prior, likelihood and posterior over z.

    The dots on the curve stand at equal steps of z; their areas are the posterior there. Each
    peak of the posterior has its z beside it.

    ``z``, ``prior``, ``likelihood``, ``posterior`` (n,); ``curve`` (n, 2); ``x_star`` (2,).

    Source: chapter "elbo-tightness", eq-posterior-proportional, the note's figure 17.7.
    """
    figure = new_figure(6.8, 3.9)
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.15])
    plane = left.subplots()
    plane.plot(*curve.T, color=COLOURS["muted"], linewidth=0.75)
    green = COLOURS["posterior"]
    area = 90 * posterior[::4] / posterior.max()
    plane.scatter(*curve[::4].T, area, color=green, linewidth=0, alpha=0.8)
    inner = posterior[1:-1]
    for peak in 1 + np.flatnonzero((inner > posterior[:-2]) & (inner > posterior[2:])):
        outwards = 34 * (curve[peak] - x_star) / np.linalg.norm(curve[peak] - x_star)
        place = {"xytext": outwards, "textcoords": "offset points", "ha": "center", "va": "center"}
        plane.annotate(f"$z={z[peak]:.1f}$", curve[peak], color=green, **place)
    for radius, dash in [(1, "-"), (2, (0, (3, 2)))]:
        ball = x_star + radius * noise_std * CIRCLE
        plane.plot(*ball.T, color=COLOURS["p"], linestyle=dash, linewidth=1, zorder=1)
    plane.plot(*x_star, "o", color=COLOURS["data"], markersize=5)
    plane.annotate(r"$\mathbf{x}^*$", x_star, (0, 6), textcoords="offset points", ha="center")
    unit_plane(plane)
    near = np.add.outer(x_star, [-5 * noise_std, 5 * noise_std])
    plane.set(xlim=near[0], ylim=near[1])
    rows = right.subplots(3, sharex=True)
    shown = [
        (prior, "muted", "prior\n$p(z)$"), (likelihood, "p", "likelihood\n$p(x^*|z)$"),
        (posterior, "posterior", "posterior\n$p(z|x^*)$"),
    ]  # fmt: skip
    for ax, (values, role, name) in zip(rows, shown, strict=True):
        ax.plot(z, values, **role_line(role))
        band(ax, z, 0, values, role, 0.15)
        ax.set_ylabel(name, rotation="horizontal", ha="right", va="center")
        ax.set(ylim=(0, 1.1 * values.max()), yticks=[])
    rows[-1].set(xlabel="$z$", xlim=(z[0], z[-1]))
    return figure


@plot
def plot_q(z, posterior, q, *, ax=None):
    """Draw the exact posterior and the q that stands for it, densities (n,) over z (n,).

    Source: chapter "elbo-tightness", section "sec-bent-model".
    """
    for values, role, name in [(posterior, "posterior", "$p(z|x)$"), (q, "q", "$q(z)$")]:
        ax.plot(z, values, **role_line(role), label=name)
    stand_on_zero(ax, z, "$z$", "density")


@plot
def plot_amortised(x, z, posterior, mean, std, best=None, *, role="q", ax=None):
    """Draw the posteriors of all x from above, and a network's q over them as a band.

    Each column of ``posterior`` (m, n) is a density over ``z`` (m,); ``x`` (n,). ``mean``, ``std``
    (n,) are of the network's q, of colour and dash ``role``; the band is one standard deviation
    wide on each side. ``best`` (n,), optional, has the mean of the best Gaussian for each x: dots.

    Source: chapter "variational-approximation", eq-amortised.
    """
    shade(ax, x, z, posterior, 1.5, "posterior")
    if best is not None:
        dots = {"color": COLOURS["ink"], "markersize": 2.5}
        ax.plot(x, best, "o", label="best Gaussian for each $x$", **dots)
    band(ax, x, mean - std, mean + std, role, 0.2)
    for side in (mean - std, mean + std):
        ax.plot(x, side, linewidth=0.8, **role_line(role))
    ax.plot(x, mean, label=r"network: $\mu$ and $\pm s$", **role_line(role))
    ax.set(xlabel="$x$", ylabel="$z$", xlim=(x[0], x[-1]), ylim=(z[0], z[-1]))
    ax.legend(loc="lower left")
