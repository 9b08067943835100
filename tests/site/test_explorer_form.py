"""Explorers in their second form: within reach, taken by hand, in motion, shared by a link."""

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from browser import served
from browsing import Files, card, drag, show
from playwright.sync_api import expect
from test_live_explorers import CASES, READ, assert_same, each_case, every_explorer, of_explorer

from vaebook import explorers
from vaebook.explorers import scripts
from vaebook.explorers.base import share_tables
from vaebook.explorers.controls import Ladder

ELBO, GENERATION, VAE_STEP, LATENT = (
    CASES[explorer]
    for explorer in [explorers.Elbo, explorers.Generation, explorers.VaeStep, explorers.LatentSpace]
)


def values(root):
    """Return what the explorer's handle says."""
    return root.evaluate("e => e.vaebook.values()")


def place(handle):
    """Return the middle of a handle on the screen, scrolled into view."""
    handle.locator(".vb-grip").scroll_into_view_if_needed()
    box = handle.locator(".vb-grip").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# ---- within reach ----


@every_explorer
def test_few_controls_and_numbers_are_in_view(shown):
    root = shown.root
    panel = root.locator(".vb-view, .vb-panel")
    assert panel.locator("input[type=range]").count() >= 1
    kinds = "input[type=range], fieldset:has(> label > input[type=radio]), select"
    assert panel.locator(kinds).count() <= 4
    assert panel.locator(".vb-readout").count() <= 3
    rows = {button.bounding_box()["y"] for button in panel.locator(".vb-buttons button").all()}
    assert len(rows) <= 1
    assert root.locator(".vb-note").inner_text()
    assert root.locator("details[open]").count() == 0


@each_case
def test_on_a_phone_the_picture_stays_in_view_and_hides_no_focus(case, new_page, site):
    page = new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    root = show(page, case, site)
    last = root.locator(".vb-panel button, .vb-panel input").last
    root.evaluate("e => scrollBy(0, e.getBoundingClientRect().top + 60)")
    view = root.locator(".vb-view").bounding_box()
    assert 40 <= view["y"] <= 64
    # Backwards with Shift + Tab: what has the focus is under the picture's lower edge.
    last.focus()
    for _ in range(root.locator(".vb-panel").locator("button, input[type=range]").count() - 1):
        page.keyboard.press("Shift+Tab")
        inside, top = page.evaluate(
            "[document.activeElement.closest('.vb-panel') !== null,"
            " document.activeElement.getBoundingClientRect().top]"
        )
        edge = root.locator(".vb-view").bounding_box()
        assert not inside or top >= edge["y"] + edge["height"] - 1


# ---- by hand ----


@every_explorer
def test_handles_are_taken_by_mouse_and_by_keys(shown):
    page, root, cls = shown.page, shown.root, shown.case.explorer
    assert root.locator("[data-handle]").count() >= 1
    for handle in root.locator("[data-handle]").all():
        names = handle.get_attribute("data-handle").split()
        target = handle.locator(".vb-target").bounding_box()
        assert min(target["width"], target["height"]) >= 24
        assert root.locator(f'input[name="{names[0]}"]').count() == 1, "nothing is drag-only"
        before = values(root)
        x, y = place(handle)
        drag(page, (x, y), (x - 30, y - 10), 4)
        after = values(root)
        changed = {name for name in before if before[name] != after[name]}
        assert changed >= set(names)  # where z is led along, t follows
        # It went where the hand went, sideways or upwards, or to its end; the numbers are Python's.
        now = place(handle)
        at_end = after[names[0]] == getattr(cls, names[0]).low
        assert at_end or min(abs(now[0] - (x - 30)), abs(now[1] - (y - 10))) < 4
        assert_same(root.evaluate(READ)["numbers"], cls(**after).readouts())
        for name, keys in zip(names, [("ArrowRight", "End"), ("ArrowUp",)], strict=False):
            spec = getattr(cls, name)
            for key in keys:
                handle.press(key)
            end = spec.high if len(keys) > 1 else after[name] + spec.step
            assert values(root)[name] == pytest.approx(end)
        assert handle.get_attribute("role") == "slider"
        value, spec = values(root)[names[0]], getattr(cls, names[0])
        now = spec.values.index(value) if isinstance(spec, Ladder) else value
        assert float(handle.get_attribute("aria-valuenow")) == now
        root.locator("[name=reset]").click()


