"""Pictures: the numbers given are the numbers drawn, and nothing outside the Axes changes."""

import io
import re

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from vaebook import figures
from vaebook.bounds import elbo
from vaebook.gaussians import log_normal
from vaebook.latent import BOOK_NOISE_STD, LinearGaussianModel, NonlinearModel, book_decoder
from vaebook.mixture import GaussianMixture

X = np.linspace(-5, 6, 301)
MIXTURE = GaussianMixture([0.25, 0.45, 0.30], [-2.0, 0.5, 2.0], [0.5, 0.8, 1.0])
JOINT = np.exp(MIXTURE.log_joint(X))
SHARES = MIXTURE.responsibilities(X)
TRACE = np.array([-30.0, -20.0, -19.0])

BOOK = NonlinearModel(book_decoder, BOOK_NOISE_STD)
Z_LINE = np.linspace(-3, 3, 121)
CURVE, PRIOR = book_decoder(Z_LINE), np.exp(log_normal(Z_LINE, 0, 1))
SIDE = np.linspace(-4, 4, 33)
PLANE = np.stack(np.meshgrid(SIDE, SIDE), -1)
DENSITY = np.exp(BOOK.log_marginal(PLANE))
POSTERIOR = np.exp(BOOK.log_joint([-1.9, 0.0], Z_LINE) - BOOK.log_marginal([-1.9, 0.0]))
STRIPS = np.arange(-2.0, 3.0)
STRIP_SLICES = np.exp(LinearGaussianModel(4 / 3, 1.0).log_joint(X[:, None], STRIPS))
X_DRAWN, _ = BOOK.sample(50, rng=np.random.default_rng(17))

HEIGHTS = np.linspace(0.1, 4, 81)
PLACES, WEIGHTS = np.array([0.3, 1.0, 3.5]), np.array([0.5, 0.25, 0.25])
SIDES = np.array([WEIGHTS @ PLACES, np.log(WEIGHTS @ PLACES), WEIGHTS @ np.log(PLACES)])

SLOPES = np.linspace(-3, 3, 61)
LOG_PX = LinearGaussianModel(SLOPES, 0.8).log_marginal(1.7)
BOUNDS = np.array([elbo(LinearGaussianModel(SLOPES, 0.8), 1.7, m, 0.6).elbo for m in (0.3, 0.8)])
CLIMB = np.array([(0.0, -3.3), (0.0, -3.1), (1.0, -2.2)])

MEANS, STDS = np.linspace(-3, 3, 25), np.geomspace(0.1, 2, 20)
TERMS = np.array([-2.6, -2.3, 0.3, -2.2, 0.4])

BANDS = 1 + 0.1 * SLOPES

DRAWS = np.array([-1.0, 0.2, 1.1])
ROOTS = np.array([[[0.5, 0.0], [0.0, 0.5]], [[1.0, 0.0], [0.8, 0.6]]])
CROSSED = np.array([[-3.5, -4.0, -5.0], [-4.0, -2.5, -2.0]])
DOTS = np.array([[0.5, 1.0], [-1.0, 0.0], [0.0, -0.5]])

IMAGES = np.arange(12 * 28 * 28, dtype=np.uint8).reshape(12, 28, 28)

