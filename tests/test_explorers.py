"""Explorers as Python objects: values, their limits, and the two ways out."""

import base64
import json
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats
from scipy.special import logsumexp
from scipy.stats import norm

from vaebook import bounds, explorers
from vaebook.approximation import average_bound, refine
from vaebook.data import old_faithful
from vaebook.explorers import scripts
from vaebook.explorers.base import share_tables
from vaebook.explorers.controls import ControlError
from vaebook.explorers.generation import BARS, MAX_DRAWS, PARTS, SIDE
from vaebook.explorers.marginal import DURATION, WAIT
from vaebook.explorers.mixture import FLOOR, GRID
from vaebook.explorers.posterior import NETWORK, VALLEY
from vaebook.explorers.random_numbers import standard_normal
from vaebook.explorers.tightness import LOWEST
from vaebook.explorers.weights import LIMITS, SEED, SETS
from vaebook.explorers.words import fill as write_words
from vaebook.explorers.words import write
from vaebook.figures import COLOURS
from vaebook.latent import LinearGaussianModel, NonlinearModel, book_decoder
from vaebook.mixture import GaussianMixture
from vaebook.quadrature import uniform_grid
from vaebook.results import rate

ALL = [getattr(explorers, name) for name in explorers.__all__]
every_explorer = pytest.mark.parametrize("cls", ALL)


@pytest.fixture
def mixture():
    """A mixture whose values are not the default ones."""
    return explorers.Mixture(weight_1=0.2, weight_2=0.3, weight_3=0.5, mean_1=1.5, x=2.25)


def weights(mixture):
    """Return the three weights."""
    return [mixture.weight_1, mixture.weight_2, mixture.weight_3]


# ---- all explorers ----


def test_every_script_has_its_explorer():
    remedy = "export the class in vaebook/explorers/__init__.py; its name is that of its script"
    assert set(scripts.names()) == {cls.name for cls in ALL}, remedy


@every_explorer
def test_what_the_script_is_told_is_complete_and_plain_json(cls):
    explorer = cls()
    props = json.loads(json.dumps(explorer.props()))
    assert props["name"] == cls.name
    names = [control["name"] for control in props["controls"]]
    assert names == list(explorer.values)
    for part in [*props["controls"], *props["readouts"]]:
        assert part["role"] in ("", *COLOURS), f"{part['role']!r} is no key of figures.COLOURS"
    assert set(explorer.readouts()) >= {readout["key"] for readout in props["readouts"]}
    said = set(re.findall(r'\btext\("(\w+)"', scripts.explorer(cls.name)))
    assert said | set(cls.buttons) <= set(props["text"])


def test_every_file_of_the_kit_is_joined():
    for folder, joined in [("forms", scripts.FORMS), ("kit", (*scripts.KIT, "page", "widget"))]:
        assert {path.stem for path in (scripts.FOLDER / folder).glob("*.js")} == set(joined)


def test_no_two_forms_have_one_name():
    """All of them stand in one object: a second one would take the place of the first."""
    names = []
    for path in (scripts.FOLDER / "forms").glob("*.js"):
        exported = re.findall(r"^  return \{(.*?)\};", path.read_text("utf-8"), re.M | re.S)[-1]
        names += [name.split(":")[0].strip() for name in exported.split(",") if name.strip()]
    assert len(names) > 40
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", sorted(scripts.FOLDER.rglob("*.js")), ids=lambda path: path.stem)
def test_scripts_need_no_build_step_and_nobody_else(path):
    script = path.read_text("utf-8")
    assert script.count("\n") <= 200
    # One address is an identifier: the namespace of SVG.
    script = script.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"^\s*(import|export)\b|https?://", script, re.M)


@every_explorer
def test_every_control_names_what_it_refuses(cls):
    explorer = cls()
    before = explorer.values
    for control in cls.controls():
        if control.kind != "range":
            continue
        for bad in [control.low - 1, control.high + 1, float("nan"), "wide", None]:
            with pytest.raises(ValueError, match=rf"{control.name} = {re.escape(repr(bad))}.*from"):
                setattr(explorer, control.name, bad)
            with pytest.raises(ValueError, match=control.name):
                cls(**{control.name: bad})
    assert explorer.values == before


@every_explorer
def test_reset_comes_back_to_the_start(cls):
    control = next(control for control in cls.controls() if control.kind == "range")
    explorer = cls(**{control.name: control.high})
    start = explorer.values
    setattr(explorer, control.name, control.low)
    assert explorer.values != start
    explorer.reset()
    assert explorer.values == start


@every_explorer
def test_a_page_gets_html_and_no_widget(cls, monkeypatch):
    monkeypatch.setenv("VAEBOOK_STATIC", "1")
    explorer = cls()
    bundle = explorer._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert explorer._widget is None
    html = bundle["text/html"]
    assert f'data-explorer="{cls.name}"' in html
    data = re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1]
    assert "<" not in data
    assert json.loads(data)["values"] == explorer.values
    assert 'role="img"' in html
    assert len(explorer.alt) > 80
    assert_unique_ids(html)