@of_explorer(explorers.Jensen)
def test_each_view_has_its_own_handles(shown):
    page, root = shown.page, shown.root
    handles = root.locator("[data-handle]")
    names = lambda: {one.get_attribute("data-handle") for one in handles.all()}  # noqa: E731
    of_points = names()
    assert of_points == explorers.Jensen.views["points"]
    root.locator("input[name=spread]").press("PageUp")
    assert values(root)["view"] == "density"
    assert names() == {"mean", "spread"}
    for name in ["mean", "spread"]:
        before = values(root)[name]
        x, y = place(root.locator(f"[data-handle={name}]"))
        drag(page, (x, y), (x - 12, y), 3)
        assert values(root)[name] != before
        assert abs(place(root.locator(f"[data-handle={name}]"))[0] - (x - 12)) < 4
    assert_same(root.evaluate(READ)["numbers"], explorers.Jensen(**values(root)).readouts())
    root.get_by_label("points").check()
    assert names() == of_points


#: Where a page that was thrown further than 100 pixels comes to rest.
SCROLLED_TO_REST = """(top) => new Promise((done) => {
  let last = scrollY, still = 0;
  const look = () => {
    still = scrollY === last && scrollY > top + 100 ? still + 1 : 0;
    last = scrollY;
    if (still > 10) done(last);
    else requestAnimationFrame(look);
  };
  look();
})"""


def swipe(page, x, y, across, up):
    """Move a finger over the page as a person does."""
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    for part in range(1, 11):
        touch("touchMove", {"x": x + across * part / 10, "y": y - up * part / 10})
        page.wait_for_timeout(16)
    touch("touchEnd")


@each_case
def test_a_swipe_scrolls_the_page_and_a_finger_on_a_handle_moves_it(case, new_page, site):
    page = new_page(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True,
        reduced_motion="reduce",
    )  # fmt: skip
    root = show(page, case, site)
    handle = root.locator("[data-handle]").first
    x, y = place(handle)
    before, top = values(root), page.evaluate("scrollY")
    picture = root.locator("svg.vb-picture").first.bounding_box()
    swipe(page, picture["x"] + 80, picture["y"] + picture["height"] - 15, 0, 200)
    top = page.evaluate(SCROLLED_TO_REST, top)
    assert values(root) == before

    x, y = place(handle)
    swipe(page, x, y, -60, 60)
    name = handle.get_attribute("data-handle").split()[0]
    assert values(root)[name] != before[name]
    assert page.evaluate("scrollY") == top
    # The mark that says so is no longer needed.
    assert not root.locator(".vb-cue").first.is_visible()


def test_a_finger_draws_on_the_pad_and_moves_no_page(new_page, site):
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    root = show(page, LATENT, site)
    sheet = root.locator(".vb-pad .vb-line")
    sheet.scroll_into_view_if_needed()
    box, top = sheet.bounding_box(), page.evaluate("scrollY")
    view = root.locator(".vb-view").bounding_box()
    assert box["width"] > 150
    assert box["y"] > view["y"] + view["height"] > 0, "one sees the plane while drawing"
    swipe(page, box["x"] + 60, box["y"] + box["height"] - 30, 70, 120)
    now = values(root)
    assert now["sketch"] == "own"
    assert len(now["drawing"][0]) > 5
    assert page.evaluate("scrollY") == top


# ---- in motion, and back ----

FRAMES = """(root, name) => new Promise((done) => {
  const seen = [], start = performance.now();
  root.querySelector(`button[name="${name}"]`).click();
  const look = (now) => { // by the clock of the motion, which a busy machine holds up
    const numbers = [...root.querySelectorAll("[data-readout]")]
      .map((e) => [e.dataset.readout, Number(e.dataset.number)]);
    seen.push(Object.fromEntries(numbers));
    if (now - start < 800) requestAnimationFrame(look);
    else done(seen);
  };
  requestAnimationFrame(look);
})"""


# Where the decoded sample is drawn, frame by frame.
PLACES = """root => new Promise((done) => {
  const seen = [], start = performance.now();
  root.querySelector("button[name=new_epsilon]").click();
  const look = (now) => {
    seen.push(root.querySelectorAll(".vb-points.vb-q")[1].getAttribute("d"));
    if (now - start < 800) requestAnimationFrame(look);
    else done(seen);
  };
  requestAnimationFrame(look);
})"""


