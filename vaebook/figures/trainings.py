"""Recorded trainings: curves, costs, bounds, KL per dimension."""

import itertools

import numpy as np

from vaebook.figures.style import COLOURS, band, component_line, plot, role_line, stand_on_zero


@plot
def plot_cost(epochs, reconstruction, kl, validation, *, ax=None):
    """Draw what an image costs over a training: KL, and reconstruction on top; their sum is -ELBO.

    All are (T,), in nats: terms of the bound over ``epochs``, as ``vaebook.vae`` gives them, and
    the bound on ``validation`` images.

    Source: chapter "training-a-vae".
    """
    cost = kl - reconstruction
    band(ax, epochs, kl, cost, "c1", 0.25, "reconstruction")
    band(ax, epochs, 0, kl, "muted", 0.35, "KL")
    ax.plot(epochs, cost, label=r"$-$ELBO", **role_line("bound"))
    ax.plot(epochs, -validation, color=COLOURS["ink"], lw=1, label="validation images")
    stand_on_zero(ax, epochs, "epoch", "nats per image")


@plot
def plot_budget(reconstruction, kl, rise, *, ax=None):
    """Draw one cost, -ELBO, as two bars: its two terms, and the bound of K samples with its rise.

    In nats: terms of the bound as ``vaebook.vae`` gives them, and by how much (``rise``) an
    importance-weighted bound lies above the ELBO.

    Source: chapter "training-a-vae".
    """
    cost = kl - reconstruction
    rows = [
        (1, -reconstruction, kl, "c1", "muted", "reconstruction", "KL"),
        (0, cost - rise, rise, "p", "gap", r"$-$bound of $K$ samples", "rise"),
    ]
    for row, first, second, role, role_added, name, added in rows:
        ax.barh(row, first, height=0.7, color=COLOURS[role], alpha=0.3)
        ax.barh(row, second, left=first, height=0.7, color=COLOURS[role_added], alpha=0.5)
        ax.annotate(f"{name} {first:.2f}", (first / 2, row), ha="center", va="center")
        words = f" {added} {second:.2f}"
        ax.annotate(words, (cost, row), color=COLOURS[role_added], va="center")
    ax.set(xlabel="nats per image", ylabel="one cost, twice", yticks=[], xlim=(0, 1.15 * cost))
    ax.spines["left"].set_visible(False)


@plot
def plot_ladder(names, values, errors, *, ax=None):
    """Draw numbers on one axis, a row each, the largest at the top: measured and cited ones.

    ``values``, N of them, are in nats; ``errors``, M <= N, are standard errors of the first M,
    which were measured; the others are cited.

    Source: chapter "training-a-vae", fig-training-ladder.
    """
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


@plot
def plot_printed(printed, healthy=None, test=None, log_px=None, *, ax=None):
    """Draw the bound that a program prints, and what it can be compared with.

    All in nats, ``printed`` (T,) after each epoch. Optional: ``healthy`` (T,), what the sound
    program prints; ``test`` (T,), the bound of the same networks on test images; ``log_px``, an
    estimate of the log-likelihood of test images after the last epoch.

    Source: chapter "what-goes-wrong".
    """
    epochs = np.arange(1, len(printed) + 1)
    if healthy is not None:
        ax.plot(epochs, healthy, **role_line("muted"), label="healthy")
    ax.plot(epochs, printed, **role_line("bound"), label="patient")
    if test is not None:
        ax.plot(epochs, test, color=COLOURS["ink"], marker=".", linewidth=1, label="test bound")
    if log_px is not None:
        ax.plot(epochs[-1:], [log_px], "D", color=COLOURS["p"], label=r"estimate of $\log\,p(x)$")
    ax.set(xlabel="epoch", ylabel="nats per image")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()


@plot
def plot_prices(prices, names, predicted=None, *, ax=None):
    """Draw the KL of each latent dimension, the largest first, one line of marks a model.

    ``prices`` is a list of (D_z,), in nats, in any order, one for each of the ``names``;
    ``predicted``, another such list, optional, is drawn as crosses at the same places.

    Source: chapter "what-goes-wrong".
    """
    markers = itertools.cycle("osD^")
    for n, (price, name) in enumerate(zip(prices, names, strict=True)):
        places = np.arange(1, len(price) + 1)
        style = component_line(n) | {"marker": next(markers), "markersize": 4, "linewidth": 1}
        ax.plot(places, np.sort(price)[::-1], label=name, **style)
        if predicted is not None:
            ax.plot(places, np.sort(predicted[n])[::-1], "x", color=COLOURS["ink"], markersize=7)
    ax.set(xlabel="latent dimension, largest KL first", ylabel="KL (nats)")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_ylim(bottom=-0.05)
    ax.legend()