@pytest.mark.parametrize("cls", [explorers.Mixture, explorers.LatentSpace])
def test_a_second_small_instance_has_the_table_of_the_first_and_no_id_of_it(cls):
    slider = next(control.name for control in cls.controls() if control.kind == "range")
    page = share_tables(cls().to_html() + cls(controls=[slider]).to_html())
    assert page.count("data-common=") == 1
    assert page.count('"common": ') == 2
    assert_unique_ids(page)


def assert_unique_ids(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 0


@every_explorer
def test_a_small_instance_has_one_slider_at_least(cls):
    slider, *_ = (control.name for control in cls.controls() if control.kind == "range")
    small = cls(controls=[slider, *cls.buttons])
    assert small.props()["only"] == [slider, *cls.buttons]
    assert small.values == cls().values
    for bad in [[], list(cls.buttons), [slider, "nobody"]]:
        with pytest.raises(ValueError, match=rf"controls = .*choose from .*{slider}"):
            cls(controls=bad)


@every_explorer
def test_a_notebook_gets_one_widget_however_often_it_is_shown(cls):
    explorer = cls()
    key = "application/vnd.jupyter.widget-view+json"
    (first, _), (second, _) = explorer._repr_mimebundle_(), explorer._repr_mimebundle_()
    assert first[key]["model_id"] == second[key]["model_id"]
    assert first["text/plain"] == repr(explorer)
    script = explorer.widget._esm
    assert script.count("export default") == 1
    assert script.endswith(f'export default vaebook.widget("{cls.name}");\n')


@every_explorer
def test_widget_and_traits_keep_in_step(cls):
    explorer = cls()
    name = next(control.name for control in cls.controls() if control.kind == "range")
    low = getattr(cls, name).low
    explorer.widget.values = explorer.values | {name: low}  # what a move on the page does
    assert getattr(explorer, name) == low
    explorer.reset()
    assert explorer.widget.values == explorer.values


def test_a_word_cannot_end_the_script_early(monkeypatch):
    monkeypatch.setattr(explorers.Mixture, "title", "</script><b>")
    data = explorers.Mixture().to_html().split("</script>")[0].split(">", 2)[2]
    assert json.loads(data)["title"] == "</script><b>"


# ---- the mixture ----


def test_tables_arrive_bit_for_bit(mixture):
    table = mixture.props()["tables"]["grid"]
    doubles = np.frombuffer(base64.b64decode(table["f64"]), "<f8").reshape(table["shape"])
    assert np.array_equal(doubles, GRID)


def test_readouts_are_those_of_the_model(mixture):
    model = GaussianMixture(
        weights(mixture),
        [mixture.mean_1, mixture.mean_2, mixture.mean_3],
        [mixture.std_1, mixture.std_2, mixture.std_3],
    )
    numbers = mixture.readouts()
    assert numbers["log_prob"] == model.log_prob(2.25)
    assert numbers["prob"] == np.exp(model.log_prob(2.25))
    assert numbers["log_likelihood"] == model.log_prob(old_faithful()[:, 0]).sum()
    shares = [numbers[f"responsibility_{n}"] for n in (1, 2, 3)]
    assert shares == model.responsibilities(2.25).tolist()
    assert numbers["mean_1"] == 1.5


def test_a_moved_weight_leaves_the_rest_in_proportion(mixture):
    seen = []
    mixture.observe(lambda change: seen.append(sum(weights(mixture))), "weight_3")
    mixture.weight_1 = 0.6
    assert weights(mixture) == pytest.approx([0.6, 0.15, 0.25], abs=1e-15)
    assert seen == pytest.approx([1.0])  # whoever looks on never sees another sum
    mixture.weight_3 = 1
    assert weights(mixture) == [0, 0, 1]
    mixture.weight_3 = 0.5
    assert weights(mixture) == [0.25, 0.25, 0.5]


def test_weights_given_together_must_leave_room(mixture):
    before = mixture.values
    for bad in [
        {"weight_1": 0.5, "weight_2": 0.5, "weight_3": 0.2},
        {"weight_1": 0.5, "weight_2": 0.7},
    ]:
        with pytest.raises(ValueError, match=r"sum to 1\.2, expected (at most )?1; divide"):
            mixture.set(mean_2=1.0, **bad)
        with pytest.raises(ControlError):
            explorers.Mixture(**bad)
    assert mixture.values == before
    mixture.set(weight_1=0.5, weight_2=0.4)
    assert weights(mixture) == pytest.approx([0.5, 0.4, 0.1])


def test_em_from_the_start_climbs_to_the_fit_of_the_package():
    durations = old_faithful()[:, 0]
    found = explorers.Mixture()
    found.em_step()
    for _ in range(2):
        found.many_steps()
    assert len(found.trail) == 41
    assert np.all(np.diff([*found.trail, found.readouts()["log_likelihood"]]) > -1e-9)
    best, path = GaussianMixture.fit(durations, 2, rng=np.random.default_rng(0))
    assert found.readouts()["log_likelihood"] == pytest.approx(path[-1], abs=1e-3)
    assert [found.mean_1, found.mean_2] == pytest.approx(np.sort(best.means), abs=1e-3)
    assert (found.weight_3, found.mean_3) == (0.0, 5.5)  # what has no weight keeps its place
    gain = found.readouts()["log_likelihood"] - found.trail[-1]
    assert found.readouts()["gain"] == gain


def test_a_needle_stays_on_the_floor_and_a_moved_component_ends_the_trail():
    needle = {"mean_1": 2.02, "std_1": 0.24, "mean_2": 4.27, "std_2": 0.44}
    needle |= {"weight_1": 0.3465, "weight_2": 0.6435, "weight_3": 0.01, "mean_3": 4.5}
    mixture = explorers.Mixture(**needle, std_3=FLOOR)
    mixture.many_steps()
    assert mixture.std_3 == FLOOR
    mixture.x = 4.0
    assert len(mixture.trail) == 20
    mixture.std_3 = 0.5
    assert mixture.trail == []
    with pytest.raises(ControlError, match=r"give a list of log-likelihoods, or \[\]"):
        mixture.trail = [np.inf]


def test_unknown_names_are_told_what_there_is():
    with pytest.raises(ValueError, match=r"Mixture has no control 'sigma_1'; choose from x, "):
        explorers.Mixture(sigma_1=1)


def test_the_alt_text_follows_the_values(mixture):
    assert "means 1.50, " in mixture.alt
    share = max(mixture.readouts()[f"responsibility_{n}"] for n in (1, 2, 3))
    assert f"at x = 2.25 component 1 has the largest responsibility, {share:.2f}" in mixture.alt


def test_numbers_are_written_as_the_page_writes_them():
    written = [write(0.1234, 3), write(-1234.5, 1), write(-1e-15), write(4.2e-7), write(2e6, 0)]
    assert written == ["0.123", "−1,234.5", "0.00", "4.20 × 10⁻⁷", "2.00 × 10⁶"]


# ---- jensen ----


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0, 1.5])
@pytest.mark.parametrize(
    ("shape", "log_of_mean"),
    [
        ("lognormal", lambda s: s**2 / 2),
        ("two", lambda s: np.log(np.cosh(0.9 * s)) + 0.19 * s**2 / 2),
    ],
)
def test_gaps_of_the_densities_are_those_of_pencil_and_paper(shape, spread, log_of_mean):
    """``log_of_mean(s)`` is the log of E[exp(s (u - E[u]))], a known function for each shape."""
    density = explorers.Jensen(view="density", shape=shape, spread=spread, mean=2.5)
    gap = log_of_mean(spread)
    assert density.readouts()["gap"] == pytest.approx(gap, abs=1e-10)
    density.function = "sqrt"
    gap = np.sqrt(2.5) * -np.expm1(log_of_mean(spread / 2) - log_of_mean(spread) / 2)
    assert density.readouts()["gap"] == pytest.approx(gap, abs=1e-10)
    assert density.readouts()["average"] == pytest.approx(2.5)


