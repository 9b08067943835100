"""Pictures of the book: ``plot_*`` draws numbers into an Axes, ``figure_*`` returns a Figure.

The functions take arrays and compute nothing but positions on paper; colours are roles
(``COLOURS``), the same in every chapter, and each role has a dash or a marker of its own.
"""

import itertools

import numpy as np

COLOURS = {
    "ink": "#1f2328",
    "muted": "#59636e",
    "paper": "#ffffff",
    "p": "#0b5cad",
    "q": "#b54708",
    "posterior": "#0a7050",
    "data": "#1f2328",
    "bound": "#86198f",
    "gap": "#8a6100",
    "c1": "#0e7490",
    "c2": "#9f3a12",
    "c3": "#5b3fb5",
}

DASHES = {
    "p": "-",
    "q": (0, (5, 2)),
    "posterior": (0, (6, 2, 1, 2)),
    "bound": (0, (9, 3)),
    "gap": (0, (1, 1)),
    "c1": (0, (1, 1.5)),
    "c2": (0, (4, 2)),
    "c3": (0, (6, 2, 1, 2)),
}


def _axes(ax):
    """Return ``ax``, or the current Axes of pyplot, which is imported only when it is needed."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    return ax


# ---- mixture of Gaussians ------------------------------------------------------------------------


def _component(n):
    """Return the colour and dash of component ``n``, counted from 0; beyond the third, muted."""
    role = f"c{n + 1}"
    return {"color": COLOURS.get(role, COLOURS["muted"]), "linestyle": DASHES.get(role, ":")}


def plot_components(x, joint, *, ax=None):
    """Draw each weighted component p(x, z = n) as a bell of its own colour and dash.

    Parameters
    ----------
    x : ndarray, shape (n,)
    joint : ndarray, shape (n, N)
        Column n is the joint density at ``x`` for component n.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "mixture-of-gaussians", eq-mixture-joint.
    """
    ax = _axes(ax)
    for n, bell in enumerate(joint.T):
        ax.plot(x, bell, label=f"$p(x, z={n + 1})$", **_component(n))
    ax.set(xlabel="$x$", ylabel="density", xlim=(x[0], x[-1]))
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


def plot_mixture(x, joint, *, ax=None):
    """Draw the weighted components and, in colour ``p``, the density that is their sum.

    Parameters
    ----------
    x : ndarray, shape (n,)
    joint : ndarray, shape (n, N)
        Column n is the joint density at ``x`` for component n.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "mixture-of-gaussians", eq-mixture-density, the note's figure 17.1.
    """
    ax = _axes(ax)
    ax.plot(x, joint.sum(axis=1), color=COLOURS["p"], label="$p(x)$, the sum")
    return plot_components(x, joint, ax=ax)


def plot_responsibilities(x, responsibilities, *, ax=None):
    """Stack the responsibilities, which fill the height from 0 to 1 at every x.

    Parameters
    ----------
    x : ndarray, shape (n,)
    responsibilities : ndarray, shape (n, N)
        Rows sum to one.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "mixture-of-gaussians", eq-responsibility.
    """
    ax = _axes(ax)
    _stack(ax, x, responsibilities)
    middles = responsibilities.cumsum(axis=1) - responsibilities / 2
    for n, share in enumerate(responsibilities.T):
        # A running mean finds where the band stays wide, away from the edges of the picture.
        widest = np.convolve(share, np.ones(len(x) // 8), "same").argmax()
        ax.text(x[widest], middles[widest, n], f"$z={n + 1}$", ha="center", va="center")
    ax.set(xlabel="$x$", ylabel="responsibility $p(z=n|x)$", xlim=(x[0], x[-1]), ylim=(0, 1))
    return ax


def _stack(ax, x, heights):
    """Fill one band a column, each on top of the one before, with a dashed upper edge."""
    tops = heights.cumsum(axis=1)
    for n, (top, height) in enumerate(zip(tops.T, heights.T, strict=True)):
        style = _component(n)
        ax.fill_between(x, top - height, top, color=style["color"], alpha=0.25, linewidth=0)
        ax.plot(x, top, linewidth=1, **style)


def figure_marginal(x, joint, weights):
    """Draw the joint density of x and a discrete z, one slice a row, and their sum beneath.

    Parameters
    ----------
    x : ndarray, shape (n,)
    joint : ndarray, shape (n, N)
        Column n is the joint density at ``x`` for component n.
    weights : sequence of float, length N
        The areas under the slices.

    Returns
    -------
    Figure

    Source: chapter "mixture-of-gaussians", eq-mixture-marginal, the note's figure 17.1.
    """
    from matplotlib.figure import Figure

    n_components = joint.shape[1]
    beside = {"rotation": "horizontal", "ha": "right", "va": "center"}
    total = joint.sum(axis=1)
    figure = Figure(figsize=(6.4, 1.0 + n_components))
    rows = figure.subplots(
        n_components + 1, sharex=True, height_ratios=[*joint.max(axis=0), total.max()]
    )
    for n, (ax, bell) in enumerate(zip(rows[:-1], joint.T, strict=True)):
        style = _component(n)
        ax.plot(x, bell, **style)
        ax.fill_between(x, bell, color=style["color"], alpha=0.25, linewidth=0)
        ax.set_ylim(0, 1.1 * bell.max())
        ax.set_ylabel(f"$z={n + 1}$\narea {weights[n]:.2f}", **beside)
    _stack(rows[-1], x, joint)
    rows[-1].plot(x, total, color=COLOURS["p"])
    rows[-1].set(ylim=(0, 1.1 * total.max()), xlabel="$x$", xlim=(x[0], x[-1]))
    rows[-1].set_ylabel("$p(x)$\narea 1", **beside)
    for ax in rows:
        ax.set_yticks([])
    return figure


# ---- nonlinear latent variable models ------------------------------------------------------------


def _shade(ax, x1, x2, density, top, role="p"):
    """Fill the plane in the colour of a role, the darker the denser, up to the density ``top``.

    Seven sheets of the same glass lie on top of each other, each cut to where the density exceeds
    its level: shapes, unlike an image, can take the colours of the page's theme.
    """
    for share in (0.03, 0.12, 0.25, 0.4, 0.55, 0.7, 0.85):
        if density.max() > share * top:
            levels = [share * top, np.inf]
            ax.contourf(x1, x2, density, levels=levels, colors=COLOURS[role], alpha=0.14)


def _plane(ax, *, labels=True):
    """Two data axes of one scale; ``labels=False`` leaves a small panel its frame only."""
    ax.set_aspect("equal")
    if labels:
        ax.set(xlabel="$x_1$", ylabel="$x_2$")
    else:
        ax.set(xticks=[], yticks=[])


def plot_density(x1, x2, density, *, ax=None):
    """Draw a density over the plane in colour ``p``: the darker, the denser.

    Parameters
    ----------
    x1 : ndarray, shape (n,)
    x2 : ndarray, shape (m,)
    density : ndarray, shape (m, n)
        Row by row for ``x2``.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "nonlinear-latent-variable-models", eq-nlvm-evidence.
    """
    ax = _axes(ax)
    _shade(ax, x1, x2, density, density.max())
    _plane(ax)
    return ax


def plot_latent_posterior(z, prior, posterior, *, ax=None):
    """Draw the prior (muted, dotted) and the posterior density over z (dash-dot).

    Parameters
    ----------
    z, prior, posterior : ndarray, shape (n,)
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "nonlinear-latent-variable-models", eq-nlvm-posterior.
    """
    ax = _axes(ax)
    ax.plot(z, prior, ":", color=COLOURS["muted"], label="prior $p(z)$")
    colour, dash = COLOURS["posterior"], DASHES["posterior"]
    ax.plot(z, posterior, color=colour, linestyle=dash, label="posterior $p(z|x)$")
    ax.set(xlabel="$z$", ylabel="density", xlim=(z[0], z[-1]))
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


# ---- Jensen's inequality -------------------------------------------------------------------------


def plot_gap(y, curve, sides, *, g=r"\log {}", ax=None):
    """Draw a curve g, and over the mean of y the gap between g[E[y]] and E[g[y]].

    Parameters
    ----------
    y, curve : ndarray, shape (n,)
        Where the curve is drawn, and the curve.
    sides : ndarray, shape (3,)
        E[y], g[E[y]] and E[g[y]].
    g : str
        The function in TeX, with a blank for what it is taken of.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "jensens-inequality", eq-jensen.
    """
    ax = _axes(ax)
    mean, g_of_mean, mean_of_g = sides
    ax.plot(y, curve, color=COLOURS["ink"])
    dotted = {"color": COLOURS["gap"], "linestyle": DASHES["gap"], "linewidth": 4}
    ax.plot([mean, mean], [mean_of_g, g_of_mean], **dotted)
    above = {"textcoords": "offset points", "ha": "right", "xytext": (-5, 5)}
    below = {"textcoords": "offset points", "ha": "left", "xytext": (5, -12)}
    for height, role, marker, words, place in [
        (g_of_mean, "ink", "o", f"${g.format('E[y]')}$", above),
        (mean_of_g, "bound", "D", f"$E[{g.format('y')}]$", below),
    ]:
        ax.plot(mean, height, marker, markersize=5, color=COLOURS[role])
        ax.annotate(words, (mean, height), color=COLOURS[role], **place)
    ax.set(xlabel="$y$", ylabel=f"${g.format('y')}$", xlim=(0, y[-1]))
    return ax


def plot_point_gap(y, curve, sides, places, heights, weights, *, ax=None, **kwargs):
    """Draw the gap of some points, whose areas are their weights.

    Parameters
    ----------
    y, curve, sides
        As for :func:`plot_gap`.
    places, heights, weights : ndarray, shape (N,)
        The points on the curve, and their probabilities.
    ax : Axes, optional
    **kwargs
        Passed on to :func:`plot_gap`.

    Returns
    -------
    Axes

    Source: chapter "jensens-inequality", eq-jensen-drop, the note's figure 17.4.
    """
    ax = plot_gap(y, curve, sides, ax=ax, **kwargs)
    ax.scatter(places, heights, 300 * weights, color=COLOURS["p"], zorder=3)
    return ax


def plot_density_gap(y, curve, sides, values, p, *, ax=None, **kwargs):
    """Draw the gap of a density, and the density itself at the foot of the picture.

    Parameters
    ----------
    y, curve, sides
        As for :func:`plot_gap`.
    values, p : ndarray, shape (n,)
        Values that increase, and the density there; infinite where all of y is at one place.
    ax : Axes, optional
    **kwargs
        Passed on to :func:`plot_gap`.

    Returns
    -------
    Axes

    Source: chapter "jensens-inequality", eq-jensen-integral.
    """
    ax = plot_gap(y, curve, sides, ax=ax, **kwargs)
    low, high = ax.get_ylim()
    seen = (values > 0.01 * y[-1]) & (values < y[-1])
    if np.isfinite(p).all() and seen.any():
        tops = low + 0.3 * (high - low) * p[seen] / p[seen].max()
        ax.fill_between(values[seen], low, tops, color=COLOURS["p"], alpha=0.2, linewidth=0)
        ax.plot(values[seen], tops, color=COLOURS["p"], linewidth=1)
        ax.set_ylim(low, high)
    return ax


def plot_bias(n_samples, bias, error, predicted, *, ax=None):
    """Draw how far the mean of a log of an average lies below the log of the mean.

    Parameters
    ----------
    n_samples : sequence of int, length n
        Samples in each average.
    bias, error : ndarray, shape (n,)
        The measured downward bias, in nats, and its standard error; four of them are drawn.
    predicted : ndarray, shape (n,)
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "jensens-inequality", eq-log-mean-bias.
    """
    ax = _axes(ax)
    bars = {"fmt": "o", "markersize": 4, "capsize": 3, "label": "measured"}
    ax.errorbar(n_samples, bias, 4 * np.asarray(error), color=COLOURS["bound"], **bars)
    dashed = {"color": COLOURS["muted"], "linestyle": (0, (3, 3)), "label": "$v/2K$"}
    ax.plot(n_samples, predicted, linewidth=1, **dashed)
    ax.set(xscale="log", yscale="log", xlabel="samples $K$", ylabel="bias (nats)")
    ax.legend()
    return ax


# ---- latent variable models ----------------------------------------------------------------------


def plot_joint(x, z, joint, *, ax=None):
    """Draw a joint density from above, as bands that grow stronger with its height.

    Parameters
    ----------
    x : ndarray, shape (n,)
    z : ndarray, shape (G,)
    joint : ndarray, shape (n, G)
        Column k is the slice of the joint density at ``z[k]``.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "latent-variable-models", eq-joint-product.
    """
    ax = _axes(ax)
    _shade(ax, x, z, joint.T, joint.max())
    ax.set(xlabel="$x$", ylabel="$z$", xlim=(x[0], x[-1]), ylim=(z[0], z[-1]))
    return ax


# ---- evidence lower bound ------------------------------------------------------------------------


def _label_phi(ax, phi):
    ax.set(xlabel=r"slope $\phi$", ylabel="nats", xlim=(phi[0], phi[-1]))


def _above(ax, log_px):
    """Keep the log-likelihood in the picture and cut the bounds that fall far below it."""
    height = max(np.ptp(log_px), 0.1)
    ax.set_ylim(log_px.min() - 2.2 * height, log_px.max() + 0.35 * height)


def plot_bound(phi, log_px, elbo, at=None, *, ax=None):
    """Draw the log-likelihood over phi and one bound under it; mark the gap at one place.

    Parameters
    ----------
    phi, log_px, elbo : ndarray, shape (n,)
        The log-likelihood and the bound, in nats.
    at : sequence of three floats, optional
        phi, the log-likelihood and the bound there: two dots and the gap between them.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "evidence-lower-bound", eq-elbo, the note's figure 17.6.
    """
    ax = _axes(ax)
    ax.plot(phi, log_px, color=COLOURS["p"], label=r"$\log\,p(x|\phi)$")
    style = {"color": COLOURS["bound"], "linestyle": DASHES["bound"]}
    ax.plot(phi, elbo, label=r"ELBO$[\theta, \phi]$", **style)
    if at is not None:
        here, top, bottom = at
        gap = {"color": COLOURS["gap"], "linestyle": DASHES["gap"], "linewidth": 3}
        ax.plot([here, here], [bottom, top], label=f"gap {top - bottom:.2f}", **gap)
        ax.plot(here, top, "o", color=COLOURS["p"])
        ax.plot(here, bottom, "s", color=COLOURS["bound"])
    _above(ax, log_px)
    _label_phi(ax, phi)
    ax.legend()
    return ax


def plot_ascent(phi, log_px, elbo, path, *, name="the walk", steps=False, ax=None):
    """Draw an ascent as a walk under the log-likelihood, with bounds that it used.

    Parameters
    ----------
    phi, log_px : ndarray, shape (n,)
    elbo : ndarray, shape (T, n)
        The bounds, one a row, the first drawn faintest.
    path : ndarray, shape (S, 2)
        phi and bound at each step, in order.
    name : str
        What the legend calls the walk.
    steps : bool
        The path is E-step, M-step, E-step, ...: number its steps, and let each M-step follow the
        bound that it climbs (``elbo`` then has a row for the start and one for each E-step).
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "evidence-lower-bound", sections "sec-em-steps" and "sec-gradient-ascent".
    """
    ax = _axes(ax)
    style = {"color": COLOURS["bound"], "linestyle": DASHES["bound"]}
    for row, alpha in zip(elbo, np.linspace(0.45, 1, len(elbo)), strict=True):
        ax.plot(phi, row, linewidth=1.2, alpha=alpha, **style)
    ax.lines[0].set_label(r"ELBO$[\theta, \phi]$, one $\theta$ each")
    ax.plot(phi, log_px, color=COLOURS["p"], label=r"$\log\,p(x|\phi)$")
    walk = {"color": COLOURS["ink"], "linewidth": 1.4}
    if not steps:
        ax.plot(*path.T, "o-", markersize=3, label=name, **walk)
    else:
        ax.plot(*path.T, "o", markersize=4, label=name, color=COLOURS["ink"])
        for t, (start, end) in enumerate(itertools.pairwise(path)):
            along = np.linspace(start[0], end[0], 30)
            climbed = np.interp(along, phi, elbo[(t + 1) // 2])
            ax.plot(along, np.linspace(start[1], end[1], 30) if t % 2 == 0 else climbed, **walk)
        for t, place in enumerate(path):
            aside = {"xytext": (-6, 4), "ha": "right"} if t % 2 else {"xytext": (5, -11)}
            ax.annotate(str(t), place, textcoords="offset points", **aside)
    _above(ax, log_px)
    _label_phi(ax, phi)
    ax.legend(loc="upper left")
    return ax


def plot_elbo_surface(phi, mean, elbo, paths=(), *, names=(), ax=None):
    """Draw the bound from above, as contours over phi and the mean of q, with walks on it.

    Parameters
    ----------
    phi : ndarray, shape (n,)
    mean : ndarray, shape (M,)
    elbo : ndarray, shape (M, n)
        In nats.
    paths : sequence of ndarray, shape (S, 2)
        phi and mean at each step of a walk.
    names : sequence of str
        One for each walk.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "evidence-lower-bound", section "sec-gradient-ascent".
    """
    ax = _axes(ax)
    levels = elbo.max() - np.array([4, 3, 2.2, 1.6, 1.2, 0.9, 0.6, 0.4, 0.2, 0.1, 0.03])
    ax.contour(
        phi, mean, elbo, levels=levels, colors=COLOURS["bound"], linewidths=0.8, linestyles="solid"
    )
    looks = [("o-", "ink"), ("^:", "gap"), ("s--", "q")]
    for path, name, (marks, role) in zip(paths, names, looks[: len(paths)], strict=True):
        ax.plot(*path.T, marks, color=COLOURS[role], linewidth=1.4, markersize=3.5, label=name)
    ax.set(xlabel=r"slope $\phi$", ylabel=r"mean $\mu$ of $q$")
    if names:
        ax.legend(loc="upper left")
    return ax


def plot_best_bound(phi, log_px, best, *, ax=None):
    """Draw the log-likelihood, the best bound that any q of a family reaches, and the gap.

    Parameters
    ----------
    phi, log_px, best : ndarray, shape (n,)
        In nats.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "elbo-tightness", section "sec-bent-model".
    """
    ax = _axes(ax)
    ax.fill_between(phi, best, log_px, color=COLOURS["gap"], alpha=0.25, linewidth=0, label="gap")
    ax.plot(phi, log_px, color=COLOURS["p"], label=r"$\log\,p(x|\phi)$")
    style = {"color": COLOURS["bound"], "linestyle": DASHES["bound"]}
    ax.plot(phi, best, label="best bound of any Gaussian $q$", **style)
    _label_phi(ax, phi)
    ax.legend()
    return ax


def plot_q(z, posterior, q, *, ax=None):
    """Draw the exact posterior over z and the q that stands for it.

    Parameters
    ----------
    z, posterior, q : ndarray, shape (n,)
        Densities over z.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "elbo-tightness", section "sec-bent-model".
    """
    ax = _axes(ax)
    for values, role, name in [(posterior, "posterior", "$p(z|x)$"), (q, "q", "$q(z)$")]:
        ax.plot(z, values, color=COLOURS[role], linestyle=DASHES[role], label=name)
    ax.set(xlabel="$z$", ylabel="density", xlim=(z[0], z[-1]))
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


# ---- tightness of the bound ----------------------------------------------------------------------


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

    Returns
    -------
    Figure

    Source: chapter "elbo-tightness", eq-posterior-proportional, the note's figure 17.7.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    figure = Figure(figsize=(6.8, 3.9))
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.15])
    plane = left.subplots()
    plane.plot(*curve.T, color=COLOURS["muted"], linewidth=0.75)
    green = COLOURS["posterior"]
    area = 90 * posterior[::4] / posterior.max()
    plane.scatter(*curve[::4].T, area, color=green, linewidth=0, alpha=0.8)
    inner = posterior[1:-1]
    for peak in 1 + np.flatnonzero((inner > posterior[:-2]) & (inner > posterior[2:])):
        outwards = 34 * (curve[peak] - x_star) / np.linalg.norm(curve[peak] - x_star)
        text = f"$z={z[peak]:.1f}$"
        plane.annotate(
            text, curve[peak], outwards, textcoords="offset points", color=green,
            ha="center", va="center",
        )  # fmt: skip
    for radius, dash in [(1, "-"), (2, (0, (3, 2)))]:
        ball = Circle(x_star, radius * noise_std, fill=False, linestyle=dash)
        ball.set_edgecolor(COLOURS["p"])
        plane.add_patch(ball)
    plane.plot(*x_star, "o", color=COLOURS["data"], markersize=5)
    plane.annotate(r"$\mathbf{x}^*$", x_star, (0, 6), textcoords="offset points", ha="center")
    _plane(plane)
    near = np.add.outer(x_star, [-5 * noise_std, 5 * noise_std])
    plane.set(xlim=near[0], ylim=near[1])
    rows = right.subplots(3, sharex=True)
    for ax, values, role, name in zip(
        rows,
        [prior, likelihood, posterior],
        ["muted", "p", "posterior"],
        ["prior\n$p(z)$", "likelihood\n$p(x^*|z)$", "posterior\n$p(z|x^*)$"],
        strict=True,
    ):
        ax.plot(z, values, color=COLOURS[role], linestyle=DASHES.get(role, ":"))
        ax.fill_between(z, values, color=COLOURS[role], alpha=0.15, linewidth=0)
        ax.set_ylabel(name, rotation="horizontal", ha="right", va="center")
        ax.set(ylim=(0, 1.1 * values.max()), yticks=[])
    rows[-1].set(xlabel="$z$", xlim=(z[0], z[-1]))
    return figure


def plot_waterfall(elbo, log_px, gap, reconstruction, kl_prior, *, ax=None):
    """Draw how log p falls to the bound by one KL divergence, and the reconstruction by another.

    Parameters
    ----------
    elbo, log_px, gap, reconstruction, kl_prior : float
        As ``vaebook.bounds.elbo`` gives them, in nats.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "elbo-tightness", eq-elbo-kl-posterior and eq-elbo-kl-prior.
    """
    ax = _axes(ax)
    levels = [
        (log_px, 0.1, 1.8, "p"),
        (elbo, 1.2, 3.8, "bound"),
        (reconstruction, 3.2, 4.9, "c1"),
    ]
    for height, left, right, role in levels:
        ax.hlines(height, left, right, color=COLOURS[role], linestyle=DASHES[role], linewidth=2)
        ax.annotate(
            f"{height:.3f}".replace("-", "\N{MINUS SIGN}"), ((left + right) / 2, height),
            (0, 4), textcoords="offset points", color=COLOURS[role], ha="center",
        )  # fmt: skip
    for place, fall, role in [(1.5, gap, "gap"), (3.5, kl_prior, "muted")]:
        ax.bar(place, fall, 0.6, bottom=elbo, color=COLOURS[role], alpha=0.35)
        middle = place, elbo + fall / 2
        ax.annotate(f"\N{MINUS SIGN}{fall:.3f}", middle, ha="center", va="center")
    names = [r"$\log\,p(x)$", "KL to\nposterior", "ELBO", "KL to\nprior", "reconstruction"]
    ax.set_xticks(np.arange(5) + 0.5, names)
    ax.set(xlim=(0, 5), xlabel="first reading from the left, second from the right", ylabel="nats")
    ax.margins(y=0.18)
    return ax


# ---- reparameterization --------------------------------------------------------------------------

_SERIES = (("pathwise", "c1", "o"), ("score function", "c2", "s"), ("with a baseline", "c3", "^"))


def figure_sampling_graphs():
    """Draw the path from a data point to the reconstruction with z drawn, and with noise drawn.

    Returns
    -------
    Figure

    Source: chapter "reparameterization-trick", eq-reparameterization, the note's figure 17.11.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.8, 3.4))
    above, below = figure.subplots(2, height_ratios=[1.7, 2.7])
    for ax, top, middle in [(above, 0.6, "draw $z^*$"), (below, 1.6, r"$\mu+s\,\epsilon^*$")]:
        # A place and half a width for each box, and an arrow to it from the one before.
        end = None
        for place, half, name in [
            (0.35, 0.28, r"$\mathbf{x}$"), (1.75, 0.58, "encoder"), (3.45, 0.42, r"$\mu,\ s$"),
            (5.3, 0.62, middle), (7.0, 0.6, "decoder"), (8.75, 0.85, r"$\log\,p(\mathbf{x}|z^*)$"),
        ]:  # fmt: skip
            ax.text(place, 0, name, ha="center", va="center", bbox=_BOX)
            if end is not None:
                _arrow(ax, (end, 0), (place - half, 0))
            end = place + half
        ax.set(xlim=(-0.1, 9.7), ylim=(-1.1, top))
        ax.axis("off")
    above.set_title("sampling on the path", loc="left")
    _arrow(above, (8.6, -0.5), (5.6, -0.5), back=True)
    above.plot(5.4, -0.5, "x", color=COLOURS["q"], markersize=9, markeredgewidth=2.5)
    words = {"ha": "center", "color": COLOURS["q"]}
    above.text(5.4, -1, "no derivative here", **words)
    below.set_title("sampling beside the path", loc="left")
    below.text(5.3, 1.25, r"draw $\epsilon^*$", ha="center", va="center", bbox=_BOX)
    _arrow(below, (5.3, 0.95), (5.3, 0.3))
    _arrow(below, (8.6, -0.5), (1.75, -0.5), back=True)
    below.text(5.2, -1, r"gradient: to $\phi$, then to $\mu$ and $s$, then to $\theta$", **words)
    return figure