PLOTS = {
    "plot_mixture": (X, JOINT),
    "plot_responsibilities": (X, SHARES),
    "plot_gap": (HEIGHTS, np.log(HEIGHTS), SIDES),
    "plot_density": (SIDE, SIDE, DENSITY),
    "plot_joint": (X, STRIPS, STRIP_SLICES),
    "plot_bound": (SLOPES, LOG_PX, BOUNDS[0], np.array([0.6, -2.4, -3.0])),
    "plot_ascent": (SLOPES, LOG_PX, BOUNDS, CLIMB),
    "plot_q": (Z_LINE, POSTERIOR, PRIOR),
    "plot_waterfall": tuple(TERMS),
    "plot_amortised": (SLOPES, MEANS, np.outer(MEANS**2, BANDS) / 9, BANDS, 0.5 * BANDS, -BANDS),
    "plot_spreads": (STDS, np.stack([STDS, 1 / STDS, STDS**0]), np.stack([STDS, 1 / STDS, STDS])),
    "plot_cost": (np.arange(1, 4), CROSSED[0] * 20, DRAWS + 20, CROSSED[1] * 20),
    "plot_budget": tuple(np.float64([-66.0, 25.0, 3.0])),
    "plot_printed": (TRACE, TRACE - 2, TRACE - 1, np.float64(-18.0)),
    "plot_prices": ([DRAWS**2, DRAWS**2 / 2], ["a", "b"], [DRAWS**2, DRAWS**2 / 2]),
    "plot_latent_plane": (SIDE, DENSITY, DENSITY, DOTS, np.array([3, 8, 1])),
    "plot_ladder": (["a", "b", "c"], [88.0, 86.0, 87.0], [0.2, 0.3]),
}
FIGURES = {
    "figure_image_rows": ([IMAGES, IMAGES[::-1]], ["a", "b"]),
    "figure_sampling_graphs": (),
    "figure_roots": (X_DRAWN, ["half", "tall"], ROOTS),
    "figure_estimates": (np.float64(1.0), np.linspace(0.5, 1.5, 50), np.linspace(-2, 4, 50)),
    "figure_vae_pass": (DOTS[0], *np.float64([-0.4, 1.1, 0.5]), DOTS[1], *np.float64([-3.0, 0.2])),
    "figure_marginal": (X, JOINT, MIXTURE.weights),
    "figure_which_z": (
        Z_LINE,
        PRIOR,
        POSTERIOR / PRIOR,
        POSTERIOR,
        CURVE,
        np.array([-1.9, 0.0]),
        np.float64(0.3),
    ),
}


_, SPREADS, SAMPLED = PLOTS["plot_spreads"]
_, _, _, MEAN, STD, BEST = PLOTS["plot_amortised"]
COMPONENTS = [(f"c{n + 1}", X, JOINT[:, n]) for n in range(3)]
#: Name -> what must be drawn of the arrays: a role (or any), and the x and y of its line.
DRAWN = {
    "plot_mixture": [*COMPONENTS, ("p", X, JOINT.sum(axis=1))],
    "plot_responsibilities": [("", X, top) for top in SHARES.cumsum(axis=1).T],
    "plot_gap": [("gap", SIDES[[0, 0]], SIDES[[2, 1]])],
    "plot_bound": [("p", SLOPES, LOG_PX), ("bound", SLOPES, BOUNDS[0]),
                   ("gap", np.array([0.6, 0.6]), np.array([-3.0, -2.4]))],
    "plot_spreads": [(f"c{k + 1}", STDS, row) for rows in (SPREADS, SAMPLED)
                     for k, row in enumerate(rows)],
    "plot_amortised": [("", SLOPES, y) for y in (BEST, MEAN - STD, MEAN + STD, MEAN)],
}  # fmt: skip


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


@pytest.mark.parametrize("name", [*PLOTS, *FIGURES])
def test_a_picture_has_labels_and_the_books_colours_and_nothing_outside_it_changes(name):
    """The page replaces these colours by the theme's; any other would stay as it is."""
    import matplotlib.pyplot as plt

    arguments = (PLOTS | FIGURES)[name]
    copies, open_figures = [array.copy() for array in arguments], plt.get_fignums()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # an earlier test may have left the very change that is looked for
        plt.style.use("vaebook.book")
        before = dict(matplotlib.rcParams)
        if name in PLOTS:
            ax = Figure().subplots()
            assert getattr(figures, name)(*arguments, ax=ax) is ax
            assert ax.get_xlabel()
            assert ax.get_ylabel()
            picture = ax.figure
        else:
            picture = getattr(figures, name)(*arguments)
            assert isinstance(picture, Figure)
        assert dict(matplotlib.rcParams) == before
        painted = set(re.findall("(?:fill|stroke): (#[0-9a-f]{6})", svg(picture)))
    assert len(painted) > 1
    assert painted <= set(figures.COLOURS.values())
    assert plt.get_fignums() == open_figures
    for array, copy in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("name", DRAWN)
