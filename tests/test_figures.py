"""Pictures: the numbers given are the numbers drawn, and nothing outside the Axes changes."""

import io
import re
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from vaebook import figures
from vaebook.mixture import GaussianMixture

X = np.linspace(-5, 6, 301)
MIXTURE = GaussianMixture([0.25, 0.45, 0.30], [-2.0, 0.5, 2.0], [0.5, 0.8, 1.0])
JOINT = np.exp(MIXTURE.log_joint(X))
SHARES = MIXTURE.responsibilities(X)
SAMPLES, Z = MIXTURE.sample(200, rng=np.random.default_rng(17))
TRACE = np.array([-30.0, -20.0, -19.0])

PLOTS = {
    "plot_components": (X, JOINT),
    "plot_mixture": (X, JOINT),
    "plot_responsibilities": (X, SHARES),
    "plot_samples": (SAMPLES, Z),
    "plot_log_likelihood": (TRACE,),
}
FIGURES = {"figure_marginal": (X, JOINT, MIXTURE.weights)}


@pytest.fixture
def ax():
    return Figure().subplots()


def roles(ax):
    """Return the role of each line by its colour."""
    by_hex = {colour: role for role, colour in figures.COLOURS.items()}
    return [by_hex[to_hex(line.get_color())] for line in ax.lines]


def svg(figure):
    """Return the SVG that the page shows."""
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()


def test_every_picture_of_the_module_is_tested():
    made = {n for n in vars(figures) if n.startswith(("plot_", "figure_"))}
    assert made == set(PLOTS) | set(FIGURES)


@pytest.mark.parametrize("name", PLOTS)
def test_plot_labels_its_axes_and_returns_them(name, ax):
    assert getattr(figures, name)(*PLOTS[name], ax=ax) is ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", [*PLOTS, *FIGURES])
def test_no_state_outside_the_axes_changes(name):
    import matplotlib.pyplot as plt

    arguments = (PLOTS | FIGURES)[name]
    copies, open_figures = [array.copy() for array in arguments], plt.get_fignums()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # an earlier test may have left the very change that is looked for
        before = dict(matplotlib.rcParams)
        if name in PLOTS:
            getattr(figures, name)(*arguments, ax=Figure().subplots())
        else:
            assert isinstance(getattr(figures, name)(*arguments), Figure)
        assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == open_figures
    for array, copy in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("name", [*PLOTS, *FIGURES])
def test_only_the_colours_of_the_book_are_used(name):
    """The page replaces these colours by the theme's; any other would stay as it is."""
    import matplotlib.pyplot as plt

    with plt.style.context("vaebook.book"):
        picture = Figure()
        if name in PLOTS:
            getattr(figures, name)(*PLOTS[name], ax=picture.subplots())
        else:
            picture = getattr(figures, name)(*FIGURES[name])
        painted = set(re.findall("(?:fill|stroke): (#[0-9a-f]{6})", svg(picture)))
        assert len(painted) > 1
        assert painted <= set(figures.COLOURS.values())


def test_without_axes_the_current_ones_of_pyplot_are_used():
    import matplotlib.pyplot as plt

    _, current = plt.subplots()
    try:
        assert figures.plot_mixture(X, JOINT) is current
    finally:
        plt.close("all")


def test_import_brings_no_pyplot():
    code = "import sys, vaebook.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_mixture_draws_each_component_and_their_sum(ax):
    figures.plot_mixture(X, JOINT, ax=ax)
    drawn = {role: line.get_ydata() for role, line in zip(roles(ax), ax.lines, strict=True)}
    np.testing.assert_array_equal(drawn["p"], JOINT.sum(axis=1))
    for n in range(3):
        np.testing.assert_array_equal(drawn[f"c{n + 1}"], JOINT[:, n])
    assert len({line.get_linestyle() for line in ax.lines}) > 1
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] > JOINT.sum(axis=1).max()


def test_each_component_has_a_dash_of_its_own(ax):
    figures.plot_mixture(X, JOINT, ax=ax)
    ax.get_legend().remove()
    dashes = set(re.findall("stroke-dasharray: ([^;]+);", svg(ax.figure)))
    assert len(dashes) == 3


def test_a_fourth_component_is_muted(ax):
    four = np.column_stack([JOINT, JOINT[:, 0]])
    figures.plot_components(X, four, ax=ax)
    assert roles(ax) == ["c1", "c2", "c3", "muted"]


def test_responsibilities_stack_up_to_one(ax):
    figures.plot_responsibilities(X, SHARES, ax=ax)
    for n, line in enumerate(ax.lines):
        np.testing.assert_allclose(line.get_ydata(), SHARES[:, : n + 1].sum(axis=1))
    assert [text.get_text() for text in ax.texts] == ["$z=1$", "$z=2$", "$z=3$"]
    for n, text in enumerate(ax.texts):  # each name stands inside its own band
        tops = SHARES[np.searchsorted(X, text.get_position()[0])].cumsum()
        assert np.searchsorted(tops, text.get_position()[1]) == n


def test_samples_are_counted_once_and_split_by_component(ax):
    figures.plot_samples(SAMPLES, Z, bins=10, ax=ax)
    width = np.ptp(SAMPLES) / 10
    for n, bars in enumerate(ax.containers):
        area = sum(bar.get_height() for bar in bars) * width
        np.testing.assert_allclose(area, np.mean(n == Z))


def test_log_likelihood_draws_every_step(ax):
    figures.plot_log_likelihood(TRACE, ax=ax, color=figures.COLOURS["muted"])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), TRACE)
    assert roles(ax) == ["muted"]


def test_marginal_shows_each_slice_and_their_sum():
    *rows, total = figures.figure_marginal(X, JOINT, MIXTURE.weights).axes
    for n, row in enumerate(rows):
        np.testing.assert_array_equal(row.lines[0].get_ydata(), JOINT[:, n])
        assert f"area {MIXTURE.weights[n]:.2f}" in row.get_ylabel()
    np.testing.assert_allclose(total.lines[-1].get_ydata(), JOINT.sum(axis=1))
    assert len(rows) == 3