def test_points_share_their_weight_and_a_single_place_has_no_gap():
    points = explorers.Jensen()
    points.weight_2 = 1.0
    assert [points.weight_1, points.weight_3] == [0.0, 0.0]
    assert points.readouts()["gap"] == pytest.approx(0, abs=1e-15)
    points.set(weight_1=0.5, y_1=1.0, y_2=4.0)
    assert points.readouts()["gap"] > 0.2
    points.set(y_1=4.0, y_3=4.0)
    assert points.readouts()["gap"] == pytest.approx(0, abs=1e-15)


def test_what_is_moved_comes_into_view():
    explorer = explorers.Jensen(spread=0.5)
    assert explorer.view == "density"
    explorer.weight_3 = 0.5
    assert explorer.view == "points"
    explorer.function = "sqrt"
    explorer.set(y_1=1.0, mean=3.0)  # of both views: the one that is seen stays
    assert explorer.view == "points"
    explorer.set(view="density", y_1=2.0)
    assert explorer.view == "density"


def test_a_density_of_one_value_is_still_a_picture():
    assert explorers.Jensen(spread=0.0, function="sqrt").to_html().count("<svg") == 1


def painted(explorer):
    """Return the Axes of an explorer's still picture."""
    figure = Figure()
    explorer.paint(figure)
    return figure.axes


def test_points_stand_on_the_curve_with_areas_by_weight():
    points = explorers.Jensen()
    places, weights = points.points()
    ((dots,),) = (ax.collections for ax in painted(points))
    np.testing.assert_allclose(dots.get_offsets(), np.stack([places, np.log(places)], -1))
    np.testing.assert_allclose(dots.get_sizes() / dots.get_sizes().sum(), weights)


def test_a_density_stands_at_the_foot_and_none_is_drawn_for_a_single_value():
    (ax,) = painted(explorers.Jensen(view="density"))
    drawn = ax.lines[-1].get_ydata()
    low, high = ax.get_ylim()
    assert low <= drawn.min() < drawn.max() == pytest.approx(low + 0.3 * (high - low))
    (alone,) = painted(explorers.Jensen(view="density", spread=0.0))
    assert not alone.collections


