"""Log-likelihood and ELBO over a parameter: bounds, ascents, the two readings."""

import itertools

import numpy as np

from vaebook.figures.style import COLOURS, decimal, plot, role_line


def _log_likelihood(ax, phi, log_px):
    """Draw the log-likelihood over phi, and name the axes."""
    ax.plot(phi, log_px, color=COLOURS["p"], label=r"$\log\,p(x|\phi)$")
    ax.set(xlabel=r"slope $\phi$", ylabel="nats", xlim=(phi[0], phi[-1]))


def _above(ax, log_px):
    """Keep the log-likelihood in the picture and cut the bounds that fall far below it."""
    height = max(np.ptp(log_px), 0.1)
    ax.set_ylim(log_px.min() - 2.2 * height, log_px.max() + 0.35 * height)


@plot
def plot_bound(phi, log_px, elbo, at, *, ax=None):
    """Draw the log-likelihood over phi and one bound under it; mark the gap at one place.

    ``phi``, ``log_px``, ``elbo`` are (n,), in nats; ``at`` is phi, the log-likelihood and the bound
    where the gap is marked.

    Source: chapter "evidence-lower-bound", eq-elbo, the note's figure 17.6.
    """
    here, top, bottom = at
    _log_likelihood(ax, phi, log_px)
    ax.plot(phi, elbo, label=r"ELBO$[\theta, \phi]$", **role_line("bound"))
    label = f"gap {top - bottom:.2f}"
    ax.plot([here, here], [bottom, top], label=label, **role_line("gap"), linewidth=3)
    ax.plot(here, top, "o", color=COLOURS["p"])
    ax.plot(here, bottom, "s", color=COLOURS["bound"])
    _above(ax, log_px)
    ax.legend()


@plot
def plot_ascent(phi, log_px, elbo, path, *, name="the walk", steps=False, ax=None):
    """Draw an ascent as a walk under the log-likelihood, with bounds that it used.

    ``phi``, ``log_px`` (n,); ``elbo`` (T, n), the first row drawn faintest; ``path`` (S, 2) has phi
    and bound at each step; ``name`` stands in the legend. With ``steps`` the path is E-, M-,
    E-step, ...: its steps are numbered and each M-step follows its bound (``elbo`` has a row for
    the start and one for each E-step).

    Source: chapter "evidence-lower-bound", sections "sec-em-steps" and "sec-gradient-ascent".
    """
    for row, alpha in zip(elbo, np.linspace(0.45, 1, len(elbo)), strict=True):
        ax.plot(phi, row, linewidth=1.2, alpha=alpha, **role_line("bound"))
    ax.lines[0].set_label(r"ELBO$[\theta, \phi]$, one $\theta$ each")
    _log_likelihood(ax, phi, log_px)
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
    ax.legend(loc="upper left")


@plot
def plot_waterfall(elbo, log_px, gap, reconstruction, kl_prior, *, ax=None):
    """Draw how log p falls to the bound by one KL divergence, and the reconstruction by another.

    The numbers are those of ``vaebook.bounds.elbo``, in nats.

    Source: chapter "elbo-tightness", eq-elbo-kl-posterior and eq-elbo-kl-prior.
    """
    above = {"xytext": (0, 4), "textcoords": "offset points", "ha": "center"}
    for height, left, right, role in [
        (log_px, 0.1, 1.8, "p"), (elbo, 1.2, 3.8, "bound"), (reconstruction, 3.2, 4.9, "c1")
    ]:  # fmt: skip
        ax.hlines(height, left, right, **role_line(role), linewidth=2)
        middle = (left + right) / 2, height
        ax.annotate(decimal(height, 3), middle, color=COLOURS[role], **above)
    for place, fall, role in [(1.5, gap, "gap"), (3.5, kl_prior, "muted")]:
        ax.bar(place, fall, 0.6, bottom=elbo, color=COLOURS[role], alpha=0.35)
        ax.annotate(decimal(-fall, 3), (place, elbo + fall / 2), ha="center", va="center")
    names = [r"$\log\,p(x)$", "KL to\nposterior", "ELBO", "KL to\nprior", "reconstruction"]
    ax.set_xticks(np.arange(5) + 0.5, names)
    ax.set(xlim=(0, 5), xlabel="first reading from the left, second from the right", ylabel="nats")
    ax.margins(y=0.18)