_BOX = {"boxstyle": "round,pad=0.35", "facecolor": "none", "edgecolor": COLOURS["muted"]}


def _arrow(ax, start, end, *, back=False):
    """Draw an arrow; a gradient, which runs back, is dashed and has the colour of q."""
    style = {"color": COLOURS["q"], "linestyle": "--"} if back else {"color": COLOURS["ink"]}
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "linewidth": 1.25, **style})


def figure_roots(eps, names, roots):
    """Draw the same noise as several roots of one covariance spread it out.

    Parameters
    ----------
    eps : ndarray, shape (n, 2)
        The first three are marked, to be found again in each picture.
    names : sequence of str, length k
    roots : ndarray, shape (k, 2, 2)

    Returns
    -------
    Figure

    Source: chapter "reparameterization-trick", eq-reparameterization.
    """
    from matplotlib.figure import Figure

    turn = np.linspace(0, 2 * np.pi, 121)
    circle = 2 * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    figure = Figure(figsize=(7.2, 2.3))
    axes = figure.subplots(1, 1 + len(roots), sharex=True, sharey=True)
    for ax, name, root in zip(axes, [r"$\epsilon$", *names], [np.eye(2), *roots], strict=True):
        points = eps @ root.T
        ax.plot(*points.T, ".", color=COLOURS["muted"], markersize=2)
        ax.plot(*(circle @ root.T).T, color=COLOURS["q"], linestyle=DASHES["q"], linewidth=1.25)
        for point, marker, role in zip(points, "o^s", ("c1", "c2", "c3"), strict=False):
            ax.plot(*point, marker, color=COLOURS[role], markersize=7)
        ax.set(title=name, xlim=(-3.6, 3.6), ylim=(-3.6, 3.6), xticks=[-2, 0, 2])
        ax.set_aspect("equal")
    return figure