def test_an_e_step_lifts_and_an_m_step_walks(new_page, site):
    page = new_page(viewport={"width": 1280, "height": 800})
    root = show(page, ELBO, site)
    twin = explorers.Elbo()
    for step, moving in [("e_step", "mean"), ("m_step", "phi")]:
        frames = root.evaluate(FRAMES, step)
        getattr(twin, step)()
        path = [frame[moving] for frame in frames]
        assert len(set(path)) > 3
        assert path == sorted(path)
        assert [f["elbo"] for f in frames] == sorted(f["elbo"] for f in frames), "no step goes down"
        assert_same(frames[-1], twin.readouts())
    page.emulate_media(reduced_motion="reduce")
    frames = root.evaluate(FRAMES, "reset")
    assert len({frame["phi"] for frame in frames}) == 1


@of_explorer(explorers.Posterior)
@pytest.mark.parametrize("direction", ["reverse", "forward"])
def test_a_walk_takes_the_way_of_the_search_and_stays_below_its_start(shown, direction):
    root = shown.root
    shown.page.emulate_media(reduced_motion="no-preference")
    start = {"x": 2.0, "mean": 0.3, "std": 0.27, "direction": direction}  # the straight way rises
    root.evaluate("(e, start) => e.vaebook.set(start)", start)
    frames = root.evaluate(FRAMES, "climb")
    height = [frame[direction] for frame in frames]
    assert len(set(height)) > 2
    assert max(height) <= height[0] + 1e-9
    twin = explorers.Posterior(**start)
    twin.climb()
    assert_same(frames[-1], twin.readouts())


def test_a_draw_goes_along_the_curve_then_off_it_and_is_counted_at_the_end(new_page, site):
    page = new_page(viewport={"width": 1280, "height": 800})
    root = show(page, GENERATION, site)
    twin = explorers.Generation()
    frames = root.evaluate(FRAMES, "draw_1")
    twin.draw_1()
    assert_same(frames[-1], twin.readouts())
    on_the_way = [frame for frame in frames if frame["n"] == 0]
    assert len({frame["z"] for frame in on_the_way}) > 1

    def off(frame):
        return np.hypot(frame["x1"] - frame["centre_1"], frame["x2"] - frame["centre_2"])

    # x rides on the curve until z is there, then leaves it as far as the noise takes it.
    assert all(off(frame) < 1e-9 for frame in on_the_way if frame["z"] != twin.z)
    path = [off(frame) for frame in on_the_way if frame["z"] == twin.z]
    assert path == sorted(path)
    assert all(part <= off(frames[-1]) + 1e-9 for part in path)


def test_a_jump_shows_nothing_between_two_recorded_runs(new_page, site):
    page = new_page(viewport={"width": 1280, "height": 800})
    root = show(page, CASES[explorers.Rate], site)
    far = {"beta": 8.0, "dimension": 4}
    root.evaluate("(e, far) => e.vaebook.set(far)", far)
    frames = root.evaluate(FRAMES, "reset")
    ends = [explorers.Rate(**where).readouts() for where in [far, {}]]
    for frame in frames:
        assert any(frame["walked"] == pytest.approx(end["walked"]) for end in ends)
    assert_same(frames[-1], ends[1])


@of_explorer(explorers.Elbo)
def test_steps_too_short_to_be_seen_stand_in_a_close_up(shown):
    root = shown.root
    lens = root.locator(".vb-lens")
    assert not lens.is_visible()
    for _ in range(4):
        root.locator("[name=e_step]").click()
        root.locator("[name=m_step]").click()
    assert lens.is_visible()
    stops = lens.locator(".vb-points.vb-ink").get_attribute("d").count("M")
    assert stops == len(values(root)["trail"]) == 8
    root.locator("[name=reset]").click()
    assert not lens.is_visible()


@of_explorer(explorers.Failures)
def test_a_patient_is_blind_until_revealed_and_the_next_one_is_blind_again(shown):
    root = shown.root
    note, suspect = root.locator(".vb-note"), root.locator("select[name=suspect]")
    chart = root.locator("svg.vb-picture").first
    assert "test bound" not in chart.text_content()
    suspect.select_option("mean")
    root.locator("[name=reveal]").click()
    expect(note).to_contain_text("Right. The mean is decoded")
    assert "test bound" in chart.text_content()
    suspect.select_option("sign")
    expect(note).to_contain_text("Not that one.")
    root.locator("[name=next_patient]").click()
    expect(note).to_contain_text("choose a suspect")
    assert "test bound" not in chart.text_content()
    now = values(root)
    assert (now["patient"], now["suspect"], now["revealed"]) == ("B", "none", 0)


