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


@plot
def plot_latent_posterior(z, prior, posterior, *, ax=None):
    """Draw the prior (muted, dotted) and the posterior (dash-dot), densities (n,) over z (n,).

    Source: chapter "nonlinear-latent-variable-models", eq-nlvm-posterior.
    """
    ax.plot(z, prior, **role_line("muted"), label="prior $p(z)$")
    ax.plot(z, posterior, **role_line("posterior"), label="posterior $p(z|x)$")
    stand_on_zero(ax, z, "$z$", "density")


def figure_which_z(z, prior, likelihood, posterior, curve, x_star, noise_std):
    """Draw an observed point and the curve f[z] near it; prior, likelihood and posterior over z.

    The dots on the curve stand at equal steps of z; their areas are the posterior there. Each
    peak of the posterior has its z beside it.

    Parameters
    ----------
    z, prior, likelihood, posterior : ndarray, shape (n,)
    curve : ndarray, shape (n, 2)
    x_star : ndarray, shape (2,)
    noise_std : float

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
def plot_ellipses(covariances, roles, names, *, ax=None):
    """Draw Gaussians in the plane around zero as ellipses of two standard deviations.

    Parameters
    ----------
    covariances : sequence of ndarray, shape (2, 2)
    roles, names : sequence of str
        A colour and dash for each, and what the legend calls it.

    Source: chapter "variational-approximation", eq-diagonal-reverse.
    """
    for covariance, role, name in zip(covariances, roles, names, strict=True):
        line = 2 * np.linalg.cholesky(covariance) @ CIRCLE.T
        ax.plot(*line, **role_line(role), label=name)
    ax.set_aspect("equal")
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))


@plot
def plot_amortised(x, z, posterior, mean, std, best=None, *, role="q", ax=None):
    """Draw the posteriors of all x from above, and a network's q over them as a band.

    Parameters
    ----------
    x : ndarray, shape (n,)
    z : ndarray, shape (m,)
    posterior : ndarray, shape (m, n)
        Each column is a density over z.
    mean, std : ndarray, shape (n,)
        Of the network's q; the band is one standard deviation wide on each side.
    best : ndarray, shape (n,), optional
        Mean of the best Gaussian for each x: dots.
    role : str
        Colour and dash of the network.

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


@plot
def plot_gap_parts(x, approximation, amortisation, *, ax=None):
    """Stack the two parts of the gap over x: what the family costs, and what the network adds.

    Both are (n,), in nats, over ``x`` (n,).

    Source: chapter "variational-approximation", eq-gap-parts.
    """
    total = approximation + amortisation
    band(ax, x, 0, approximation, "gap", 0.5, "approximation gap")
    band(ax, x, approximation, total, "q", 0.25, "amortisation gap")
    ax.plot(x, approximation, **role_line("gap"))
    ax.plot(x, total, **role_line("q"))
    stand_on_zero(ax, x, "$x$", "nats")