def test_the_arrays_that_are_passed_are_drawn_in_their_roles(name, ax):
    getattr(figures, name)(*PLOTS[name], ax=ax)
    drawn = [(role, *line.get_data()) for role, line in zip(roles(ax), ax.lines, strict=True)]
    for role, x, y in DRAWN[name]:
        assert any(
            role in ("", found) and x_drawn.shape == x.shape
            and np.allclose(x_drawn, x, rtol=1e-12) and np.allclose(y_drawn, y, rtol=1e-12)
            for found, x_drawn, y_drawn in drawn
        ), (role, y[:3])  # fmt: skip


def test_without_axes_the_current_ones_of_pyplot_are_used():
    import matplotlib.pyplot as plt

    _, current = plt.subplots()
    try:
        assert figures.plot_mixture(X, JOINT) is current
    finally:
        plt.close("all")


def test_a_mixture_stands_on_zero_and_has_room_above(ax):
    figures.plot_mixture(X, JOINT, ax=ax)
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] > JOINT.sum(axis=1).max()


def test_each_component_has_a_dash_of_its_own(ax):
    figures.plot_mixture(X, JOINT, ax=ax)
    ax.get_legend().remove()
    dashes = set(re.findall("stroke-dasharray: ([^;]+);", svg(ax.figure)))
    assert len(dashes) == 3


def test_a_fourth_component_is_muted(ax):
    four = np.column_stack([JOINT, JOINT[:, 0]])
    figures.plot_mixture(X, four, ax=ax)
    assert roles(ax) == ["p", "c1", "c2", "c3", "muted"]


def test_responsibilities_have_their_names_inside_their_bands(ax):
    figures.plot_responsibilities(X, SHARES, ax=ax)
    assert [text.get_text() for text in ax.texts] == ["$z=1$", "$z=2$", "$z=3$"]
    for n, text in enumerate(ax.texts):  # each name stands inside its own band
        tops = SHARES[np.searchsorted(X, text.get_position()[0])].cumsum()
        assert np.searchsorted(tops, text.get_position()[1]) == n


def test_marginal_shows_each_slice_and_their_sum():
    *rows, total = figures.figure_marginal(X, JOINT, MIXTURE.weights).axes
    for n, row in enumerate(rows):
        np.testing.assert_array_equal(row.lines[0].get_ydata(), JOINT[:, n])
        assert f"area {MIXTURE.weights[n]:.2f}" in row.get_ylabel()
    np.testing.assert_allclose(total.lines[-1].get_ydata(), JOINT.sum(axis=1))
    assert len(rows) == 3


def test_each_sheet_ends_where_the_density_has_its_level(ax):
    figures.plot_density(SIDE, SIDE, DENSITY, ax=ax)
    edges = [sheet.get_paths()[0].vertices for sheet in ax.collections]
    log_levels = [BOOK.log_marginal(edge) for edge in edges]
    assert len(edges) == 7
    assert np.all(np.diff([np.median(levels) for levels in log_levels]) > 0.1)
    assert max(levels.std() for levels in log_levels) < 0.2  # the grid is coarse
    shares = np.exp([np.median(levels) for levels in log_levels]) / DENSITY.max()
    np.testing.assert_allclose(shares[[1, -1]], [0.12, 0.85], rtol=0.1)


def test_joint_is_dark_where_it_is_high_and_lies_the_right_way_round(ax):
    figures.plot_joint(X, STRIPS, STRIP_SLICES, ax=ax)
    outer, inner = (ax.collections[k].get_paths()[0].vertices for k in (0, -1))
    assert np.corrcoef(outer.T)[0, 1] > 0.5  # x grows with z
    assert np.abs(inner).max() < 1 < np.abs(outer).max()


def test_the_sides_of_a_gap_are_called_by_the_function(ax):
    figures.plot_gap(HEIGHTS, np.log(HEIGHTS), SIDES, g=r"\sqrt{{{}}}", ax=ax)
    assert [text.get_text() for text in ax.texts] == [r"$\sqrt{E[y]}$", r"$E[\sqrt{y}]$"]


def test_a_bound_says_how_large_the_gap_is_that_it_marks(ax):
    figures.plot_bound(SLOPES, LOG_PX, BOUNDS[0], (0.6, -2.4, -3.0), ax=ax)
    assert ax.lines[2].get_label() == "gap 0.60"