def figure_estimates(exact, pathwise, score, *, half_width=None):
    """Draw the histograms of two estimates of one gradient, one above the other.

    Parameters
    ----------
    exact : float
    pathwise, score : ndarray, shape (n,)
        Estimates.
    half_width : float, optional
        How far the axis reaches from ``exact``; the default shows nearly all of both.

    Returns
    -------
    Figure

    Source: chapter "reparameterization-trick", eq-pathwise and eq-score-function.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2))
    axes = figure.subplots(2, sharex=True)
    if half_width is None:
        half_width = 3.5 * max(pathwise.std(), score.std())
    for ax, values, (name, role, _) in zip(axes, (pathwise, score), _SERIES, strict=False):
        width = max(values.std() / 4, half_width / 200)
        n_bars = np.ceil(half_width / width)
        edges = exact + width * (np.arange(-n_bars, n_bars + 2) - 0.5)
        ax.hist(values, edges, color=COLOURS[role], alpha=0.5)
        ax.axvline(exact, color=COLOURS["ink"], linewidth=1.25)
        ax.set_yticks([])
        ax.set_ylabel(name)
    axes[-1].set(xlabel="estimate of the gradient", xlim=(exact - half_width, exact + half_width))
    return figure


def plot_spreads(x, spreads, sampled=None, *, ax=None):
    """Draw standard deviations of gradient estimates on two logarithmic axes.

    Parameters
    ----------
    x : ndarray, shape (n,)
    spreads : ndarray, shape (2 or 3, n)
        Rows: pathwise, score function, score function with a baseline. Drawn as lines.
    sampled : ndarray of the same shape, optional
        The same as measured with draws. Drawn as markers.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "reparameterization-trick", eq-baseline and eq-variance-dimension.
    """
    ax = _axes(ax)
    for k, (values, (name, role, marker)) in enumerate(zip(spreads, _SERIES, strict=False)):
        style = {"color": COLOURS[role], "linestyle": DASHES[role]}
        ax.plot(x, values, label=name, **style)
        if sampled is not None:
            ax.plot(x, sampled[k], marker, color=COLOURS[role], markersize=5)
    ax.set(xlabel="$x$", ylabel="std of one draw", xscale="log", yscale="log")
    ax.legend()
    return ax


def plot_walks(mean, std, gap, walks, *, ax=None):
    """Draw walks of q over contours of the gap, one for each estimate of the gradient.

    Parameters
    ----------
    mean : ndarray, shape (n,)
    std : ndarray, shape (m,)
    gap : ndarray, shape (m, n)
        In nats.
    walks : ndarray, shape (2, T, 2)
        Mean and std after each step: pathwise, score function.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "reparameterization-trick", section "sec-gradient-of-bound" of its deeper page.
    """
    ax = _axes(ax)
    levels = [0.01, 0.03, 0.1, 0.3, 1, 3]
    ax.contour(mean, std, gap, levels, colors=COLOURS["gap"], linewidths=0.75)
    for walk, (name, role, _) in zip(walks[::-1], _SERIES[1::-1], strict=True):
        ax.plot(*walk.T, color=COLOURS[role], linewidth=1.25, label=name)
    ax.plot(*walks[0, 0], "o", color=COLOURS["ink"], label="start")
    ax.set(xlabel=r"mean $\mu$ of $q$", ylabel="std $s$ of $q$")
    ax.legend(loc="upper left")
    return ax


# ---- variational autoencoder ---------------------------------------------------------------------


def figure_vae_pass(x, mean, std, eps, centre, log_px_given_z, kl):
    """Draw one data point on its way through a VAE with one latent dimension, with its numbers.

    Parameters
    ----------
    x : sequence of float, length D
    mean, std, eps : float
        The encoder's answer, and the sample from N(0, 1).
    centre : sequence of float, length D
        The decoder's answer to mean + std * eps.
    log_px_given_z, kl : float
        In nats.

    Returns
    -------
    Figure

    Source: chapter "variational-autoencoder", eq-vae-worked-case.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 2.9))
    ax = figure.subplots()
    ax.set(xlim=(0, 100), ylim=(-6, 34))
    ax.axis("off")

    def number(*values):
        return ", ".join(f"{float(v):.2f}" for v in values).replace("-", "\N{MINUS SIGN}")

    def write(place, words, role="ink", box=False):
        edge = {"boxstyle": "round,pad=0.45", "facecolor": "none", "edgecolor": COLOURS[role]}
        ax.text(
            *place, words, ha="center", va="center", color=COLOURS[role], bbox=edge if box else None
        )

    def arrow(start, end, role="muted", bend=0):
        style = {"arrowstyle": "-|>", "color": COLOURS[role], "shrinkA": 0, "shrinkB": 0}
        style["connectionstyle"] = f"arc3,rad={bend}"
        ax.annotate("", end, start, arrowprops=style)

    write((7, 26), r"$\mathbf{x}$" f"\n({number(*x)})")
    write((22, 26), "encoder\n" r"$\theta$", "q", box=True)
    write((38, 29), rf"$\mu$ = {number(mean)}", "q")
    write((38, 23), rf"$s$ = {number(std)}", "q")
    write((41, 9), rf"$\epsilon^*$ = {number(eps)}" "\n" r"sampled from $N[0,1]$", "muted")
    write((56, 26), r"$z^*=\mu+s\,\epsilon^*$" f"\n= {number(mean + std * eps)}")
    write((73, 26), "decoder\n" r"$\phi$", "p", box=True)
    write((91, 26), r"$\mathbf{f}[z^*]$" f"\n({number(*centre)})", "p")
    loss = [
        rf"$\log\,p(\mathbf{{x}}|z^*)$ = {number(log_px_given_z)}", f"minus KL  {number(kl)}",
        f"= estimate  {number(log_px_given_z - kl)}",
    ]  # fmt: skip
    write((85, 6), "\n".join(loss), "bound", box=True)
    for start, end, role in [
        ((14, 26), (17, 26), "muted"), ((27, 26), (31.5, 26), "q"), ((44.5, 26), (48, 26), "q"),
        ((46, 13), (53, 21), "muted"), ((64.5, 26), (68, 26), "muted"), ((78, 26), (84, 26), "p"),
        ((91, 21), (91, 13.5), "p"),
    ]:  # fmt: skip
        arrow(start, end, role)
    arrow((44.5, 21), (72.5, 8), "q", bend=-0.12)
    arrow((7, 21), (72.5, 3.5), "muted", bend=0.38)
    return figure