def test_a_slider_plays_through_its_range_until_pressed_or_moved(new_page, site):
    page = new_page(viewport={"width": 1280, "height": 800})
    root = show(page, VAE_STEP, site)
    button = root.locator("[name=play_epoch]")
    assert button.get_attribute("aria-label") == "Play: epoch"
    button.click()  # from the end: from the start
    page.wait_for_function("document.querySelector('[data-explorer]').vaebook.values().epoch > 30")
    assert button.get_attribute("aria-label") == "Pause: epoch"
    button.click()
    paused = values(root)["epoch"]
    page.wait_for_timeout(200)
    assert 30 < values(root)["epoch"] == paused < 400
    assert_same(root.evaluate(READ)["numbers"], explorers.VaeStep(**values(root)).readouts())
    button.click()
    page.wait_for_timeout(200)
    root.locator("input[name=epoch]").press("Home")
    page.wait_for_timeout(200)
    assert values(root)["epoch"] == 0
    assert button.get_attribute("aria-label") == "Play: epoch"
    for before in (None, paused, 400):  # the key; each run is one step
        root.locator("[name=undo]").click()
        assert before is None or values(root)["epoch"] == before
    page.emulate_media(reduced_motion="reduce")
    root.locator("input[name=epoch]").press("Home")
    button.click()
    assert values(root)["epoch"] == 400


def test_a_sample_travels_from_x_by_q_to_the_curve(new_page, site):
    page = new_page(viewport={"width": 1280, "height": 800})
    root = show(page, VAE_STEP, site)
    places = root.evaluate(PLACES)
    assert len(set(places)) > 2
    twin = explorers.VaeStep()
    twin.new_epsilon()
    assert_same(root.evaluate(READ)["numbers"], twin.readouts())
    # It begins at x and ends where the draw without motion is.
    marks = "e => e.querySelectorAll('.vb-points.vb-q')[1].getAttribute('d')"
    assert places[-1] == root.evaluate(marks)
    page.emulate_media(reduced_motion="reduce")
    root.locator("[name=undo]").click()
    root.locator("[name=new_epsilon]").click()
    assert root.evaluate(marks) == places[-1]


@each_case
def test_undo_takes_back_move_after_move(case, page, site):
    root = show(page, case, site)
    undo, reset = root.locator("[name=undo]"), root.locator("[name=reset]")
    slider = root.locator(".vb-panel input[type=range]").first
    assert undo.is_disabled()
    states = [values(root)]
    slider.press("PageUp")
    slider.press("PageUp")  # at once after the first: one move
    states.append(values(root))
    for button in root.locator(".vb-panel button").all():
        button.click()
        states.append(values(root))
    reset.click()
    assert values(root) == states[0]
    for state in reversed(states):
        root.press("Control+z") if state is states[1] else undo.click()
        assert values(root) == state
    assert undo.is_disabled()


# ---- shared ----

TWO = explorers.Elbo(mean=1.0, controls=["phi", "m_step"])


def add_to_card(page, case, html):
    """Let the card of a case have one explorer more, at its end."""

    def body(route):
        text = route.fetch().text().replace("</article>", html + "</article>")
        route.fulfill(body=share_tables(text))

    page.route(f"**/{case.page}", body)


@pytest.fixture
def two(page, site):
    """The page of ``elbo`` with a second, small instance; a function that opens it."""

    def open_page(hash_=""):
        add_to_card(page, ELBO, TWO.to_html())
        page.goto("about:blank")
        show(page, type(ELBO)(ELBO.explorer, ELBO.page + hash_), site)
        roots = page.locator("[data-explorer=elbo]")
        roots.last.locator("form").wait_for()
        return roots.first, roots.last

    return open_page


def test_a_small_instance_shows_only_what_it_is_asked_for(two, page):
    _, small = two()
    names = [
        control.get_attribute("name")
        for control in small.locator("input:not([type=hidden]), button").all()
        if control.is_visible() and not control.evaluate("e => e.closest('.vb-tools')")
    ]
    assert names == ["phi", "m_step"]
    handles = small.locator("[data-handle]")
    assert handles.evaluate_all("all => all.map((e) => e.dataset.handle)") == ["phi"]
    assert page.locator("script[data-common]").count() == 1
    small.locator("[name=m_step]").click()
    twin = explorers.Elbo(mean=1.0)
    twin.m_step()
    assert values(small)["phi"] == pytest.approx(twin.phi, abs=1e-9)
    assert small.locator("svg.vb-picture").first.bounding_box()["height"] < 200


