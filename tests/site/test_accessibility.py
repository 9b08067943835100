"""No page keeps anybody out: what opens over a page, a tour by keyboard, and no JavaScript at all.

``test_pages`` looks at every page by itself.
"""

import pytest
from barriers import faults
from browsing import open_page, show
from build_book import SITE
from test_live_explorers import each_case
from test_pages import BUSY, of_pages, slow_but_for

CHAPTER = "chapters/jensens-inequality.html"
#: What opens over a page, by what, in a window of which width.
OVER = {
    "search": (1280, ".search-button__button:visible", "dialog#pst-search-dialog[open]"),
    "equation": (1280, 'article a.internal[href*="#equation-"]', ".vb-preview"),
    "contents": (320, ".primary-toggle", "dialog#pst-primary-sidebar-modal[open]"),
    "sections": (320, ".secondary-toggle", "dialog#pst-secondary-sidebar-modal[open]"),
    "figure": (320, ".vb-enlarge", "dialog.vb-large[open]"),
}


@of_pages([CHAPTER])
@pytest.mark.parametrize("what", OVER)
def test_what_opens_over_a_page_has_no_barrier(opened, what):
    width, opener, over = OVER[what]
    opened.fit(width, 900)
    page = opened.page
    page.locator(opener).first.focus()
    if what != "equation":
        page.keyboard.press("Enter")
    page.locator(over).wait_for()
    for theme in ["light", "dark"]:
        opened.fit(width, 900, theme)
        assert faults(page, within=over) == []
    page.keyboard.press("Escape")
    page.locator(over).wait_for(state="hidden")


def test_axe_sees_what_is_wrong(page, site):
    # The proof that an empty list means something.
    open_page(page, f"{site}appendix/about.html")
    page.evaluate("""() => document.querySelector("article").insertAdjacentHTML("beforeend",
      "<img src='data:,'><p style='color: #bbb; background: #fff'>pale</p><input><h6>deep</h6>")""")
    rules = {fault.partition(":")[0] for fault in faults(page, all_texts=False)}
    assert rules >= {"image-alt", "color-contrast", "label", "heading-order"}


# ---- the keyboard alone ----

# The stops of the Tab key with all folds open, as the source has them: a group of radio buttons is
# one, and handles on the picture are stops as well.
STOPS = """root => {
  for (const fold of root.querySelectorAll("details")) fold.open = true;
  const stops = "input:not([type=hidden]), select, button, summary, [tabindex='0']";
  return [...root.querySelectorAll(stops)]
    .filter((one) => (one.type !== "radio" || one.checked) && !one.disabled)
    .filter((one) => one.getClientRects().length)
    .map((one) => `${one.localName} ${one.name ?? ""}`);
}"""
FENCE = """root => {
  const gate = (id) => Object.assign(document.createElement("button"), { id, textContent: id });
  root.before(gate("before"));
  root.after(gate("after"));
  document.getElementById("before").focus();
}"""
STANDS_ON = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const box = one.getBoundingClientRect(), ring = one.querySelector(".vb-target");
  return {
    id: one.id, name: `${one.localName} ${one.name ?? ""}`, type: one.type,
    marked: ring
      ? parseFloat(getComputedStyle(ring).strokeWidth) >= 2
      : style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.bottom > 0 && box.top < innerHeight,
    state: String(ring ? one.getAttribute("aria-valuenow") : one.value),
  };
}"""


@each_case
def test_tour_by_keyboard(case, page, site):
    """Tab through an explorer, act on each of its controls, and come out at its end."""
    page.emulate_media(reduced_motion="reduce")
    root = show(page, case, site)
    expected = root.evaluate(STOPS)
    root.evaluate(FENCE)
    visited = []
    for _ in range(len(expected) + 2):
        page.keyboard.press("Tab")
        stop = page.evaluate(STANDS_ON)
        if stop["id"] == "after":
            break
        assert stop["marked"], f"the focus does not show on {stop['name']}"
        assert stop["seen"], f"the focus is out of sight on {stop['name']}"
        visited.append(stop["name"])
        if stop["type"] in {"range", "radio", "select-one"} or stop["name"] == "g ":
            page.keyboard.press("ArrowRight")
            if page.evaluate(STANDS_ON)["state"] == stop["state"]:  # it stood at its end
                page.keyboard.press("ArrowLeft")
            assert page.evaluate(STANDS_ON)["state"] != stop["state"], stop["name"]
        elif stop["name"].startswith("button") and stop["name"] != "button full":
            page.keyboard.press("Enter")
            assert page.evaluate(STANDS_ON)["name"] == stop["name"], "the focus was lost"
    assert stop["id"] == "after"
    assert visited == expected
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(STANDS_ON)["name"] == expected[-1]


@pytest.mark.parametrize("width", [1280, 320])
def test_first_stop_leads_past_the_navigation(new_page, site, width):
    page = new_page(viewport={"width": width, "height": 900})
    page.goto(f"{site}cards/{CHAPTER}")
    page.keyboard.press("Tab")
    skip = page.locator("#pst-skip-link a")
    assert skip.evaluate("e => e === document.activeElement")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


# ---- no JavaScript ----


@slow_but_for(["index.html", *BUSY])
def test_page_reads_without_javascript(new_page, built, name):
    page = new_page(java_script_enabled=False, viewport={"width": 320, "height": 900})
    page.goto((built / name).as_uri())
    article = page.locator("article")
    hidden = article.locator("p, li, h1, h2, h3, th, td, .vb-figure, .math").evaluate_all("""all =>
      all.filter((one) => one.textContent.trim())
        .filter((one) => !one.closest("details") && !one.checkVisibility())
        .map((one) => one.outerHTML.slice(0, 120))""")
    assert hidden == []
    folded = article.locator("details")
    if folded.count() and folded.first.get_attribute("open") is None:
        folded.first.locator("summary").first.click()
        assert folded.first.get_attribute("open") is not None
    formulas = article.locator(".math").all_text_contents()
    assert all("\\" in formula for formula in formulas)
    explorers = article.locator("[data-explorer]").all()
    assert len(explorers) == (SITE / name).read_text("utf-8").count("data-explorer=")
    for root in explorers:
        picture = root.locator(".vb-still").get_by_role("img")
        assert len(picture.get_attribute("aria-label")) > 80
        assert 200 < picture.bounding_box()["width"] <= 320
        assert root.get_by_text("JavaScript").is_visible()
        assert root.locator("form").count() == 0