# ---- marginal ----


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.35])
def test_the_joint_has_two_clouds_as_scipy_says(correlation):
    joint = explorers.Marginal(correlation=correlation)
    x, z = np.meshgrid(np.linspace(40, 100, 7), np.linspace(1.5, 5.5, 5))
    total = 0
    for share, centre, stds in [
        (0.36, (54.6, 2.05), (5.9, 0.28)),
        (0.64, (80.1, 4.3), (5.9, 0.4)),
    ]:
        covariance = np.outer(stds, stds) * [[1, correlation], [correlation, 1]]
        total += share * stats.multivariate_normal(centre, covariance).pdf(np.dstack([x, z]))
    np.testing.assert_allclose(joint.joint(x, z), total, rtol=1e-10)


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.35])
@pytest.mark.parametrize(("x", "z"), [(35.0, 1.0), (67.0, 2.0), (80.0, 4.3), (105.0, 6.0)])
def test_both_cuts_and_the_slices_up_to_z_are_integrals_of_the_joint(correlation, x, z):
    joint = explorers.Marginal(correlation=correlation, x=x, z=z)
    all_x, step_x = uniform_grid(0.0, 140.0, 1401)
    all_z, step_z = uniform_grid(0.0, 7.0, 1401)
    up_to, step = uniform_grid(0.0, z, 2001)
    table = joint.joint(all_x[:, None], up_to)  # (x, z)
    so_far = table @ step
    np.testing.assert_allclose(joint.slices_up_to_z(all_x), so_far, atol=1e-6)
    numbers = joint.readouts()
    area_of_slice = step_x @ joint.joint(all_x, z)
    area_of_cut = step_z @ joint.joint(x, all_z)
    assert numbers["pz"] == pytest.approx(area_of_slice, rel=1e-6)
    assert numbers["px"] == pytest.approx(area_of_cut, rel=1e-6)
    assert numbers["px_given_z"] == pytest.approx(joint.joint(x, z) / area_of_slice, rel=1e-6)
    assert numbers["pz_given_x"] == pytest.approx(joint.joint(x, z) / area_of_cut, rel=1e-6)
    assert numbers["joint"] == pytest.approx(numbers["pz_given_x"] * numbers["px"], rel=1e-9)
    mean_wait = (step_x * all_x) @ joint.joint(all_x, z) / area_of_slice
    mean_duration = (step_z * all_z) @ joint.joint(x, all_z) / area_of_cut
    assert numbers["slice_mean"] == pytest.approx(mean_wait, rel=1e-6)
    assert numbers["cut_mean"] == pytest.approx(mean_duration, rel=1e-6)
    assert numbers["area"] == pytest.approx(step_x @ so_far, abs=1e-6)
    long_z, long_step = uniform_grid(3.1, 7.0, 1401)
    long = long_step @ joint.joint(x, long_z) / area_of_cut
    assert numbers["long"] == pytest.approx(long, abs=2e-5)


def test_the_tilt_leaves_both_marginals_alone():
    joint = explorers.Marginal(x=67.0)
    before = joint.readouts()
    for joint.correlation in [-0.9, 0.0, 0.8]:
        after = joint.readouts()
        assert [after[key] for key in ("px", "pz")] == [before[key] for key in ("px", "pz")]
        assert after["pz_given_x"] != pytest.approx(before["pz_given_x"], rel=0.01)


def test_the_clouds_are_those_of_the_data():
    z, x = old_faithful().T
    for n, kind in enumerate([z < 3.1, z > 3.1]):
        for clouds, data, close in [(DURATION, z, 0.005), (WAIT, x, 0.08)]:
            assert kind.mean() == pytest.approx(clouds.weights[n], abs=0.005)
            of_kind = (data[kind].mean(), data[kind].std())
            assert of_kind == pytest.approx((clouds.means[n], clouds.stds[n]), abs=close)
        correlation = np.corrcoef(z[kind], x[kind])[0, 1]
        assert correlation == pytest.approx(explorers.Marginal().correlation, abs=0.005)


def test_a_sweep_ends_where_all_slices_are_added():
    joint = explorers.Marginal(z=2.0)
    joint.sweep()
    assert joint.z == 6.0
    assert joint.readouts()["so_far"] == pytest.approx(joint.readouts()["px"], abs=1e-6)


# ---- elbo ----


@pytest.mark.parametrize("mean", [-2.5, 0.0, 1.3])
@pytest.mark.parametrize("std", [0.1, 0.6, 1.5])
@pytest.mark.parametrize("phi", [-3.0, 0.0, 0.9, 3.0])
def test_steps_of_the_linear_model_are_its_closed_forms(mean, std, phi):
    w = explorers.Elbo(mean=mean, std=std, phi=phi)
    w.e_step()
    model = LinearGaussianModel(phi, 0.8)
    assert [w.mean, w.std] == pytest.approx(model.posterior(1.7), abs=1e-12)
    assert w.readouts()["gap"] < 1e-14
    assert w.readouts()["near"] == pytest.approx(phi, abs=1e-6)
    w.set(mean=mean, std=std)
    w.m_step()
    assert w.phi == pytest.approx(np.clip(bounds.m_step(1.7, mean, std), -3, 3), abs=1e-12)
    w = explorers.Elbo(mean=mean, std=1.0, phi=phi / 10)
    exact = bounds.elbo_gradient(LinearGaussianModel(phi / 10, 0.8), 1.7, mean, 1.0)
    w.gradient_step()
    moved = np.array([w.phi - phi / 10, w.mean - mean, w.std - 1.0])
    assert moved == pytest.approx(0.2 * np.array(exact), abs=1e-12)


