"""Every explorer in a real browser: keys, mouse, words, themes, numbers."""

import itertools
import random
import re
from dataclasses import dataclass

import numpy as np
import pytest
from browsing import TALL, drag, resize, show
from playwright.sync_api import expect

from vaebook import explorers
from vaebook.explorers import evidence_budget
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Hidden, Ladder, Readout, Slider
from vaebook.explorers.handwriting import examples, image_of
from vaebook.explorers.latent_plane import manifold
from vaebook.results import latent_space, mnist_epochs


@dataclass(frozen=True)
class Case:
    """An explorer and the page that shows it."""

    explorer: type
    page: str

    def __str__(self):
        return self.explorer.name


EXPLORERS = [
    Case(explorers.Mixture, "chapters/mixture-of-gaussians.html"),
    Case(explorers.Marginal, "chapters/latent-variable-models.html"),
    Case(explorers.Generation, "chapters/nonlinear-latent-variable-models.html"),
    Case(explorers.Jensen, "chapters/jensens-inequality.html"),
    Case(explorers.Elbo, "chapters/evidence-lower-bound.html"),
    Case(explorers.Tightness, "chapters/elbo-tightness.html"),
    Case(explorers.Posterior, "chapters/variational-approximation.html"),
    Case(explorers.VaeStep, "chapters/variational-autoencoder.html"),
    Case(explorers.Playground, "chapters/variational-autoencoder.html"),
    Case(explorers.Reparameterization, "chapters/reparameterization-trick.html"),
    Case(explorers.Weights, "chapters/importance-weighting.html"),
    Case(explorers.Failures, "chapters/what-goes-wrong.html"),
    Case(explorers.EvidenceBudget, "chapters/training-a-vae.html"),
    Case(explorers.LatentSpace, "chapters/training-a-vae.html"),
    Case(explorers.Rate, "chapters/rate-and-distortion.html"),
    Case(explorers.Sampler, "chapters/where-vaes-went.html"),
]

CASES = {case.explorer: case for case in EXPLORERS}


def of_cases(cases):
    """Run a test for each of these explorers, on the card that is kept open."""
    return pytest.mark.parametrize("kept_explorer", cases, ids=str, indirect=True)


def of_explorer(explorer):
    """Run a test for this one alone."""
    return of_cases([CASES[explorer]])


every_explorer = of_cases(EXPLORERS)

#: Explorers that together have each kind of control, handle and picture: of what all share, the
#: slow proofs alone look at the others.
VARIED = [
    explorers.Elbo, explorers.Jensen, explorers.Playground, explorers.LatentSpace, explorers.Rate,
]  # fmt: skip
SLOW_BUT_VARIED = [
    case if case.explorer in VARIED else pytest.param(case, marks=pytest.mark.slow)
    for case in EXPLORERS
]
#: Run a test for each of them on a page of its own.
each_case = pytest.mark.parametrize("case", SLOW_BUT_VARIED, ids=str)


def test_every_explorer_is_in_the_list():
    missing = set(explorers.__all__) - {case.explorer.__name__ for case in EXPLORERS}
    assert not missing, f"add them to EXPLORERS, each with its page: {missing}"


# What the reader sees, read from the page: values of the controls, and numbers in full precision.
READ = """root => {
  const values = {}, numbers = {};
  for (const input of root.querySelectorAll("input[name], select[name]")) {
    if (input.type === "range") {
      const rungs = input.dataset.values && JSON.parse(input.dataset.values);
      values[input.name] = rungs ? rungs[input.valueAsNumber] : input.valueAsNumber;
    }
    else if (input.type === "hidden") values[input.name] = JSON.parse(input.value);
    else if (input.type !== "radio" || input.checked) values[input.name] = input.value;
  }
  for (const number of root.querySelectorAll("[data-readout]")) {
    numbers[number.dataset.readout] = Number(number.dataset.number);
  }
  const words = [...root.querySelectorAll(".vb-picture")].map((one) => one.ariaLabel);
  return { values, numbers, words };
}"""

# Move controls one after the other as a reader would, and read everything after each move.
DRIVE = f"""(root, moves) => moves.map(([name, value]) => {{
  const inputs = [...root.querySelectorAll(`[name="${{name}}"]`)];
  const input = inputs.find((one) => one.type === "radio" && one.value === value) ?? inputs[0];
  if (input.type === "button" || input.type === "radio") input.click();
  else {{
    const rungs = input.dataset.values && JSON.parse(input.dataset.values);
    input.value = rungs ? rungs.indexOf(value) : value;
    input.dispatchEvent(new Event(input.type === "range" ? "input" : "change"));
  }}
  return ({READ})(root);
}})"""


def unfold(root):
    """Open whatever is folded away."""
    root.evaluate("e => e.querySelectorAll('details').forEach((one) => { one.open = true; })")


def sliders(case):
    """Return the sliders of an explorer, as its class describes them."""
    return [control for control in case.explorer.controls() if isinstance(control, Slider)]


def assert_same(found, expected):
    """Hold the page's numbers within 1e-9 of Python's, relative where they are large."""
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert abs(found[key] - value) <= 1e-9 * max(1.0, abs(value)), key