class Slow(Files):
    """Files over a slow line: of a page's second explorer half the tables come first."""

    def do_GET(self):
        if not self.path.startswith(f"/cards/{LATENT.page}"):
            return super().do_GET()
        page = card(Path(self.directory, LATENT.page))
        half = page.index(b"data-common=", page.index(b"data-common=") + 1) + 500
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        for part in page[:half], page[half:]:
            self.wfile.write(part)
            self.wfile.flush()
            time.sleep(0.5)


def test_an_explorer_starts_while_the_tables_of_the_next_are_on_their_way(page, built):
    with served(built, Slow) as site:
        page.goto(f"{site}cards/{LATENT.page}", wait_until="commit")
        started = "() => document.querySelectorAll('[data-mounted]').length"
        page.wait_for_function(f"({started})() === 1")
        page.wait_for_load_state()
        assert page.evaluate(started) == page.locator("[data-explorer]").count() > 2
        page.goto("about:blank")


def test_a_small_latent_plane_has_no_pad_and_no_word_of_one(page, site):
    small = explorers.LatentSpace(start="4", end="3", controls=["t", "end"])
    add_to_card(page, LATENT, small.to_html())
    whole = show(page, LATENT, site)
    root = page.locator("[data-explorer=latent-space]").last
    assert (whole.locator(".vb-pad").count(), root.locator(".vb-pad").count()) == (1, 0)
    assert "pad" not in root.locator(".vb-note").inner_text()
    root.locator("select[name=end]").select_option("0")
    root.locator("input[name=t]").press("End")
    decoded = explorers.LatentSpace(**values(root)).readouts()
    assert root.evaluate(READ)["numbers"]["ink"] == pytest.approx(decoded["ink"], abs=1e-9)


def test_a_link_brings_back_the_state_of_each_instance(two, page):
    first, second = two()
    first.locator("[name=std]").press("PageUp")
    first.locator("[name=e_step]").click()
    second.locator("[name=phi]").press("End")
    states = [values(first), values(second)]
    hashes = []
    for root in (first, second):
        root.get_by_text("Help").click()
        root.locator("[name=link]").click()
        hashes.append(page.evaluate("location.hash"))
        expect(root.locator(".vb-live")).to_have_text("Copied.")
    assert hashes[0].startswith("#elbo:")
    assert re.fullmatch(r"#elbo-\d+:phi=3", hashes[1])
    for number, hash_ in enumerate(hashes):
        roots = two(hash_)
        assert values(roots[number]) == states[number]
        assert values(roots[1 - number]) != states[1 - number]
        assert roots[number].locator(".vb-title").is_visible()
    # A link that is opened later does not keep what was moved before.
    roots[0].locator("[name=mean]").press("End")
    page.evaluate("location.hash = '#elbo:phi=-1.5'")
    phi = "document.querySelector('[data-explorer]').vaebook.values().phi"
    page.wait_for_function(f"{phi} === -1.5")
    assert values(roots[0])["mean"] == explorers.Elbo().mean
    roots[0].locator("[name=undo]").click()
    assert values(roots[0])["mean"] == explorers.Elbo.mean.high
    for anything in ["#100%", "#elbo:mean=%2"]:
        assert two(anything)[0].get_attribute("data-mounted") == ""


def test_a_motion_is_told_at_its_end(new_page, site):
    page = new_page()
    root = show(page, ELBO, site)
    page.evaluate(
        "() => { window.told = []; new MutationObserver(() => told.push("
        "document.querySelector('.vb-live').textContent)).observe("
        "document.querySelector('.vb-live'), { childList: true }); }"
    )
    root.locator("[name=e_step]").click()
    expect(root.locator(".vb-live")).to_have_text(re.compile("touches"))
    page.wait_for_timeout(300)
    assert len(page.evaluate("told")) == 1


def test_a_small_instance_moves_by_a_click_only_what_it_has_controls_for(page, site):
    small = explorers.Elbo(controls=["mean", "std", "e_step"])
    add_to_card(page, ELBO, small.to_html())
    whole = show(page, ELBO, site)
    root = page.locator("[data-explorer=elbo]").last
    for one, moved in [(whole, True), (root, False)]:
        before = values(one)
        one.locator("svg.vb-picture").first.click(position={"x": 120, "y": 60})
        assert (values(one) != before) == moved