@pytest.mark.parametrize("phi", [-3.0, -1.3, -0.5, 0.0, 0.4, 1.5, 3.0])
def test_e_step_of_the_nonlinear_model_stands_on_a_hill_and_never_touches(phi):
    w = explorers.Elbo(model="nonlinear", phi=phi)
    w.e_step()
    top, here = -w.readouts()["elbo"], np.array([w.mean, w.std])
    for aside in [(1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3), (7e-4, 7e-4), (7e-4, -7e-4)]:
        w.set(mean=here[0] + aside[0], std=here[1] + aside[1])
        assert -w.readouts()["elbo"] > top
    assert w.readouts()["closest"] > 0.09


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_no_step_lowers_the_bound_or_leaves_the_sliders(model):
    rng = np.random.default_rng(17)
    for _ in range(10):
        w = explorers.Elbo(
            model=model, mean=rng.uniform(-2.5, 2.5), std=rng.uniform(0.1, 1.5),
            phi=rng.uniform(-3, 3),
        )  # fmt: skip
        before = w.readouts()["elbo"]
        for n, step in enumerate(rng.choice(w.buttons, size=6), start=1):
            getattr(w, step)()
            after = w.readouts()["elbo"]
            assert after >= before - 1e-10, step
            before = after
            assert len(w.trail) == n


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
@pytest.mark.parametrize("theta", [(0.2, 0.5), (0.0, 0.5), (-2.5, 0.1), (1.0, 1.5), (2.4, 0.2)])
def test_the_nearest_point_is_nearer_than_any_on_a_grid(model, theta):
    w = explorers.Elbo(model=model, mean=theta[0], std=theta[1])
    gaps = [w.terms(phi).gap for phi in np.linspace(-3, 3, 121)]
    assert w.readouts()["closest"] <= min(gaps) + 1e-12
    assert w.readouts()["closest"] == pytest.approx(min(gaps), abs=0.02)


def test_a_trail_ends_where_a_hand_moves_a_slider():
    w = explorers.Elbo()
    w.e_step()
    w.m_step()
    assert w.trail == [[0.2, 0.5, 0.4], [w.mean, w.std, 0.4]]
    w.phi = 1.0
    assert w.trail == []
    w.e_step()
    w.reset()
    assert (w.trail, w.phi) == ([], 0.4)
    with pytest.raises(ValueError, match="trail = 'long' is not possible; give a list"):
        w.trail = "long"
    assert w.trail == []


# ---- generation ----


def test_generation_shows_the_book_model():
    explorer = explorers.Generation(z=-1.5, x1=-1.9, x2=0.1, noise_std=0.2)
    exact = NonlinearModel(book_decoder, 0.2)
    centre, x = book_decoder(-1.5), [-1.9, 0.1]
    numbers = explorer.readouts()
    assert [numbers["centre_1"], numbers["centre_2"]] == centre.tolist()
    assert numbers["density"] == pytest.approx(np.exp(exact.log_marginal(centre)), rel=1e-5)
    assert numbers["prior"] == pytest.approx(stats.norm.pdf(-1.5), rel=1e-14)
    assert numbers["log_px"] == pytest.approx(exact.log_marginal(x), abs=1e-5)
    at = np.argmin(np.abs(exact.grid + 1.5))
    assert numbers["posterior"] == pytest.approx(exact.posterior(x)[at], rel=1e-5)
    moments = (numbers["mean"], numbers["std"])
    np.testing.assert_allclose(moments, exact.posterior_moments(x), rtol=1e-5)
    x1, width = np.linspace(*SIDE, BARS * PARTS, endpoint=False, retstep=True)
    below = stats.norm.cdf((x1[:, None] - exact.curve[:, 0]) / 0.2)
    mass = below @ (exact.grid_weights * stats.norm.pdf(exact.grid))
    density = explorer.density_of_x1()
    np.testing.assert_allclose(density[:-1], np.diff(mass) / width, atol=2e-3)


def test_generation_counts_the_peaks_of_the_posterior():
    numbers = explorers.Generation(x1=1.9, x2=0.0).readouts()
    assert numbers["peaks"] == 1
    assert (numbers["mean"], numbers["std"]) == pytest.approx((0.0, 0.064), abs=5e-3)
    between = explorers.Generation(x1=-1.9, x2=0.0)
    assert between.readouts()["peaks"] == 2
    assert "has 2 peaks" in between.alt


def test_generation_misfit_is_the_area_between_bars_and_curve():
    explorer = explorers.Generation(n=700)
    x, _ = explorer.samples()
    edges = np.linspace(*SIDE, BARS + 1)
    share = np.histogram(x[:, 0], edges)[0] / 700
    mass = explorer.density_of_x1().reshape(BARS, PARTS).mean(axis=1) * (edges[1] - edges[0])
    assert mass.sum() == pytest.approx(1, abs=1e-4)
    assert explorer.readouts()["misfit"] == pytest.approx(np.abs(share - mass).sum(), rel=1e-12)


def test_generation_draws_come_from_the_model():
    x, z = explorers.Generation(noise_std=0.2, n=MAX_DRAWS).samples()
    noise = (x - book_decoder(z)) / 0.2
    together = np.column_stack([z, noise])
    scores = (together.T @ together / MAX_DRAWS - np.eye(3)) * np.sqrt(MAX_DRAWS)
    assert np.abs(scores / np.sqrt(1 + np.eye(3))).max() < 5.73


