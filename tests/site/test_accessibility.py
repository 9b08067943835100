"""No page keeps anybody out: axe-core on every page, a tour by keyboard, and no JavaScript at all.

axe-core runs the rules of WCAG 2.0 to 2.2, levels A and AA, and its best practices. In each run of
the tests every page is looked at once, after its explorers were used; which theme and which width
goes round from page to page. The slow tests look at every page in every theme and width.
"""

import itertools
from importlib import resources

import pytest
from book_pages import toc_pages
from build_book import SITE
from test_live_explorers import every_explorer, show
from test_pages import open_page

PAGES = [*(f"{name}.html" for name in toc_pages()), "search.html?q=posterior"]
VARIANTS = list(itertools.product(["light", "dark"], [1280, 320]))

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => {
  const { violations } = await axe.run({ include: [["html"]] }, {
    runOnly: { type: "tag", values: tags },
    rules: { "label-content-name-mismatch": { enabled: true } },  // WCAG 2.5.3, still experimental
    resultTypes: ["violations"],
    preload: false,  // would fetch the style sheets once more, from addresses of its own
  });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 200)} (${node.failureSummary})`));
}"""

# Thousands of elements that say nothing of their own cost axe a minute a page: the strokes inside a
# picture (which has a name), the glyphs of a formula (hidden from screen readers, which get MathML;
# they hold no text of their own), and every further token of a colour that a page of code has.
THIN = """() => {
  for (const picture of document.querySelectorAll("svg.vb-figure")) picture.replaceChildren();
  for (const formula of document.querySelectorAll("mjx-math")) {
    const { width, height } = formula.getBoundingClientRect();
    formula.replaceChildren();
    formula.style.cssText = `display: inline-block; width: ${width}px; height: ${height}px`;
  }
  const seen = new Set();
  for (const token of document.querySelectorAll("pre span")) {
    const style = getComputedStyle(token);
    const look = [style.color, style.backgroundColor, style.fontWeight].join();
    if (seen.has(look) && !token.querySelector("span")) token.replaceWith(token.textContent);
    seen.add(look);
  }
  document.querySelectorAll("pre").forEach((block) => block.normalize());
}"""

# What a reader does: unfold everything, move every control, press every button.
USE = """() => {
  for (const folded of document.querySelectorAll("article details")) folded.open = true;
  for (const form of document.querySelectorAll("form.vb-explorer")) {
    for (const slider of form.querySelectorAll("input[type=range]")) {
      slider.value = Number(slider.min) + 0.7 * (slider.max - slider.min);
      slider.dispatchEvent(new Event("input"));
    }
    for (const list of form.querySelectorAll("select")) {
      list.selectedIndex = list.options.length - 1;
      list.dispatchEvent(new Event("change"));
    }
    const press = "button:not([name=reset]), input[type=checkbox], input[type=radio]";
    for (const button of form.querySelectorAll(press)) button.click();
  }
}"""


def faults(page):
    """Return what axe-core finds wrong with a page as it stands, one sentence each."""
    page.evaluate(THIN)
    page.evaluate(AXE)
    return page.evaluate(RUN, TAGS)


def assert_no_barrier(new_page, site, name, theme, width):
    """Hold a page without faults, after it was used."""
    page = new_page(
        color_scheme=theme, reduced_motion="reduce", viewport={"width": width, "height": 900}
    )
    open_page(page, f"{site}{name}")
    page.evaluate(USE)
    page.wait_for_timeout(200)
    assert faults(page) == []


@pytest.mark.parametrize(
    ("name", "variant"), [(name, VARIANTS[i % 4]) for i, name in enumerate(PAGES)]
)
def test_page_has_no_barrier(new_page, site, name, variant):
    assert_no_barrier(new_page, site, name, *variant)


def test_no_page_of_the_site_is_left_out(built):
    found = {path.relative_to(built).as_posix() for path in built.rglob("*.html")}
    assert found == {name.partition("?")[0] for name in PAGES}


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_barrier_in_any_theme_or_width(new_page, site, name, variant):
    assert_no_barrier(new_page, site, name, *variant)


OPENED = {
    "search": (1280, ".search-button__button:visible", "dialog#pst-search-dialog[open]"),
    "contents": (320, ".primary-toggle", "dialog#pst-primary-sidebar-modal[open]"),
    "sections": (320, ".secondary-toggle", "dialog#pst-secondary-sidebar-modal[open]"),
    "figure": (320, ".vb-enlarge", "dialog.vb-large[open]"),
    "equation": (1280, 'article a.internal[href*="#equation-"]', ".vb-preview"),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("what", OPENED)
def test_what_opens_over_a_page_has_no_barrier(new_page, site, what, theme):
    width, opener, opened = OPENED[what]
    page = new_page(
        color_scheme=theme, reduced_motion="reduce", viewport={"width": width, "height": 900}
    )
    open_page(page, f"{site}chapters/jensens-inequality.html")
    page.locator(opener).first.focus()
    if what != "equation":
        page.keyboard.press("Enter")
    page.locator(opened).wait_for()
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.locator(opened).wait_for(state="hidden")


def test_axe_sees_what_is_wrong(page, site):
    # The proof that an empty list means something.
    open_page(page, f"{site}appendix/about.html")
    page.evaluate("""() => document.querySelector("article").insertAdjacentHTML("beforeend",
      "<img src='data:,'><p style='color: #bbb; background: #fff'>pale</p><input><h6>deep</h6>")""")
    rules = {fault.partition(":")[0] for fault in faults(page)}
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


@every_explorer
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
    open_page(page, f"{site}chapters/jensens-inequality.html")
    page.keyboard.press("Tab")
    skip = page.locator("#pst-skip-link a")
    assert skip.evaluate("e => e === document.activeElement")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


# ---- no JavaScript ----


@pytest.mark.parametrize("name", PAGES[:-1])
def test_page_reads_without_javascript(new_page, built, name):
    page = new_page(java_script_enabled=False, viewport={"width": 320, "height": 900})
    page.goto((built / name).as_uri())
    article = page.locator("article")
    hidden = article.locator("p, li, h1, h2, h3, th, td, .vb-figure, .math").evaluate_all("""all =>
      all.filter((one) => one.textContent.trim())
        .filter((one) => !one.closest("details") && !one.checkVisibility())
        .map((one) => one.outerHTML.slice(0, 120))""")
    assert hidden == []
    for picture in article.locator("svg.vb-figure").all():
        assert picture.get_attribute("aria-label")
    folded = article.locator("details")
    if folded.count() and folded.first.get_attribute("open") is None:
        folded.first.locator("summary").first.click()
        assert folded.first.get_attribute("open") is not None
    formulas = article.locator(".math").all_text_contents()
    assert all("\\" in formula for formula in formulas)
    explorers = (SITE / name).read_text("utf-8").count("data-explorer=")
    assert article.locator(".vb-still svg.vb-figure").count() == explorers