def test_an_m_step_follows_its_bound_and_an_e_step_goes_straight_up(ax):
    path = np.array([(0.0, BOUNDS[0, 30]), (0.0, BOUNDS[1, 30]), (1.0, BOUNDS[1, 40])])
    figures.plot_ascent(SLOPES, LOG_PX, BOUNDS, path, steps=True, ax=ax)
    up, along = ax.lines[-2:]
    assert np.ptp(up.get_xdata()) == 0
    np.testing.assert_allclose(
        along.get_ydata(), np.interp(along.get_xdata(), SLOPES, BOUNDS[1]), atol=1e-12
    )
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2"]


def test_dots_on_the_curve_are_the_posterior():
    plane, *rows = figures.figure_which_z(*FIGURES["figure_which_z"]).axes
    dots = plane.collections[0]
    np.testing.assert_array_equal(dots.get_offsets(), CURVE[::4])
    np.testing.assert_allclose(dots.get_sizes() / 90, POSTERIOR[::4] / POSTERIOR.max())
    assert [text.get_text() for text in plane.texts] == ["$z=-1.6$", "$z=1.7$", r"$\mathbf{x}^*$"]
    for ax, values in zip(rows, [PRIOR, POSTERIOR / PRIOR, POSTERIOR], strict=True):
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), values)


def test_both_falls_of_the_waterfall_end_at_the_bound(ax):
    figures.plot_waterfall(*TERMS, ax=ax)
    ends = [(bar.get_y() + bar.get_height(), bar.get_y()) for bar in ax.patches]
    np.testing.assert_allclose(ends, [(-2.3, -2.6), (-2.2, -2.6)])
    heights = [level.get_segments()[0][0, 1] for level in ax.collections]
    np.testing.assert_allclose(heights, [-2.3, -2.6, -2.2])
    words = [text.get_text().replace("\N{MINUS SIGN}", "-") for text in ax.texts]
    assert words == ["-2.300", "-2.600", "-2.200", "-0.300", "-0.400"]


def test_sampling_stops_the_gradient_above_and_lets_it_through_below():
    above, below = figures.figure_sampling_graphs().axes
    words = [{text.get_text() for text in ax.texts} for ax in (above, below)]
    assert "no derivative here" in words[0]
    assert "draw $\\epsilon^*$" in words[1] - words[0]
    assert [len(ax.lines) for ax in (above, below)] == [1, 0]  # the cross


def test_each_root_spreads_the_same_noise():
    panels = figures.figure_roots(*FIGURES["figure_roots"]).axes
    assert [ax.get_title() for ax in panels] == [r"$\epsilon$", "half", "tall"]
    for ax, root in zip(panels, [np.eye(2), *ROOTS], strict=True):
        cloud, edge, *marked = (np.transpose(line.get_data()) for line in ax.lines)
        np.testing.assert_allclose(cloud, X_DRAWN @ root.T)
        np.testing.assert_allclose(np.concatenate(marked), cloud[:3])
        np.testing.assert_allclose(np.linalg.norm(edge @ np.linalg.inv(root).T, axis=1), 2)


def test_histograms_of_estimates_count_all_and_share_their_middle():
    upper, lower = figures.figure_estimates(*FIGURES["figure_estimates"]).axes
    for ax in (upper, lower):
        assert sum(bar.get_height() for bar in ax.patches) == 50
        assert ax.lines[0].get_xdata() == [1.0, 1.0]
        assert np.mean(ax.get_xlim()) == pytest.approx(1.0)
    assert upper.patches[0].get_width() < lower.patches[0].get_width()
    needle, _ = figures.figure_estimates(1.0, np.zeros(9), np.linspace(-2, 4, 9)).axes
    assert sum(bar.get_height() for bar in needle.patches) == 9


def test_a_pass_shows_the_numbers_it_is_given():
    figure = figures.figure_vae_pass(*FIGURES["figure_vae_pass"])
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    for number in ["0.50, 1.00", "0.40", "1.10", "0.15", "3.00", "3.20"]:
        assert number in words