def test_generation_draws_go_on_where_they_stopped():
    explorer = explorers.Generation(seed=3, n=1)
    explorer.draw_1()
    x, z = explorer.samples()
    assert explorer.n == 2
    assert (explorer.z, explorer.x1, explorer.x2) == (z[1], *x[1])
    for _ in range(8):
        explorer.draw_500()
    longer_x, longer_z = explorer.samples()
    assert explorer.n == len(longer_z) == MAX_DRAWS
    np.testing.assert_array_equal(longer_x[:2], x)
    explorer.new_seed()
    assert explorer.seed == 4
    assert explorer.samples()[1][0] != z[0]


@pytest.mark.parametrize(
    "bad", [{"n": -1}, {"n": MAX_DRAWS + 1}, {"n": 2.5}, {"seed": -1}, {"seed": 2**32}]
)
def test_generation_refuses_what_it_cannot_draw(bad):
    (name, value), *_ = bad.items()
    with pytest.raises(
        ValueError, match=rf"{name} = {re.escape(repr(value))} .* whole number from"
    ):
        explorers.Generation(**bad)


def test_draws_are_normal_independent_and_the_same_for_ever():
    normal = standard_normal(17, (200_000, 3))
    assert standard_normal(17, 3).tolist() == normal[0].tolist()
    np.testing.assert_allclose(normal[0], [0.78432588, 0.04837497, 0.71410528], atol=1e-8)
    n = normal.size
    flat = normal.ravel()
    other = standard_normal(18, flat.shape)
    scores = [
        flat.mean() * np.sqrt(n),
        ((flat**2).mean() - 1) * np.sqrt(n / 2),
        ((flat**4).mean() - 3) * np.sqrt(n / 96),
        *((flat[k:] * flat[: n - k]).mean() * np.sqrt(n) for k in (1, 2, 3)),
        (flat * other).mean() * np.sqrt(n),
    ]
    assert np.abs(scores).max() < 5.73  # 1e-6 in all for a hundred such tests
    assert stats.kstest(flat, "norm").pvalue > 1e-8
    assert stats.kstest(flat, stats.norm(0, 1.02).cdf).pvalue < 1e-8


# ---- tightness ----


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_tightness_reads_one_bound_in_three_ways(model):
    for mean, std in [(0.5, 0.5), (-1.7, 0.2), (2.0, 1.5)]:
        at = explorers.Tightness(model=model, x=-1.9, mean=mean, std=std).readouts()
        bound = pytest.approx(at["elbo"], abs=1e-10 * (1 + abs(at["log_px"])))
        assert at["log_px"] - at["gap"] == bound
        assert at["reconstruction"] - at["kl_prior"] == bound
        assert at["energy"] + at["entropy"] == bound


def test_tightness_closes_the_gap_where_a_gaussian_can():
    explorer = explorers.Tightness(x=1.5)
    assert explorer.readouts()["gap"] > 0.01
    for button in [explorer.match, explorer.best]:
        explorer.reset()
        button()
        assert (explorer.mean, explorer.std) == pytest.approx((0.75, 0.5**0.5))
        assert explorer.readouts()["gap"] == 0
    explorer.set(model="nonlinear", x=-1.9)
    explorer.match()
    assert (explorer.mean, explorer.std) == pytest.approx((-0.11, 1.77), abs=5e-3)
    assert explorer.readouts()["gap"] == pytest.approx(22.49, abs=5e-3)
    explorer.best()
    assert (explorer.mean, explorer.std) == pytest.approx((-1.739, 0.203), abs=5e-4)
    assert explorer.readouts()["gap"] == pytest.approx(0.683, abs=5e-4)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_tightness_can_match_and_fit_wherever_x_stands(model):
    for x in np.linspace(-3, 3, 21):
        explorer = explorers.Tightness(model=model, x=x)
        explorer.match()
        z = np.linspace(-6, 6, 6001)
        mass = explorer.curves(z)[1] * (z[1] - z[0])
        np.testing.assert_allclose([mass.sum(), mass @ z], [1, explorer.mean], atol=1e-4)
        matched = explorer.readouts()["gap"]
        explorer.best()
        assert explorer.readouts()["gap"] <= matched + 1e-12


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_the_area_that_tightness_shades_is_the_gap(model):
    for mean, std in [(0.5, 0.5), (-1.7, 0.2), (-0.11, 1.77)]:
        explorer = explorers.Tightness(model=model, x=-1.9, mean=mean, std=std)
        z = np.linspace(-14, 14, 14001)
        _, posterior, _, integrand = explorer.curves(z)
        assert integrand.sum() * (z[1] - z[0]) == pytest.approx(explorer.readouts()["gap"])
        assert integrand.min() >= LOWEST * 1.2 * posterior.max()


# ---- reparameterization ----


def test_estimates_are_means_of_the_rows_that_the_book_computes():
    from vaebook.gradients import pathwise, score_function

    class Noise(np.random.Generator):
        """Draws the explorer's noise."""

        def standard_normal(self, size):
            return standard_normal(5, (10, 300))[:, 0].reshape(size)

    explorer = explorers.Reparameterization(mean=0.7, std=1.3, n=10, baseline=2.0, seed=5)
    noise = Noise(np.random.PCG64())
    for by in ("mean", "std"):
        explorer.by = by
        column = ["mean", "std"].index(by)
        rows = pathwise(lambda z: 2 * z + np.cos(z), 0.7, 1.3, 10, rng=noise)
        assert explorer.readouts()["pathwise_first"] == pytest.approx(rows[:, column].mean())
        rows = score_function(lambda z: z**2 + np.sin(z), 0.7, 1.3, 10, rng=noise, baseline=2.0)
        assert explorer.readouts()["score_first"] == pytest.approx(rows[:, column].mean())