def test_the_vertical_axis_has_the_name_of_its_function(page, site):
    root = show(page, CASES[explorers.Jensen], site)
    label = root.locator(".vb-axis-label").last
    expect(label).to_contain_text("log")
    root.evaluate("e => e.vaebook.set({ function: 'sqrt' })")
    expect(label).not_to_contain_text("log")


def test_the_copied_python_makes_the_same_explorer(new_page, site):
    page = new_page(permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce")
    root = show(page, ELBO, site)
    root.get_by_label("nonlinear").check()
    for name in ["gradient_step", "e_step"]:
        root.locator(f"[name={name}]").click()
    # What the button has to say, a moment later, does not wipe out what the copy says.
    press = "name => e.querySelector(`[name=${name}]`).click()"
    root.evaluate(f"e => ['m_step', 'python'].forEach({press})")
    page.wait_for_timeout(300)
    expect(root.locator(".vb-live")).to_have_text("Copied.")
    code = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert code[0] == "from vaebook import explorers"
    assert len(code) == 2
    twin = eval(code[1], {"explorers": explorers})
    assert twin.values == values(root)
    assert_same(root.evaluate(READ)["numbers"], twin.readouts())


def test_a_move_from_outside_is_set_said_and_taken_back(page, site):
    root = show(page, ELBO, site)
    start = values(root)
    root.evaluate("e => e.vaebook.set({ mean: 0.85, std: 0.89 }, { animate: true })")
    assert (values(root)["mean"], values(root)["std"]) == (0.85, 0.89)
    page.wait_for_function("document.querySelector('.vb-live').textContent.includes('ELBO')")
    root.locator("[name=undo]").click()
    assert values(root) == start
    for bad in ["{ nobody: 1 }", "{ std: 9 }", "{ model: 'bent' }"]:
        refused = f"e => e.vaebook.set({bad}).then(() => '', (error) => error.message)"
        assert root.evaluate(refused)
    assert values(root) == start


# ---- anywhere ----


def test_ids_are_unique_whatever_module_they_come_from(page, site):
    """Two cells of one notebook hold a module each."""
    show(page, ELBO, site)
    ids = page.evaluate(
        """([code, props]) => {
          for (let i = 0; i < 2; i++) {
            const kit = new Function(`${code} return vaebook;`)();
            const root = document.querySelector("main").appendChild(document.createElement("div"));
            kit.mount(root, props);
          }
          return [...document.querySelectorAll("form [id]")].map((e) => e.id);
        }""",
        [scripts.kit() + scripts.explorer("elbo"), explorers.Elbo().props()],
    )
    assert len(ids) > 10
    assert len(set(ids)) == len(ids)


def test_a_page_may_call_its_language_as_it_likes(page, site):
    page.route(
        f"**/{ELBO.page}",
        lambda route: route.fulfill(body=route.fetch().text().replace('lang="en"', 'lang="en_US"')),
    )
    root = show(page, ELBO, site)
    assert page.evaluate("document.documentElement.lang") == "en_US"
    assert root.locator("[data-readout=gap]").inner_text() == "0.502"


def test_on_a_full_screen_words_and_handles_grow(page, site):
    root = show(page, ELBO, site)
    page.set_viewport_size({"width": 1600, "height": 1000})
    sizes = """root => [parseFloat(getComputedStyle(root.querySelector("form")).fontSize),
      root.querySelector(".vb-axes text").getBoundingClientRect().height,
      root.querySelector(".vb-grip").getBoundingClientRect().width]"""
    before = root.evaluate(sizes)
    root.locator("[name=full]").click()
    page.wait_for_function("document.fullscreenElement !== null")
    page.wait_for_timeout(200)
    after = root.evaluate(sizes)
    assert all(now > 1.3 * then for now, then in zip(after, before, strict=True))
    # A hand goes as far as the handle.
    handle = root.locator("[data-handle=phi]")
    x, y = place(handle)
    drag(page, (x, y), (x + 100, y), 3)
    assert abs(place(handle)[0] - x - 100) < 6
    root.locator("[name=full]").click()
    page.wait_for_function("document.fullscreenElement === null")
    assert json.dumps(root.evaluate(sizes)) == json.dumps(before)