def test_costs_are_stacked_and_sum_to_minus_the_elbo(ax):
    epochs, reconstruction, kl = (
        np.arange(1.0, 4),
        np.array([-90.0, -80, -70]),
        np.array([5.0, 9, 8]),
    )
    figures.plot_cost(epochs, reconstruction, kl, reconstruction - kl, ax=ax)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [95, 89, 78])
    top, bottom = (band.get_paths()[0].vertices for band in ax.collections)
    assert bottom[:, 1].min() == 0
    assert {(1, 5), (3, 8)} <= set(map(tuple, bottom)) & set(map(tuple, top))
    assert (2, 89) in set(map(tuple, top))


def test_pixels_are_shaded_from_their_first_row_down(ax):
    image = np.zeros((28, 28))
    image[2:5, 20] = 1
    figures.show_pixels(image.ravel(), ax=ax)
    assert len(ax.collections) == 5
    for shade in ax.collections:
        low, high = shade.get_paths()[0].get_extents().get_points()
        assert 19 < low[0] < 20 < high[0] < 21
        assert 1 < low[1] < 2 <= 4 <= high[1] < 5
    assert ax.yaxis_inverted()


def test_latent_plane_shades_data_and_holes_and_writes_the_digits(ax):
    codes, labels = np.array([[0.5, 1.0], [-1.0, -2.0]]), np.array([3, 8])
    figures.plot_latent_plane(SIDE, DENSITY, DENSITY * (SIDE > 2), codes, labels, ax=ax)
    shades = {to_hex(shade.get_facecolor()[0]) for shade in ax.collections}
    assert shades == {figures.COLOURS["q"], figures.COLOURS["p"]}
    assert [(text.get_text(), text.xy) for text in ax.texts] == [("3", (0.5, 1)), ("8", (-1, -2))]
    assert [np.hypot(*ring.get_data()).max() for ring in ax.lines] == pytest.approx([1, 2, 3])


def test_both_bars_of_a_budget_are_as_long_as_the_cost(ax):
    figures.plot_budget(-66, 25, 3, ax=ax)
    bars = [(bar.get_y(), bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert [(x, width) for _, x, width in bars] == [(0, 66), (66, 25), (0, 88), (88, 3)]
    assert bars[0][0] == bars[1][0] > bars[2][0] == bars[3][0]
    words = [text.get_text() for text in ax.texts]
    assert [w.split()[-1] for w in words] == ["66.00", "25.00", "88.00", "3.00"]


def test_images_keep_their_order_and_two_empty_pixels_between(ax):
    figures.show_images(IMAGES, 4, ax=ax)
    (picture,) = ax.images
    tiles = picture.get_array()
    assert tiles.shape == (3 * 30 - 2, 4 * 30 - 2)
    np.testing.assert_array_equal(tiles[30:58, 60:88], IMAGES[6])
    assert not tiles[28:30].any()
    assert not tiles[:, 28:30].any()


def test_prices_fall_and_the_formula_lies_on_them(ax):
    figures.plot_prices(*PLOTS["plot_prices"], ax=ax)
    for marks, crosses in zip(ax.lines[::2], ax.lines[1::2], strict=True):
        assert np.all(np.diff(marks.get_ydata()) <= 0)
        np.testing.assert_array_equal(marks.get_ydata(), crosses.get_ydata())


def test_a_patient_is_drawn_with_what_there_is_to_compare(ax):
    figures.plot_printed(TRACE, log_px=-18.0, ax=ax)
    assert ax.lines[0].get_label() == "patient"
    assert len(ax.lines) == 2
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), TRACE)


def test_ladder_sorts_its_rows_and_tells_measured_from_cited(ax):
    names, values = ["one", "two", "three"], [88.0, 86.0, 87.0]
    figures.plot_ladder(names, values, [0.2, 0.3], ax=ax)
    rows = {text.get_text(): row for row, text in enumerate(ax.get_yticklabels())}
    assert sorted(rows, key=rows.get) == ["two", "three", "one"]
    measured = ax.containers[0][0]
    np.testing.assert_array_equal(measured.get_xydata(), [(88, rows["one"]), (86, rows["two"])])
    (cited,) = (line for line in ax.lines if line.get_marker() == "D")
    np.testing.assert_array_equal(cited.get_xydata(), [(87, rows["three"])])
    (bars,) = ax.containers[0][2]
    lengths = [end[0] - start[0] for start, end in bars.get_segments()]
    np.testing.assert_allclose(lengths, [0.8, 1.2])  # two standard errors on either side