def walk(cls, seed=0, length=30):
    """Return moves: each control to both ends and between, then random ones, and each button."""
    rng = random.Random(seed)
    steps = []
    for control in cls.controls():
        if isinstance(control, Ladder):
            steps += [(control.name, value) for value in control.values]
        elif isinstance(control, Slider):
            # A training that can be played fast takes its time all the same.
            high = control.low + 40 * control.fine if control.fast else control.high
            stops = [control.low, high] + [
                control.low + rng.randint(0, round((high - control.low) / control.fine))
                * control.fine for _ in range(length // 6)
            ]  # fmt: skip
            steps += [(control.name, round(stop, 9)) for stop in stops]
        elif isinstance(control, Choice):
            steps += [(control.name, option) for option in control.options]
    steps += [(name, None) for name in cls.buttons]
    return steps + rng.choices(steps, k=length) + [("reset", None)]


def follow(explorer, move):
    """Make the same move in Python."""
    name, value = move
    if value is None:
        getattr(explorer, name)()
    else:
        setattr(explorer, name, value)


# ---- numbers ----


def agree(case, root):
    """Walk about in an explorer; after each move the page says what Python says."""
    start = root.evaluate(READ)
    twin = case.explorer(**start["values"])
    assert_same(start["numbers"], twin.readouts())
    moves = walk(case.explorer)
    for move, seen in zip(moves, root.evaluate(DRIVE, moves), strict=True):
        follow(twin, move)
        assert_same(seen["numbers"], twin.readouts())
        assert set(twin.descriptions()) <= set(seen["words"])
    # A hidden value may be a list, which approx does not take inside a dictionary.
    near = {name: pytest.approx(v, abs=1e-12) for name, v in start["values"].items()}
    assert root.evaluate(READ)["values"] == near


# ---- keys and mouse ----


def track(control):
    """Return the ends of the slider's input and its finest step: a ladder's are places."""
    spec = control.spec()
    return spec["min"], spec["max"], spec["fine"]


def key_walk(control):
    """Return keys and where the slider stands after each, from its low end up and back."""
    (low, high, fine), step, far = track(control), control.step, control.page
    return [
        ("Home", low),
        ("ArrowRight", low + step),
        ("ArrowUp", low + 2 * step),
        ("ArrowLeft", low + step),
        ("Shift+ArrowRight", low + step + fine),
        ("Shift+ArrowDown", low + step),
        ("PageUp", low + step + far),
        ("PageDown", low + step),
        ("ArrowDown", low),
        ("ArrowLeft", low),
        ("End", high),
        ("ArrowRight", high),
    ]


PRESS = """(slider, keys) => keys.map((name) => {
  const [key, shift] = name.split("+").reverse();
  slider.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: Boolean(shift) }));
  return slider.valueAsNumber;
})"""


@every_explorer
def test_keys_move_every_slider_by_its_steps(shown):
    for control in sliders(shown.case):
        slider = shown.root.locator(f'input[name="{control.name}"]')
        keys, expected = zip(*key_walk(control), strict=True)
        assert slider.evaluate(PRESS, keys) == pytest.approx(expected), control.name


@of_explorer(explorers.Elbo)
def test_steps_of_a_keyboard_are_not_added_to_those_of_the_browser(shown):
    root = shown.root
    start = root.evaluate(READ)["values"]
    control = sliders(shown.case)[0]
    slider = root.locator(f'input[name="{control.name}"]')
    for key, value in key_walk(control):
        slider.press(key)
        assert slider.evaluate("e => e.valueAsNumber") == pytest.approx(value), key
    reset = root.locator('[name="reset"]')
    reset.press("Enter")
    assert root.evaluate(READ)["values"] == start


@of_cases(SLOW_BUT_VARIED)
def test_mouse_clicks_and_drags_sliders(shown):
    case, page, root = shown.case, shown.page, shown.root
    unfold(root)
    for control in {sliders(case)[0], sliders(case)[-1]}:
        slider = root.locator(f'input[name="{control.name}"]')
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        low, high, fine = track(control)
        width, near = high - low, 0.03 * (high - low) + fine
        value = lambda slider=slider: slider.evaluate("e => e.valueAsNumber")  # noqa: E731

        def place(value, box=box, low=low, width=width):
            # The thumb is 24 pixels wide.
            across = 12 + (value - low) / width * (box["width"] - 24)
            return box["x"] + across, box["y"] + box["height"] / 2

        page.mouse.click(*place(low + 0.75 * width))
        assert value() == pytest.approx(low + 0.75 * width, abs=near)
        drag(page, place(value()), place(low + 0.25 * width), 6)
        assert value() == pytest.approx(low + 0.25 * width, abs=near)
        said = root.locator(f'[data-readout="{control.name}"]').get_attribute("data-number")
        assert float(said) == root.evaluate(READ)["values"][control.name]


@of_explorer(explorers.Mixture)
def test_click_on_the_mixture_chooses_x(shown):
    root = shown.root
    chart = root.locator("svg.vb-picture").first
    axis = chart.locator(".vb-axes path").first.bounding_box()
    place = {"x": axis["x"] + axis["width"] / 2 - chart.bounding_box()["x"], "y": 150}
    chart.click(position=place)
    assert root.evaluate(READ)["values"]["x"] == pytest.approx(3.5, abs=0.02)


def z_over_time(root, page, moments):
    """Press Sweep and return z after each of the moments, in seconds."""
    page.emulate_media(reduced_motion="no-preference")
    root.locator('[name="sweep"]').click()
    seen = []
    for moment in moments:
        page.wait_for_timeout(1000 * moment)
        seen.append(root.evaluate(READ)["values"]["z"])
    return seen


@of_explorer(explorers.Marginal)
def test_sweep_moves_z_from_end_to_end_and_tells_the_end(shown):
    page, root = shown.page, shown.root
    seen = z_over_time(root, page, [0.3, 0.3, 0.3])
    assert 1 < seen[0] < seen[1] < seen[2] < 6
    page.emulate_media(reduced_motion="reduce")
    root.locator('[name="sweep"]').click()  # at its end at once
    twin = explorers.Marginal()
    twin.sweep()
    now = root.evaluate(READ)
    assert now["values"]["z"] == twin.z == 6
    assert_same(now["numbers"], twin.readouts())
    expect(root.locator('[role="status"]')).to_contain_text("area 1.000")


@of_explorer(explorers.Marginal)
def test_whoever_moves_z_during_a_sweep_takes_over(shown):
    page, root = shown.page, shown.root
    slider = root.locator('input[name="z"]')
    for stop, z in [
        (lambda: slider.press("Home"), 1),
        (root.locator('[name="reset"]').click, 4),
    ]:
        z_over_time(root, page, [0.2])
        stop()
        page.wait_for_timeout(400)
        assert root.evaluate(READ)["values"]["z"] == z
    # A sweep can be begun again, also while one runs.
    [before] = z_over_time(root, page, [1])
    assert 1 < z_over_time(root, page, [0.2])[0] < before
    # It is one move, and Undo ends it.
    root.locator('[name="undo"]').click()
    page.wait_for_timeout(600)
    undone = root.evaluate(READ)["values"]["z"]
    assert before <= undone < before + 0.5
    page.wait_for_timeout(200)
    assert root.evaluate(READ)["values"]["z"] == undone


@of_explorer(explorers.Marginal)
def test_click_on_the_joint_chooses_slice_and_cut(shown):
    root = shown.root
    chart = root.locator("svg.vb-picture").first
    chart.click(position={"x": 120, "y": 60})
    frame = chart.bounding_box()
    slice_ = chart.locator(".vb-line.vb-c2").bounding_box()
    cut = chart.locator(".vb-line.vb-posterior").bounding_box()
    assert slice_["y"] - frame["y"] == pytest.approx(60, abs=2)
    assert cut["x"] - frame["x"] == pytest.approx(120, abs=3)
    values = root.evaluate(READ)["values"]
    assert values["z"] > 4.5
    assert values["x"] < 60


@of_explorer(explorers.Generation)
def test_click_on_the_plane_chooses_x_and_shows_its_posterior(shown):
    root = shown.root
    plane = root.locator("svg.vb-picture").nth(1)
    hanging = root.locator(".vb-line.vb-posterior").first
    before = hanging.get_attribute("d")
    box, handle = plane.bounding_box(), root.locator('[data-handle="x1 x2"] .vb-grip')
    at = {"x": box["width"] / 3, "y": box["height"] / 2}
    plane.click(position=at)
    grip = handle.bounding_box()
    assert grip["x"] + grip["width"] / 2 - box["x"] == pytest.approx(at["x"], abs=2)
    assert grip["y"] + grip["height"] / 2 - box["y"] == pytest.approx(at["y"], abs=2)
    assert hanging.get_attribute("d") != before
    now = root.evaluate(READ)
    assert_same(now["numbers"], explorers.Generation(**now["values"]).readouts())


@of_explorer(explorers.Generation)
def test_draws_repeat_with_their_seed_and_go_on_where_they_stopped(shown):
    root = shown.root
    press = lambda name: root.locator(f'[name="{name}"]').click()  # noqa: E731
    numbers = lambda: root.evaluate(READ)["numbers"]  # noqa: E731
    first = numbers()
    press("draw_1")
    second = numbers()
    assert (second["n"], second["z"]) == (
        1,
        pytest.approx(explorers.Generation(n=1).samples()[1][0]),
    )
    for _ in range(7):
        press("draw_500")
    many = numbers()
    assert many["n"] == 3000  # no more than the picture holds
    assert many["misfit"] < 0.1 < 0.9 < first["misfit"]
    press("new_seed")
    other = numbers()
    assert other["seed"] == first["seed"] + 1
    assert other["misfit"] != many["misfit"]
    press("reset")
    assert numbers() == first
    press("draw_1")
    assert numbers() == second


@of_explorer(explorers.Reparameterization)
def test_draws_move_on_the_left_and_change_their_weights_on_the_right(shown):
    root = shown.root

    def dots():
        """Return places and radii of the draws in both pictures, (2, 2, n)."""
        paths = [root.locator(f".vb-points.vb-c{k}").first.get_attribute("d") for k in (1, 2)]
        found = [re.findall(r"M([\d.]+) [\d.]+m-?([\d.]+)", path) for path in paths]
        return np.transpose(np.array(found, float), (0, 2, 1))

    before = dots()
    root.locator("input[name=mean]").press("Home")
    after = dots()
    twin = explorers.Reparameterization(mean=-2.0)
    _, kept, weights = twin.draws()
    assert np.all(after[0, 0] < before[0, 0] - 20)
    assert np.ptp(after[0, 1]) == 0
    np.testing.assert_array_equal(after[1, 0], before[1, 0])
    np.testing.assert_allclose(after[1, 1], 3.5 * np.sqrt(weights), atol=0.051)
    assert np.corrcoef(kept, after[1, 0])[0, 1] > 0.999


@of_explorer(explorers.LatentSpace)
def test_click_on_the_latent_plane_decodes_there_and_finds_the_nearest_image(shown):
    root = shown.root
    plane, picture, strip, *_ = root.locator("svg.vb-picture").all()
    decoded = lambda: picture.locator("image").first.get_attribute("href")  # noqa: E731
    root.locator("select[name=start]").select_option("2")
    root.locator("select[name=end]").select_option("4")
    start, before = decoded(), strip.inner_html()
    axis = plane.locator(".vb-axes path").first.bounding_box()
    frame = plane.bounding_box()
    middle = axis["x"] + axis["width"] / 2 - frame["x"]
    bottom = axis["y"] - frame["y"]
    plane.click(position={"x": middle + axis["width"] / 7, "y": bottom - axis["width"] / 4})
    now = root.evaluate(READ)
    assert now["values"]["z1"] == pytest.approx(1, abs=0.05)
    assert now["values"]["z2"] == pytest.approx(-1.75, abs=0.05)
    assert_same(now["numbers"], explorers.LatentSpace(**now["values"]).readouts())
    assert decoded() != start
    nearest = f"the nearest test image, digit {now['numbers']['digit']:.0f}."
    assert picture.get_attribute("aria-label").endswith(nearest)
    assert strip.inner_html() != before  # the arrow went along


@of_explorer(explorers.LatentSpace)
def test_a_walk_shows_every_frame_of_the_path_and_yields_to_the_reader(shown):
    page, root = shown.page, shown.root
    walk, slider = root.locator('[name="walk"]'), root.locator('input[name="t"]')
    at = lambda: root.evaluate(READ)["values"]["t"]  # noqa: E731
    t = "document.querySelector('[data-explorer=latent-space]').vaebook.values().t"
    page.emulate_media(reduced_motion="no-preference")
    walk.click()
    page.wait_for_function(f"{t} > 0")
    first = at()
    page.wait_for_function(f"{t} > {first}")
    assert at() < 1
    slider.press("Home")
    page.wait_for_timeout(200)
    assert at() == 0
    page.emulate_media(reduced_motion="reduce")
    walk.click()
    assert at() == 1
    film = root.locator("svg.vb-picture").nth(2).locator("image")
    images = film_images(film)
    assert len(set(images)) == len(images) == 9
    root.locator('select[name="end"]').select_option("0")
    other = film_images(film)
    assert other[0] == images[0]
    assert not set(other[2:]) & set(images)


def film_images(film):
    """Return the nine images of the film as tuples; columns without ink lie between them."""
    strip = np.reshape(pixels(film), (28, -1))
    starts = [0, *range(35, 252, 31), 256]
    assert strip.shape[1] == starts[-1] + 28
    return [tuple(strip[:, start : start + 28].ravel()) for start in starts]


@of_explorer(explorers.LatentSpace)
def test_pixels_of_the_page_are_those_of_python(shown):
    root = shown.root
    root.locator("[name=example]").click()
    picture = root.locator("svg.vb-picture").nth(1)
    decoded, seen = (pixels(image) for image in picture.locator("image").all())
    twin = explorers.LatentSpace(**root.evaluate(READ)["values"])
    assert twin.sketch == "0"
    logits = latent_space.load().decoder([twin.z1, twin.z2])
    assert decoded == pytest.approx(255 / (1 + np.exp(-logits)), abs=1.01)
    assert max(decoded) > 200 > 50 > min(decoded)
    assert seen == (255 * image_of(examples()["0"])).tolist()
    root.locator("input[value=images]").check()
    plane = pixels(root.locator("svg.vb-picture").first.locator("image").first)
    assert plane == pytest.approx(manifold().ravel() / 1.8, abs=1.3)


def on_sheet(image, across, count):
    """Return the images of a sheet, with two pixels between them, in the order of their rows."""
    sheet = np.reshape(pixels(image), (-1, 30 * across - 2))
    corners = [(30 * (k // across), 30 * (k % across)) for k in range(count)]
    return [sheet[y : y + 28, x : x + 28].ravel() for y, x in corners]


def pixels(image):
    """Return the greys of a bitmap: 255 times the strength, rounded to whole numbers."""
    return image.evaluate("""async (e) => {
      const image = new Image();
      image.src = e.getAttribute("href");
      await image.decode();
      const { width, height } = image;
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      return Array.from(context.getImageData(0, 0, width, height).data)
        .filter((_, i) => i % 4 === 0);
    }""")


@of_explorer(explorers.LatentSpace)
def test_a_digit_drawn_by_the_mouse_is_encoded_where_python_encodes_it(shown):
    page, root = shown.page, shown.root
    before = root.evaluate(READ)["values"]
    sheet = root.locator(".vb-pad .vb-line")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()

    def stroke(*places):
        """Draw from place to place, in parts of the pad; the pen is down in between."""
        for k, (x, y) in enumerate(places):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
            if k == 0:
                page.mouse.down()
        page.mouse.up()

    stroke((0.3, 0.15), (0.7, 0.15), (0.45, 0.85))
    now = root.evaluate(READ)
    assert (now["values"]["sketch"], len(now["values"]["drawing"])) == ("own", 1)
    assert now["values"]["z1"] != before["z1"]
    twin = explorers.LatentSpace(drawing=now["values"]["drawing"])
    assert (twin.z1, twin.z2) == pytest.approx((now["values"]["z1"], now["values"]["z2"]))
    assert_same(now["numbers"], explorers.LatentSpace(**now["values"]).readouts())
    stroke((0.4, 0.5), (0.6, 0.5))
    assert len(root.evaluate(READ)["values"]["drawing"]) == 2
    root.locator("[name=wipe]").click()
    assert root.evaluate(READ)["values"]["drawing"] == []
    # A stroke goes on from an example: a bar makes another digit of it.
    root.locator("[name=example]").click()
    stroke((0.3, 0.5), (0.7, 0.5))
    assert root.evaluate(READ)["values"]["drawing"][:-1] == examples()["0"]


def test_a_link_brings_back_a_path_and_a_drawing(page, site):
    root = show(page, CASES[explorers.LatentSpace], site)
    root.locator("select[name=start]").select_option("7")
    root.locator("[name=example]").click()
    root.locator("input[value=images]").check()
    before = root.evaluate(READ)
    root.get_by_text("Help").click()
    root.locator("[name=link]").click()
    hash_ = page.evaluate("location.hash")
    page.goto("about:blank")
    at_link = Case(explorers.LatentSpace, CASES[explorers.LatentSpace].page + hash_)
    root = show(page, at_link, site)
    now = "document.querySelector('[data-explorer=latent-space]').vaebook.values()"
    page.wait_for_function(f"{now}.sketch === '0'")
    assert root.evaluate(READ) == before


@of_explorer(explorers.EvidenceBudget)
def test_pictures_are_those_of_the_epoch_and_none_of_another_run(shown):
    root = shown.root
    pictured = mnist_epochs.load()
    chart = root.locator("svg.vb-picture").nth(1)
    root.locator("select[name=run]").select_option(pictured.run.name)
    slider = root.locator("input[name=progress]")
    for key, kept in [("Home", 0), ("End", -1)]:
        slider.press(key)
        seen = [image for sheet in chart.locator("image").all() for image in on_sheet(sheet, 4, 8)]
        rows = pictured.originals, pictured.reconstructions[kept], pictured.samples[kept]
        np.testing.assert_array_equal(seen, np.concatenate(rows))
    words = chart.get_attribute("aria-label")
    assert words.startswith(f"After epoch {pictured.epochs[-1]}: four test images of MNIST")
    root.locator("select[name=run]").select_option("mnist-cpu-480s-seed1")
    assert "none kept" in chart.text_content()
    assert chart.locator("rect[width='0']").count() == chart.locator("image").count() == 2


@of_explorer(explorers.EvidenceBudget)
def test_every_line_of_another_training_has_a_name_that_can_be_read(shown):
    page, root = shown.page, shown.root
    for width in (1280, 360):
        resize(page, width, 800)
        kinds = evidence_budget.kinds()
        for run in [min(kinds), max(kinds)]:
            root.locator("select[name=run]").select_option(run)
            names = root.locator(".vb-names text")
            found = [kind for name, kind in kinds.items() if name != run]
            assert sorted(names.all_text_contents()) == sorted(found)
            tops = sorted(name.bounding_box()["y"] for name in names.all())
            assert np.diff(tops).min() > 12


# ---- words ----


@every_explorer
def test_a_move_is_told_in_words_and_nothing_moves_by_itself(shown):
    root = shown.root
    control = sliders(shown.case)[0]
    slider = root.locator(f'input[name="{control.name}"]')
    picture = root.locator("svg.vb-picture").first
    told, drawn = slider.get_attribute("aria-valuetext"), picture.get_attribute("aria-label")
    slider.press("PageUp")
    assert root.evaluate("e => e.getAnimations({ subtree: true }).length") == 0
    now = slider.get_attribute("aria-valuetext")
    value = root.locator(f'[data-readout="{control.name}"]').inner_text()
    assert now != told
    assert now.startswith(f"{control.words['symbol']} {value}: ".lstrip())
    assert picture.get_attribute("aria-label") != drawn
    root.locator('[name="reset"]').click()
    assert slider.get_attribute("aria-valuetext") == told


def test_the_live_region_leaves_sliders_to_their_words_and_speaks_after_a_button(page, site):
    root = show(page, CASES[explorers.Elbo], site)
    slider, status = root.locator("input[name=phi]"), root.locator('[role="status"]')
    slider.press("PageUp")
    page.wait_for_timeout(300)
    assert status.inner_text() == ""
    root.locator('[name="reset"]').click()
    expect(status).not_to_have_text("")
    assert slider.get_attribute("aria-valuetext").endswith(status.inner_text())


@every_explorer
def test_everything_has_a_name_a_size_and_a_look_of_its_own(shown):
    case, root = shown.case, shown.root
    unfold(root)
    assert_named(case, root)
    assert_large_enough(root)
    assert_told_apart_without_colour(root)


def assert_named(case, root):
    """Hold that a screen reader finds each control and picture by its words."""
    for control in sliders(case):
        # By its visible label, inside its group.
        inside = root
        if control.words["group"] not in {"", "axis"}:
            inside = root.get_by_role("group", name=control.words["group"], exact=True)
        words = f"{control.words['label']} {control.words['symbol']}".strip()
        found = inside.get_by_role("slider", name=words, exact=True)
        assert found.get_attribute("name") == control.name
    for one in root.locator("input:not([type=hidden]), select, button").all():
        assert one.get_attribute("name")
        assert one.get_attribute("data-lm-suppress-shortcuts") == "true"
    for picture in root.locator("svg.vb-picture").all():
        assert picture.get_attribute("role") == "img"
        assert len(picture.get_attribute("aria-label")) > 20
    assert "{" not in root.inner_text()
    assert "undefined" not in root.inner_text()


@every_explorer
def test_the_table_follows_while_it_is_open(shown):
    case, root = shown.case, shown.root
    assert root.locator("table").count() == 0
    summary = root.locator("details:has(.vb-table) > summary")
    summary.focus()
    summary.press("Enter")
    cells = root.locator("table").inner_text()
    assert re.search(r"\d\.\d", cells)
    assert root.locator("table caption").inner_text()
    root.locator(f'input[name="{sliders(case)[0].name}"]').press("PageUp")
    assert root.locator("table").inner_text() != cells


# ---- looks ----


def luminance(colour):
    """Return the relative luminance of a CSS colour that the browser resolved."""
    parts = [float(p) for p in re.findall(r"[\d.]+", colour)][:3]
    if not colour.startswith("color("):
        parts = [p / 255 for p in parts]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Return the contrast ratio of WCAG 2."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@every_explorer
def test_text_and_lines_stand_out_in_both_themes(shown):
    page, root = shown.page, shown.root
    unfold(root)
    root.locator("table").wait_for()
    for theme in ["light", "dark"]:
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        assert_stands_out(root, theme)


def assert_stands_out(root, theme):
    """Hold the contrast of an explorer's text, lines and tracks with its paper."""
    paper = root.locator("form").evaluate("e => getComputedStyle(e).backgroundColor")
    assert (luminance(paper) < 0.1) == (theme == "dark")
    texts = root.evaluate("""root => [...root.querySelectorAll("form *:not(option)")]
      .filter(e => [...e.childNodes].some(c => c.nodeType === 3 && c.textContent.trim()))
      .map(e => [e.textContent, getComputedStyle(e)[e.closest("svg") ? "fill" : "color"]])""")
    lines = root.evaluate("""root => [...root.querySelectorAll(".vb-line, .vb-axes path")]
      .map(e => [e.getAttribute("class"), getComputedStyle(e).stroke])""")
    track = root.locator("form").evaluate("""e => {
      const probe = document.createElement("span");
      probe.style.color = "var(--vb-line)";
      e.append(probe);
      const colour = getComputedStyle(probe).color;
      probe.remove();
      return colour;
    }""")
    assert len(texts) > 20
    assert len(lines) >= 3
    assert [text for text, colour in texts if contrast(colour, paper) < 4.5] == []
    assert [line for line, colour in lines if contrast(colour, paper) < 3] == []
    assert contrast(track, paper) >= 3


def assert_told_apart_without_colour(root):
    """Hold that two lines that differ in colour differ in something else, too."""
    for picture in root.locator("svg.vb-picture").all():
        lines = picture.evaluate("""e => [...e.querySelectorAll(".vb-line")].map(line => {
          const style = getComputedStyle(line);
          return [style.stroke, style.strokeDasharray, line.getAttribute("stroke-width")].join("|");
        })""")
        looks = {look.split("|", 1)[1] for look in lines}
        assert len(looks) == len(set(lines))


# What stands beyond the screen, over its neighbours, cut off or too small, as it is drawn.
MISFITS = """(root) => {
  const box = (e) => e.getBoundingClientRect();
  const all = (selector) => [...root.querySelectorAll(selector)];
  const cards = all("form").filter((e) => box(e).left < 0 || box(e).right > innerWidth);
  const beyond = all("form *").filter((e) => !e.closest("[clip-path]"))
    .filter((e) => box(e).width > 1 && (box(e).left < 0 || box(e).right > innerWidth));
  const outside = all(".vb-control > *").filter((e) => e.checkVisibility()
    && box(e).right > 1 + box(e.closest(".vb-control")).right);
  const cut = all("svg.vb-picture text").filter((e) => {
    const [words, picture] = [box(e), box(e.ownerSVGElement)];
    return words.width > 0
      && (words.left < picture.left - 1 || words.right > picture.right + 1);
  });
  const small = all("form, form *").filter((e) => parseFloat(getComputedStyle(e).fontSize) < 12);
  const found = { cards, beyond, outside, cut, small };
  return Object.entries(found).filter(([, list]) => list.length)
    .map(([fault, list]) => [fault, ...list.map((e) => e.outerHTML.slice(0, 80))]);
}"""

# Look for misfits as it is, and after each of the moves: [selector, what is done to an element].
FIT = f"""async (root, moves) => {{
  // The picture is drawn for its width, not shrunk to it.
  const drawn = () => [...root.querySelectorAll("svg.vb-picture")].every((picture) =>
    Math.abs(picture.viewBox.baseVal.width - picture.getBoundingClientRect().width) < 0.5);
  const found = [];
  const look = async (place) => {{
    for (let i = 0; !drawn() && i < 300; i++) await new Promise(requestAnimationFrame);
    const misfits = drawn() ? ({MISFITS})(root) : ["not drawn for its width"];
    if (misfits.length) found.push([place, ...misfits]);
  }};
  const give = async (e, value, event) => {{
    e.value = value;
    e.dispatchEvent(new Event(event));
    await look(`${{e.name}} = ${{value}}`);
  }};
  await look("as it is");
  for (const kind of moves) for (const e of root.querySelectorAll(kind)) {{
    if (kind === "select") for (const option of e.options) await give(e, option.value, "change");
    else if (kind.includes("range")) for (const end of [e.min, e.max]) await give(e, end, "input");
    else {{
      e.click();
      await look(`${{e.name}}: ${{e.value}}`);
    }}
  }}
  return found;
}}"""

# From the top of the pictures to the last main control, and the height of what stays in view.
SPAN = """root => {
  const box = (e) => e.getBoundingClientRect();
  const main = [...root.querySelectorAll("input, select, button")].filter(
    (e) => e.checkVisibility() && e.type !== "hidden" && !e.closest(".vb-tools, details"));
  const top = Math.min(...[...root.querySelectorAll("svg.vb-picture")].map((e) => box(e).top));
  return [Math.max(...main.map((e) => box(e).bottom)) - top, box(root.vaebook.picture).height];
}"""


@every_explorer
def test_fits_its_screen_at_readable_sizes_with_picture_and_main_controls_together(shown):
    page, root = shown.page, shown.root
    for width, height in [(1366, 768), (1280, 720), (768, 800), (390, 844), (360, 740)]:
        resize(page, width, height)
        assert root.evaluate(FIT, []) == [], width
        span, view = root.evaluate(SPAN)
        assert span <= 640 or width == 768
        assert view <= 0.45 * height or width > 500
    sliders, others = "input[type=range]", ["select", "input[type=radio]"]
    for width, moves in [(320, [*others, sliders]), (1280, [sliders])]:
        resize(page, width, 800)
        assert root.evaluate(FIT, moves) == [], width


def assert_large_enough(root):
    """Hold that whatever can be pressed is 24 pixels high and wide."""
    for target in root.locator("input:not([type=hidden]), button, select, summary").all():
        if not target.is_visible():
            continue  # folded away
        box = target.bounding_box()
        if target.get_attribute("type") in {"radio", "checkbox"}:
            box = target.locator("..").bounding_box()
        assert min(box["width"], box["height"]) >= 24, target.get_attribute("name")


# ---- what the kit offers and a chapter's explorer may not use ----


class Specimen(Explorer):
    """Every kind of control, mark and read-out, once."""

    name = "specimen"
    title = "Specimen"
    count = Slider(3, 1, 9, step=1, label="count")
    rung = Ladder(10, (1, 10, 1000), label="rung")
    shape = Choice("log", {"log": "logarithm", "sqrt": "square root"}, label="shape")
    data = Choice("a", {k: k.upper() for k in "abcdef"}, label="data")
    seed = Hidden(7)
    buttons = ("reseed",)
    shown = (Readout("total", "total", digits=1),)
    text = {"reseed": "New seed"}  # noqa: RUF012

    def reseed(self):
        self.seed += 1

    def compute(self):
        extra = 10 * (self.shape == "sqrt") + 100 * "abcdef".index(self.data)
        return {"total": self.count + extra + 10000 * self.seed + 1e6 * self.rung}


SPECIMEN = """
vaebook.define("specimen", (api) => {
  const chart = api.chart({ x: { domain: [0, 1] }, y: { domain: [0, 1] }, height: 150 });
  chart.heat("p").set([0, 0.5, 0.5, 1], 2, 2, [0, 1], [0, 1]);
  chart.bars("q").set([0, 0.5], [0.5, 1], [0.2, 0.7]);
  chart.words("ink").set([0.2, 0.6], [0.5, 0.5], ["3", "8"]);
  chart.area("p").set([0, 1], [1, 1], [0.5, 0.5]);
  chart.line("q").set([0, 0.25, 0.5, 0.75, 1], [0, 1, NaN, 1, 0]);
  window.specimen = { api, chart, frames: [] };
  return {
    actions: { reseed: (values) => ({ seed: values.seed + 1 }) },
    update(values) {
      const { count, rung, shape, data, seed } = values;
      const total = count + 10 * (shape === "sqrt") + 100 * "abcdef".indexOf(data)
        + 10000 * seed + 1e6 * rung;
      const table = () => ({ caption: "t", head: ["total"], rows: [[total]] });
      return { readouts: { total }, consequence: `total ${total}`, table };
    },
  };
});
"""

MOUNT = """(props) => {
  const root = document.createElement("div");
  root.dataset.explorer = "specimen";
  document.querySelector("main").prepend(root);
  const seen = (window.seen ??= []);
  window.handle = vaebook.mount(root, props, (values) => seen.push(values));
}"""

UNMOUNT = """() => {
  for (const root of document.querySelectorAll('[data-explorer="specimen"]')) {
    root.vaebook.destroy();
    root.remove();
  }
  delete window.seen;
}"""


@pytest.fixture(scope="module")
def bench(shelf, site):
    """A chapter's page on which specimens are mounted, and what makes it unclean."""
    with shelf.lent({"viewport": TALL, "reduced_motion": "reduce"}) as (page, watch):
        show(page, CASES[explorers.Mixture], site)
        yield page, watch.dirt


@pytest.fixture
def specimen(bench):
    """The specimen, mounted anew, and its twin in Python."""
    (page, dirt), twin = bench, Specimen()
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(SPECIMEN)
    page.evaluate(MOUNT, twin.props())
    yield page.locator('[data-explorer="specimen"]').first, twin
    page.evaluate(UNMOUNT)
    assert dirt == []


def test_every_kind_of_control_agrees_with_python(specimen):
    root, twin = specimen
    moves = walk(Specimen)
    for move, seen in zip(moves, root.evaluate(DRIVE, moves), strict=True):
        follow(twin, move)
        assert seen["values"] == twin.values
        assert_same(seen["numbers"], twin.readouts())
    names = {"count", "rung", "shape", "data", "reseed", "reset"}
    assert {name for name, _ in moves} >= names


def test_whole_numbers_keep_whole_with_shift(specimen):
    root, _ = specimen
    slider = root.locator('input[name="count"]')
    slider.press("Shift+ArrowRight")
    assert slider.evaluate("e => e.valueAsNumber") == 4
    assert root.locator('[data-readout="count"]').inner_text() == "4"


def test_a_ladder_goes_from_number_to_number(specimen):
    root, _ = specimen
    slider = root.locator('input[name="rung"]')
    shown = root.locator('[data-readout="rung"]')
    for key, words in [("ArrowRight", "1,000"), ("ArrowRight", "1,000"), ("ArrowDown", "10"),
                       ("Shift+ArrowLeft", "1"), ("PageUp", "1,000"), ("Home", "1")]:  # fmt: skip
        slider.press(key)
        assert shown.inner_text() == words
        assert slider.get_attribute("aria-valuetext").startswith(f"{words}: ")
    slider.evaluate("e => { e.value = 2; e.dispatchEvent(new Event('input')); }")
    assert shown.inner_text() == "1,000"


def test_an_axis_of_factors_has_ticks_at_powers_of_ten(specimen):
    root, _ = specimen
    words = root.page.evaluate("""() => {
      const x = { domain: [1, 5000], log: true }, y = { domain: [0, 1] };
      const chart = vaebook.chart.makeChart({ x, y });
      chart.line("p").set([1, 10, 100, 1000], [0, 1, 0, 1]);
      const places = chart.node.querySelector(".vb-line").getAttribute("d").match(/[\\d.]+(?= )/g);
      const texts = [...chart.node.querySelectorAll(".vb-axes text")].map((e) => e.textContent);
      return { places: places.map(Number), texts };
    }""")
    assert words["texts"][:4] == ["1", "10", "100", "1,000"]
    first, *steps = [b - a for a, b in itertools.pairwise(words["places"])]
    assert steps == pytest.approx([first, first], abs=0.2)


def test_every_mark_is_drawn(specimen):
    root, _ = specimen
    assert root.locator(".vb-line").get_attribute("d").count("M") == 2  # a gap where y is NaN
    assert root.locator(".vb-bars-mark").get_attribute("d").count("Z") == 2
    assert root.locator(".vb-area").get_attribute("d").endswith("Z")
    assert root.locator("mask image").get_attribute("href").startswith("data:image/bmp")
    assert root.locator(".vb-words text").all_text_contents() == ["3", "8"]


def test_values_from_outside_are_shown_and_not_sent_back(specimen):
    root, twin = specimen
    page = root.page
    page.evaluate("handle.show({ count: 5, shape: 'sqrt' })")
    twin.set(count=5, shape="sqrt")
    assert_same(root.evaluate(READ)["numbers"], twin.readouts())
    assert page.evaluate("seen") == []
    root.locator('input[name="count"]').press("ArrowRight")
    assert page.evaluate("seen.length") == 1


def test_two_of_a_kind_on_one_page_keep_apart(specimen):
    root, twin = specimen
    page = root.page
    page.evaluate(MOUNT, twin.props())
    both = page.locator('[data-explorer="specimen"]')
    both.nth(0).get_by_label("square root").check()
    both.nth(1).get_by_label("logarithm").check()
    assert both.nth(0).get_by_label("square root").is_checked()
    ids = page.evaluate("[...document.querySelectorAll('form [id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


ANIMATE = "() => vaebook.motion.run(1, (part) => specimen.frames.push(part))"


def test_animation_runs_and_ends(specimen):
    page = specimen[0].page
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate(ANIMATE)
    page.wait_for_function("specimen.frames.at(-1) === 1")
    assert page.evaluate("specimen.frames.length") > 3


def test_less_motion_means_one_frame(specimen):
    page = specimen[0].page
    page.evaluate(ANIMATE)
    assert page.evaluate("specimen.frames") == [1]


def test_numbers_are_written_for_people(bench):
    page, _ = bench
    written = page.evaluate(
        "[[0.1234, 3], [-2, 2], [4.2e-7, 3], [1e-14, 3], [1.5e9, 2], [-Infinity, 2]]"
        ".map(([value, digits]) => vaebook.numbers.format(value, digits))"
    )
    assert written == ["0.123", "−2.00", "4.20 × 10⁻⁷", "0.000", "1.50 × 10⁹", "−∞"]  # fmt: skip