def test_more_draws_keep_the_first_noise_and_narrow_the_estimates():
    explorer = explorers.Reparameterization(n=1)
    one = explorer.readouts()
    explorer.n = 100
    many = explorer.readouts()
    for name in ("pathwise", "score"):
        assert many[f"{name}_error"] == pytest.approx(one[f"{name}_error"] / 10)
        assert many[f"{name}_std"] == pytest.approx(many[f"{name}_error"], rel=0.2)
        assert many[f"{name}_mean"] == pytest.approx(many["gradient"], abs=0.2)
    explorer.set(mean=-1.0, std=0.5)
    assert explorer.seed == explorers.Reparameterization().seed


def test_draws_moved_and_draws_weighted_have_one_average():
    """The average under q, from draws of q and of another: over many seeds the exact one."""
    explorer = explorers.Reparameterization(mean=0.5, std=0.8, n=100, old=[0.0, 1.0])
    found = []
    for explorer.seed in range(200):
        at = explorer.readouts()
        found.append([at["moved_average"], at["kept_average"]])
    error = np.std(found, axis=0) / np.sqrt(200)
    assert np.all(np.abs(np.mean(found, axis=0) - at["average"]) < 4 * error)
    assert at["average"] == pytest.approx(0.25 + 0.64 + np.exp(-0.32) * np.sin(0.5))
    explorer.redraw()
    at = explorer.readouts()
    assert explorer.draws()[2] == pytest.approx(np.ones(100))
    assert at["moved_average"] == pytest.approx(at["kept_average"])


def test_a_step_draws_afresh_and_goes_downhill_and_a_jump_stops_the_pathwise_one():
    for step in ("pathwise_step", "score_step"):
        explorer = explorers.Reparameterization(n=100)
        start = explorer.readouts()["average"]
        for number in range(1, 4):
            before = [explorer.mean, explorer.std]
            getattr(explorer, step)()
            assert explorer.old == before
            assert explorer.seed == explorers.Reparameterization().seed + number
        assert explorer.readouts()["average"] < start - 1
    explorer = explorers.Reparameterization(function="step", mean=0.5)
    explorer.pathwise_step()
    assert (explorer.mean, explorer.std) == (0.5, 1.0)
    explorer.score_step()
    assert explorer.mean < 0.5


@pytest.mark.parametrize("old", [[0.0], [0.0, -1.0], [0.0, float("nan")], 1.0])
def test_what_no_q_can_be_and_a_bad_seed_are_named(old):
    with pytest.raises(ValueError, match=r"old = .* is not possible; give \[mean, std\]"):
        explorers.Reparameterization(old=old)
    with pytest.raises(ValueError, match="seed = -1 is not possible"):
        explorers.Reparameterization(seed=-1)


# ---- posterior ----


def test_the_walk_depends_on_its_start_and_the_best_gaussian_does_not():
    w = explorers.Posterior(x=1.0)
    ends = []
    for w.mean in [-2.0, 1.5]:
        w.climb()
        ends.append((w.mean, w.readouts()["reverse"]))
        w.best()
        assert w.mean == pytest.approx(-1.3402, abs=1e-4)
        assert w.readouts()["reverse"] == pytest.approx(w.readouts()["approximation"], abs=1e-12)
    assert [mean for mean, _ in ends] == pytest.approx([-1.3402, 0.9640], abs=1e-4)
    assert ends[0][1] < ends[1][1]
    w.direction = "forward"
    for w.mean in [-2.0, 1.5]:
        before = w.readouts()["forward"]
        w.climb()
        assert w.mean == pytest.approx(-0.3136, abs=1e-4)
        assert w.readouts()["forward"] < before


@pytest.mark.parametrize("x", [-0.5, 0.3, 1.2, 3.0])
@pytest.mark.parametrize(("mean", "std"), [(-0.3, 0.5), (2.0, 0.1), (0.0, 2.0)])
def test_both_divergences_are_those_of_a_fine_grid(x, mean, std):
    w = explorers.Posterior(x=x, mean=mean, std=std)
    z, dz = uniform_grid(-25, 25, 20001)
    log_p = VALLEY.log_joint([x], z) - VALLEY.log_marginal([x])
    log_q = norm.logpdf(z, mean, std)
    numbers = w.readouts()
    reverse, forward = (
        dz @ (np.exp(log_q) * (log_q - log_p)),
        dz @ (np.exp(log_p) * (log_p - log_q)),
    )
    assert numbers["reverse"] == pytest.approx(reverse, abs=1e-9)
    assert numbers["forward"] == pytest.approx(forward, rel=1e-9)
    assert numbers["elbo"] == pytest.approx(VALLEY.log_marginal([x]) - reverse, abs=1e-9)


