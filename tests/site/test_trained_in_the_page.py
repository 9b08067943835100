"""The playground in a browser: the same bits, drawn points, and a training that runs."""

import json

import numpy as np
import pytest
from browsing import drag, show
from test_explorer_form import place, swipe, values
from test_live_explorers import CASES, READ, assert_same, of_explorer

from vaebook import explorers
from vaebook.explorers.shapes import presets, scaled
from vaebook.explorers.tiny_vae import Training, rate_at

PLAYGROUND = CASES[explorers.Playground]
UPDATES = "document.querySelector('[data-explorer=playground]').vaebook.values().updates"


def middle(root):
    """Return the middle of the plane on the screen."""
    picture = root.locator("svg.vb-picture").first
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@of_explorer(explorers.Playground)
def test_a_run_has_the_same_bits_in_the_browser_and_in_python(shown):
    data, _, _ = scaled(presets()["moons"])
    seen = shown.page.evaluate(
        """(points) => {
          const { newTraining, trainOnce, rateAt } = vaebook.forms;
          const run = newTraining(7), seen = [];
          for (let k = 0; k < 300; k++) {
            const how = { seed: 7, beta: 1.3, std: 0.25, rate: rateAt(k) };
            trainOnce(run, Float64Array.from(points), how);
            if (k === 0 || k === 299) seen.push(Array.from(run.p));
          }
          return [...seen, [0, 1, 1500, 2999, 3000].map(rateAt)];
        }""",
        data.ravel().tolist(),
    )
    one = Training.start(7).train(data, 1, seed=7, beta=1.3, std=0.25)
    many = one.train(data, 299, seed=7, beta=1.3, std=0.25, since=1)
    assert np.array_equal(seen[0], one.numbers)
    assert np.array_equal(seen[1], many.numbers)
    assert seen[2] == rate_at(np.array([0, 1, 1500, 2999, 3000])).tolist()


@of_explorer(explorers.Playground)
def test_points_are_drawn_by_mouse_added_to_by_keys_and_thinned(shown):
    page, root = shown.page, shown.root
    x, y = middle(root)
    root.locator("[name=one_update]").click()
    drag(page, (x - 60, y + 40), (x + 40, y + 40), 5)
    first = values(root)
    assert first["shape"] == "own"
    assert (first["updates"], first["past"]) == (0, [])  # other points, another training
    assert len(first["drawn"]) > 8
    assert np.ptp([at[1] for at in first["drawn"]]) < 0.05
    root.locator("[name=one_update]").click()
    drag(page, (x - 60, y - 40), (x + 40, y - 40), 5)
    added = values(root)
    assert added["drawn"][: len(first["drawn"])] == first["drawn"]
    assert added["past"] == [[1, 0.2, 1, len(first["drawn"])]]
    # Without a pointer: the point x goes where the arrows say, and a button adds it.
    root.locator("[data-handle='x1 x2']").press("ArrowUp")
    root.locator("[name=add_point]").press("Enter")
    now = values(root)
    assert now["drawn"][-1] == [now["x1"], now["x2"]] == [1.2, 0.9]
    assert_same(root.evaluate(READ)["numbers"], explorers.Playground(**now).readouts())
    many = json.dumps([[k / 200, (k % 7) / 10] for k in range(301)])
    root.evaluate(f"e => e.vaebook.set({{ drawn: {many} }})")
    assert len(values(root)["drawn"]) == 151
    assert "every second" in root.locator("svg.vb-picture").first.text_content()
    # A click on a ready-made shape moves x and draws nothing.
    root.locator("select[name=shape]").select_option("s")
    page.mouse.click(x - 40, y)
    assert values(root)["drawn"] == []
    assert values(root)["x1"] < 0


def test_a_finger_draws_once_it_is_asked_to(new_page, site):
    page = new_page(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True,
        reduced_motion="reduce",
    )  # fmt: skip
    root = show(page, PLAYGROUND, site)
    place(root.locator("[data-handle]").first)
    root.locator("[name=sketch]").tap()
    x, y = middle(root)
    top = page.evaluate("scrollY")
    swipe(page, x - 30, y, 60, -30)
    drawn = values(root)
    assert len(drawn["drawn"]) > 8
    assert drawn["blank"] == 0
    assert page.evaluate("scrollY") == top
    page.touchscreen.tap(x, y - 30)
    assert len(values(root)["drawn"]) == len(drawn["drawn"]) + 1


def test_a_training_runs_on_while_the_reader_interferes(new_page, site):
    page = new_page(viewport={"width": 1280, "height": 800})
    root = show(page, PLAYGROUND, site)
    play = root.locator("[name=play_updates]")
    play.click()
    page.wait_for_function(f"{UPDATES} > 20")
    root.locator("input[name=beta]").press("ArrowRight")
    ((beta, std, n, count),) = values(root)["past"]
    assert (beta, std, count) == (1, 0.2, 200)
    page.wait_for_function(f"{UPDATES} > 20")
    assert play.get_attribute("aria-label") == "Pause: updates"
    play.click()
    now = values(root)
    assert now["past"] == [[1, 0.2, n, 200]]
    assert now["beta"] == pytest.approx(1.1)
    assert_same(root.evaluate(READ)["numbers"], explorers.Playground(**now).readouts())
    root.locator("[name=undo]").click()
    assert values(root)["beta"] == 1
    for _ in range(3):  # what its frames leave out is there as soon as the training rests
        start = values(root)["updates"]
        play.click()
        page.wait_for_function(f"{UPDATES} > {start + 20}")
        play.click()
        now = values(root)
        assert_same(root.evaluate(READ)["numbers"], explorers.Playground(**now).readouts())


def test_a_slider_pulled_far_is_followed_while_the_page_stays_alive(new_page, site):
    page = new_page(viewport={"width": 1280, "height": 800})
    root = show(page, PLAYGROUND, site)
    pull = """(slider, places) => places.map((value) => {
      slider.value = value;
      slider.dispatchEvent(new Event("input"));
      return document.querySelector("[data-explorer=playground]").vaebook.values().updates;
    })"""
    slider = root.locator("input[name=updates]")
    for places, before in [([1000, 1500], 0), ([730], 1500)]:  # ahead, and back
        assert slider.evaluate(pull, places) == [before] * len(places)
        page.wait_for_function(f"{UPDATES} === {places[-1]}")
        assert_same(root.evaluate(READ)["numbers"], explorers.Playground(**values(root)).readouts())
    for before in (1500, 0):
        root.locator("[name=undo]").click()
        assert values(root)["updates"] == before