def plot_training(epochs, bound, log_px, *, ax=None):
    """Draw bound and log-likelihood over the epochs of a training, and the gap as a band.

    Parameters
    ----------
    epochs, bound, log_px : ndarray, shape (T,)
        Averages over the data, in nats.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "variational-autoencoder", section "sec-toy-training".
    """
    ax = _axes(ax)
    ax.fill_between(epochs, bound, log_px, color=COLOURS["gap"], alpha=0.2, lw=0, label="gap")
    ax.plot(epochs, log_px, color=COLOURS["p"], label=r"$\log\,p(\mathbf{x}|\phi)$")
    style = {"color": COLOURS["bound"], "linestyle": DASHES["bound"]}
    ax.plot(epochs, bound, label=r"ELBO$[\theta, \phi]$", **style)
    ax.set(xlabel="epoch", ylabel="nats per data point", xlim=(epochs[0], epochs[-1]))
    ax.legend(loc="lower right")
    return ax


# ---- variational approximation -------------------------------------------------------------------


def plot_ellipses(covariances, roles, names, *, ax=None):
    """Draw Gaussians in the plane around zero as ellipses of two standard deviations.

    Parameters
    ----------
    covariances : sequence of ndarray, shape (2, 2)
    roles, names : sequence of str
        A colour and dash for each, and what the legend calls it.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "variational-approximation", eq-diagonal-reverse.
    """
    ax = _axes(ax)
    turn = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    for covariance, role, name in zip(covariances, roles, names, strict=True):
        line = 2 * np.linalg.cholesky(covariance) @ circle
        ax.plot(*line, color=COLOURS[role], linestyle=DASHES[role], label=name)
    ax.set_aspect("equal")
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax


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
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "variational-approximation", eq-amortised.
    """
    ax = _axes(ax)
    _shade(ax, x, z, posterior, 1.5, "posterior")
    if best is not None:
        dots = {"color": COLOURS["ink"], "markersize": 2.5}
        ax.plot(x, best, "o", label="best Gaussian for each $x$", **dots)
    style = {"color": COLOURS[role], "linestyle": DASHES[role]}
    ax.fill_between(x, mean - std, mean + std, color=COLOURS[role], alpha=0.2, linewidth=0)
    for side in (mean - std, mean + std):
        ax.plot(x, side, linewidth=0.8, **style)
    ax.plot(x, mean, label=r"network: $\mu$ and $\pm s$", **style)
    ax.set(xlabel="$x$", ylabel="$z$", xlim=(x[0], x[-1]), ylim=(z[0], z[-1]))
    ax.legend(loc="lower left")
    return ax


def plot_gap_parts(x, approximation, amortisation, *, ax=None):
    """Stack the two parts of the gap over x: what the family costs, and what the network adds.

    Parameters
    ----------
    x, approximation, amortisation : ndarray, shape (n,)
        In nats.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "variational-approximation", eq-gap-parts.
    """
    ax = _axes(ax)
    total = approximation + amortisation
    ax.fill_between(
        x, approximation, color=COLOURS["gap"], alpha=0.5, linewidth=0, label="approximation gap"
    )
    ax.fill_between(
        x, approximation, total, color=COLOURS["q"], alpha=0.25, linewidth=0,
        label="amortisation gap",
    )  # fmt: skip
    ax.plot(x, approximation, color=COLOURS["gap"], linestyle=DASHES["gap"])
    ax.plot(x, total, color=COLOURS["q"], linestyle=DASHES["q"])
    ax.set(xlabel="$x$", ylabel="nats", xlim=(x[0], x[-1]))
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


# ---- recorded trainings --------------------------------------------------------------------------


def plot_cost(epochs, reconstruction, kl, validation=None, *, ax=None):
    """Draw what an image costs over a training: KL, and reconstruction on top; their sum is -ELBO.

    Parameters
    ----------
    epochs, reconstruction, kl : ndarray, shape (T,)
        Terms of the bound as ``vaebook.vae`` gives them, in nats.
    validation : ndarray, shape (T,), optional
        The bound on validation images.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "training-a-vae".
    """
    ax = _axes(ax)
    cost = kl - reconstruction
    ax.fill_between(epochs, kl, cost, color=COLOURS["c1"], alpha=0.25, lw=0, label="reconstruction")
    ax.fill_between(epochs, 0, kl, color=COLOURS["muted"], alpha=0.35, lw=0, label="KL")
    style = {"color": COLOURS["bound"], "linestyle": DASHES["bound"]}
    ax.plot(epochs, cost, label=r"$-$ELBO", **style)
    if validation is not None:
        ax.plot(epochs, -validation, color=COLOURS["ink"], lw=1, label="validation images")
    ax.set(xlabel="epoch", ylabel="nats per image", xlim=(epochs[0], epochs[-1]))
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


def plot_importance(samples, bound, se, others=(), *, ax=None):
    """Draw the importance-weighted bound over its number of samples, as a cost that falls.

    Parameters
    ----------
    samples, bound, se : ndarray, shape (M,)
        Numbers of samples, the bound and its standard error, in nats.
    others : sequence of ndarray, shape (M,)
        Bounds of other models, drawn thin.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "training-a-vae".
    """
    ax = _axes(ax)
    for k, other in enumerate(others):
        dots = {"color": COLOURS["muted"], "linestyle": ":", "linewidth": 1}
        ax.plot(samples, -other, label=None if k else "other runs", **dots)
    band = {"color": COLOURS["p"], "alpha": 0.12, "linewidth": 0}
    ax.fill_between(samples, -bound - se, -bound + se, label="standard error", **band)
    ax.plot(samples, -bound, "o-", color=COLOURS["p"], markersize=3, label=r"$-$bound")
    ax.set(xlabel="samples $K$", ylabel="nats per image", xscale="log")
    ax.set_xlim(samples[0], samples[-1])
    ax.legend()
    return ax


def plot_budget(reconstruction, kl, rise, *, ax=None):
    """Draw one cost, -ELBO, as two bars: its two terms, and the bound of K samples with its rise.

    Parameters
    ----------
    reconstruction, kl : float
        Terms of the bound as ``vaebook.vae`` gives them, in nats.
    rise : float
        By how much an importance-weighted bound lies above the ELBO.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "training-a-vae".
    """
    ax = _axes(ax)
    cost = kl - reconstruction
    rows = [
        (1, -reconstruction, kl, "c1", "muted", "reconstruction", "KL"),
        (0, cost - rise, rise, "p", "gap", r"$-$bound of $K$ samples", "rise"),
    ]
    for row, first, second, *roles, name, added in rows:
        colours = [COLOURS[role] for role in roles]
        ax.barh(row, first, height=0.7, color=colours[0], alpha=0.3)
        ax.barh(row, second, left=first, height=0.7, color=colours[1], alpha=0.5)
        ax.annotate(f"{name} {first:.2f}", (first / 2, row), ha="center", va="center")
        words = f" {added} {second:.2f}"
        ax.annotate(words, (cost, row), color=colours[1], va="center")
    ax.set(xlabel="nats per image", ylabel="one cost, twice", yticks=[], xlim=(0, 1.15 * cost))
    ax.spines["left"].set_visible(False)
    return ax


# ---- a plane of images ---------------------------------------------------------------------------


def show_pixels(image, *, sheets=5, ax=None):
    """Draw an image in ink: the probability of each pixel, as sheets of shade on each other.

    Parameters
    ----------
    image : array_like, (784,) or (28, 28)
        Probabilities, or pixels 0 and 1; the first row is at the top.
    sheets : int
        Few make a small file.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "training-a-vae".
    """
    ax = _axes(ax)
    image = np.reshape(np.asarray(image, float), (28, 28))
    shade = {"colors": COLOURS["ink"], "alpha": 1 - 0.1 ** (1 / sheets)}  # all: a tenth of paper
    for level in (np.arange(sheets) + 0.5) / sheets:
        if image.max() > level:  # shapes take the colours of the page's theme
            ax.contourf(image, levels=[level, np.inf], **shade)
    ax.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5), aspect="equal", xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=COLOURS["muted"], linewidth=0.5)
    return ax


def plot_latent_plane(side, aggregated, holes, codes, labels, *, ax=None):
    """Draw where encoded images lie, and where the prior has mass without them.

    Parameters
    ----------
    side : array_like, (S,)
        Middles of the cells along either axis.
    aggregated, holes : array_like, (S, S)
        Density of the data, and that of the prior where it counts as a hole; rows go upwards.
    codes : array_like, (I, 2)
    labels : array_like, (I,)
        Drawn at the codes.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "training-a-vae".
    """
    ax = _axes(ax)
    _shade(ax, side, side, aggregated, np.quantile(aggregated, 0.98), "q")
    _shade(ax, side, side, holes, 1 / (2 * np.pi), "p")
    turn = np.linspace(0, 2 * np.pi, 73)
    for radius in (1, 2, 3):
        ring = radius * np.array([np.cos(turn), np.sin(turn)])
        ax.plot(*ring, color=COLOURS["p"], linewidth=0.75)
    for (z1, z2), label in zip(codes, labels, strict=True):
        ax.annotate(str(label), (z1, z2), ha="center", va="center", fontsize=7, clip_on=True)
    ax.set(xlim=(side[0], side[-1]), ylim=(side[0], side[-1]), aspect="equal")
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return ax


# ---- what goes wrong -----------------------------------------------------------------------------


#: Bytes as ink on paper; the file has them as they are, and whoever shows it makes them larger.
PRINT = {"cmap": "Greys", "vmin": 0, "vmax": 255, "interpolation": "none"}


def tile_images(images, columns):
    """Lay images (n, H, W) out in rows of ``columns``, with two empty pixels between them.

    Returns
    -------
    ndarray, (rows (H + 2) - 2, columns (W + 2) - 2); n must be a multiple of ``columns``.

    Source: chapter "what-goes-wrong".
    """
    n, height, width = images.shape
    framed = np.zeros((n, height + 2, width + 2), images.dtype)
    framed[:, :height, :width] = images
    rows = framed.reshape(-1, columns, height + 2, width + 2).swapaxes(1, 2)
    return rows.reshape(-1, columns * (width + 2))[:-2, :-2]


def show_images(images, columns, *, ax=None):
    """Draw images in rows, as ink on paper; the paper is white in both themes.

    Parameters
    ----------
    images : ndarray of uint8, (n, H, W)
        n must be a multiple of ``columns``.
    columns : int
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "what-goes-wrong".
    """
    ax = _axes(ax)
    ax.imshow(tile_images(images, columns), **PRINT)
    ax.set_axis_off()
    return ax


def figure_image_rows(rows, names):
    """Draw one row of images under another, each with its name on the left.

    Parameters
    ----------
    rows : list of ndarray of uint8, (n, 28, 28)
    names : list of str

    Returns
    -------
    Figure

    Source: chapter "what-goes-wrong".
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 0.1 + 0.55 * len(rows)), layout="constrained")
    for ax, images, name in zip(
        figure.subplots(len(rows), 1, squeeze=False).flat, rows, names, strict=True
    ):
        show_images(images, len(images), ax=ax)
        role = "data" if ax.get_subplotspec().rowspan.start == 0 else "p"
        place = {"transform": ax.transAxes, "ha": "right", "va": "center"}
        ax.text(-0.01, 0.5, name, color=COLOURS[role], **place)
    return figure