def test_the_frozen_network_is_a_fitted_one():
    """No small change of its numbers helps much: the average bound is nearly flat there."""
    x, _ = VALLEY.sample(500, rng=np.random.default_rng(17))
    bound, gradient = average_bound(VALLEY, x, NETWORK)
    assert np.abs(gradient).max() < 0.05
    assert average_bound(VALLEY, x, refine(VALLEY, x, NETWORK))[0] < bound + 1e-3
    w = explorers.Posterior(x=0.7)
    w.ask()
    assert w.readouts()["reverse"] == pytest.approx(w.readouts()["network_gap"], abs=1e-12)


# ---- weights ----


def test_weights_show_what_the_formulas_say():
    found = explorers.Weights(mean=0.4, std=0.6, n=20, draw=3)
    numbers = found.readouts()
    model = LinearGaussianModel(1.5, 0.8)
    z = 0.4 + 0.6 * standard_normal(SEED, (20, SETS))
    log_w = norm.logpdf(1.7, 1.5 * z, 0.8) + norm.logpdf(z) - norm.logpdf(z, 0.4, 0.6)
    w, estimates = np.exp(log_w[:, 3]), logsumexp(log_w, axis=0) - np.log(20)
    assert numbers["log_px"] == pytest.approx(norm.logpdf(1.7, 0, 1.7), abs=1e-12)
    assert numbers["elbo"] == pytest.approx(float(bounds.elbo(model, 1.7, 0.4, 0.6).elbo), abs=1e-9)
    assert numbers["effective"] == pytest.approx(w.sum() ** 2 / (w**2).sum(), rel=1e-12)
    assert numbers["largest"] == pytest.approx(w.max() / w.sum(), rel=1e-12)
    assert numbers["estimate"] == pytest.approx(np.log(w.mean()), abs=1e-12)
    assert numbers["average"] == pytest.approx(estimates.mean(), abs=1e-12)
    assert numbers["spread"] == pytest.approx(estimates.std(), abs=1e-12)
    found.to_posterior()
    numbers = found.readouts()
    assert numbers["bound"] == pytest.approx(numbers["log_px"], abs=1e-9)
    assert numbers["effective"] == pytest.approx(20, abs=1e-9)


@pytest.mark.parametrize("n", [1, 10, 100])
@pytest.mark.parametrize("q", [(0.0, 1.0), (1.2, 0.3), (-1.0, 2.0)])
@pytest.mark.parametrize("model", ["linear", "two"])
def test_the_estimates_of_weights_lie_around_the_bound(n, q, model):
    numbers = explorers.Weights(mean=q[0], std=q[1], n=n, model=model).readouts()
    assert abs(numbers["average"] - numbers["bound"]) < 4 * numbers["error"] + 1e-9
    assert numbers["elbo"] <= numbers["bound"] + 1e-12 <= numbers["log_px"]


def test_on_one_of_two_peaks_all_looks_well_and_half_is_missing():
    found = explorers.Weights(model="two", mean=1.45, std=0.4, n=100, controls=["mean", "n"])
    numbers = found.readouts()
    assert numbers["effective_part"] > 0.9
    assert numbers["gap"] == pytest.approx(np.log(2), abs=0.03)
    found.to_posterior()
    assert found.mean == 0
    assert found.readouts()["gap"] < 0.02


@pytest.mark.parametrize("name", ["linear", "two"])
def test_the_variance_of_weights_is_infinite_up_to_the_limit(name):
    limit = LIMITS[name]

    def growth(std):  # of the log of a weight's second moment, from 60 to 120 as ends of z
        def log_moment(reach):
            z = np.linspace(-reach, reach, 40_001)
            model, x = explorers.Weights(model=name)._model()
            log_w = 2 * model.log_joint(x, z) - norm.logpdf(z, 0.5, std)
            return logsumexp(log_w) + np.log(z[1] - z[0])

        return log_moment(120) - log_moment(60)

    for std in [limit, 0.97 * limit]:
        assert growth(std) > 1
        assert "variance of the weights is infinite" in said(name, std)
    assert growth(1.03 * limit) == pytest.approx(0, abs=1e-3)
    assert "infinite" not in said(name, 1.001 * limit)


def said(name, std):
    """Return what a reader hears who has moved the std there."""
    found = explorers.Weights(model=name, mean=0.5, std=std)
    return write_words(found.text["consequence"], found.blanks())


def test_new_draws_go_through_the_same_sets_for_ever():
    found = explorers.Weights(draw=SETS - 1)
    before = found.readouts()
    found.new_draws()
    assert found.draw == 0
    assert found.readouts()["average"] == before["average"]
    assert found.readouts()["estimate"] != before["estimate"]


# ---- rate ----


def test_rate_shows_the_means_of_the_seeds_and_the_dimension_walked_along():
    record = rate.load()
    for beta in rate.BETAS:
        run, found = record.runs[f"beta {beta:g}"], explorers.Rate(beta=beta, dimension=2)
        shown = found.readouts()
        assert shown["elbo"] == pytest.approx(-(run.rate + run.distortion).mean())
        assert shown["log_px"] == pytest.approx(run.log_px.mean())
        assert shown["walked"] == pytest.approx(np.sort(run.kl[0])[-2])
        assert run.kl[0][run.traversed[1]] == pytest.approx(shown["walked"])  # as in its pictures
    with pytest.raises(ControlError, match="choose one from"):
        explorers.Rate(beta=3.0)