def plot_printed(printed, healthy=None, test=None, log_px=None, *, ax=None):
    """Draw the bound that a program prints, and what it can be compared with.

    Parameters
    ----------
    printed : ndarray, (T,)
        After each epoch, in nats.
    healthy : ndarray, (T,), optional
        What the sound program prints.
    test : ndarray, (T,), optional
        The bound of the same networks on test images.
    log_px : float, optional
        Estimate of the log-likelihood of test images after the last epoch.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "what-goes-wrong".
    """
    ax = _axes(ax)
    epochs = np.arange(1, len(printed) + 1)
    if healthy is not None:
        ax.plot(epochs, healthy, ":", color=COLOURS["muted"], label="healthy")
    ax.plot(epochs, printed, color=COLOURS["bound"], linestyle=DASHES["bound"], label="patient")
    if test is not None:
        ax.plot(epochs, test, color=COLOURS["ink"], marker=".", linewidth=1, label="test bound")
    if log_px is not None:
        ax.plot(epochs[-1:], [log_px], "D", color=COLOURS["p"], label=r"estimate of $\log\,p(x)$")
    ax.set(xlabel="epoch", ylabel="nats per image")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax


def plot_prices(prices, names, predicted=None, *, ax=None):
    """Draw the KL of each latent dimension, the largest first, one line of marks a model.

    Parameters
    ----------
    prices : list of ndarray, (D_z,)
        In nats, in any order.
    names : list of str
    predicted : list of ndarray, optional
        Drawn as crosses at the same places.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "what-goes-wrong".
    """
    ax = _axes(ax)
    markers = itertools.cycle("osD^")
    for n, (price, name) in enumerate(zip(prices, names, strict=True)):
        places = np.arange(1, len(price) + 1)
        style = _component(n) | {"marker": next(markers), "markersize": 4, "linewidth": 1}
        ax.plot(places, np.sort(price)[::-1], label=name, **style)
        if predicted is not None:
            ax.plot(places, np.sort(predicted[n])[::-1], "x", color=COLOURS["ink"], markersize=7)
    ax.set(xlabel="latent dimension, largest KL first", ylabel="KL (nats)")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_ylim(bottom=-0.05)
    ax.legend()
    return ax


# ---- training a VAE ------------------------------------------------------------------------------


def plot_ladder(names, values, errors, *, ax=None):
    """Draw numbers on one axis, a row each, the largest at the top: measured and cited ones.

    Parameters
    ----------
    names : list of str, length N
    values : list of float, length N
        In nats.
    errors : list of float, length M <= N
        Standard errors of the first M, which were measured; the others are cited.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "training-a-vae", fig-training-ladder.
    """
    ax = _axes(ax)
    order = np.argsort(values)
    rows = np.empty(len(values))
    rows[order] = np.arange(len(values))
    own = len(errors)
    dots = {"color": COLOURS["p"], "markersize": 5, "capsize": 3, "label": "measured here"}
    ax.errorbar(values[:own], rows[:own], xerr=2 * np.array(errors), fmt="o", **dots)
    diamonds = {"color": COLOURS["q"], "markerfacecolor": "none", "label": "published"}
    ax.plot(values[own:], rows[own:], "D", markersize=6, **diamonds)
    ax.set_yticks(range(len(values)), [names[k] for k in order])
    ax.set(xlabel=r"$-\log\,p(\mathbf{x})$, nats per image", ylabel="model")
    ax.grid(axis="y")
    ax.legend(loc="lower right")
    return ax


def plot_manifold(images, z, *, ax=None):
    """Draw what a decoder makes of a grid of points in the latent plane, each image at its point.

    Parameters
    ----------
    images : ndarray of uint8, (n, n, 28, 28)
        The first row is at the top, the first column on the left.
    z : ndarray, (n,)
        The coordinates of the columns, and of the rows from the bottom.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "nonlinear-latent-variable-models".
    """
    ax = _axes(ax)
    n, _, height, width = images.shape
    ax.imshow(tile_images(images.reshape(-1, height, width), n), **PRINT)
    ax.spines[:].set(visible=True, color=COLOURS["muted"], linewidth=0.5)
    shown = np.linspace(0, n - 1, min(n, 5)).round().astype(int)
    words = [f"{z[k]:.1f}".replace("-", "\N{MINUS SIGN}") for k in shown]
    ax.set_xticks([k * (width + 2) + width / 2 for k in shown], words)
    ax.set_yticks([(n - 1 - k) * (height + 2) + height / 2 for k in shown], words)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return ax
