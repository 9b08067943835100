"""What holds of every chapter and of the deeper pages, measured in a browser."""

import json
import re

import pytest
from build_book import SITE, toc_pages
from test_pages import open_page

from _ext.deeper import is_deeper
from _ext.moves import EXPLORERS

CHAPTERS = [name for name in toc_pages() if name.startswith("chapters/")]
each_page = pytest.mark.parametrize("name", CHAPTERS + list(filter(is_deeper, toc_pages())))
#: The most words and visible lines of code of a chapter, where they are not 2,800 and 140.
WORDS = {
    "chapters/importance-weighting": 3200,
    "chapters/rate-and-distortion": 3200,
    "chapters/what-goes-wrong": 3200,
    "chapters/training-a-vae": 3500,
}
LINES = {"chapters/training-a-vae": 220}

#: Words outside of code, captions, tables, explorers, formulas and folded parts; visible code.
READING = r"""() => {
  const article = document.querySelector("article");
  const apart = "pre, figcaption, table, details, [data-explorer], .math, .cell_output, script, "
    + "style, .headerlink, .section-number";
  const texts = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  let prose = "";
  for (let text; (text = texts.nextNode()); )
    if (!text.parentElement.closest(apart)) prose += `${text.data} `;
  const seen = [...article.querySelectorAll("pre")].filter((pre) => pre.checkVisibility());
  return {
    words: prose.match(/[A-Za-z][\w'’-]*/g).length,
    lines: seen.filter((pre) => pre.closest(".cell_input"))
      .flatMap((pre) => pre.textContent.split("\n")).filter((line) => line.trim()),
    cut: seen.filter((pre) => pre.scrollWidth > pre.clientWidth).map((pre) => pre.textContent),
  };
}"""

#: How far each move is from the nearest explorer of its name, in screens.
DISTANCES = """() => [...document.querySelectorAll("button[data-move]")].map((move) => {
  const here = move.getBoundingClientRect();
  const gaps = [...document.querySelectorAll(`[data-explorer="${move.dataset.move}"]`)]
    .map((root) => root.getBoundingClientRect())
    .map((box) => Math.max(0, box.top - here.bottom, here.top - box.bottom));
  return [move.textContent, Math.min(...gaps) / innerHeight];
})"""


@each_page
def test_a_page_has_its_parts_its_length_and_its_explorer_within_reach(page, site, name):
    page.set_viewport_size({"width": 1280, "height": 800})
    open_page(page, f"{site}{name}.html")
    found = page.evaluate(READING)
    assert found["cut"] == []
    assert [line for line in found["lines"] if len(line) > 68] == []
    asserting = [line for line in found["lines"] if re.match(r"\s*assert\b|.*\.assert_\w+\(", line)]
    assert asserting == [], "move what is asserted into a cell tagged check"
    least, most = (0, 3000) if is_deeper(name) else (2000, WORDS.get(name, 2800))
    assert least <= found["words"] <= most
    if is_deeper(name):
        return
    assert len(found["lines"]) <= LINES.get(name, 140)
    explorer = page.locator("[data-explorer]").first.bounding_box()
    assert explorer["y"] <= 480
    lines = page.locator("article p > em:only-child").all()
    form = r"\d+ minutes\b.* · needs .+ · afterwards you can .+\."
    facts = [line for line in lines if re.fullmatch(form, " ".join(line.text_content().split()))]
    assert facts, "under the title: *25 minutes · needs X · afterwards you can A and B.*"
    assert facts[0].bounding_box()["y"] < explorer["y"]
    for part in [".vb-predict", ".vb-checks", "button[data-move]"]:
        assert page.locator(f"article {part}").count(), part
    for width, height in [(1280, 800), (390, 844)]:
        page.set_viewport_size({"width": width, "height": height})
        for _ in range(30):  # formulas break anew, explorers lay themselves out
            far = [move for move in page.evaluate(DISTANCES) if move[1] > 1]
            if not far:
                break
            page.wait_for_timeout(100)
        assert far == [], f"further than a screen of {width} by {height} from their explorers"


def pages_with_moves():
    """Return the pages of the book with moves."""
    return [name for name in toc_pages() if "data-move=" in page_text(name)]


def page_text(name):
    """Return the HTML of a built page; nothing if it is not built."""
    path = SITE / f"{name}.html"
    return path.read_text("utf-8") if path.exists() else ""


def is_close(one, other):
    """Tell whether values of controls agree: numbers to 1e-9, lists and dicts one by one."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_close, one, other))
    return one == other if isinstance(one, str) else abs(one - other) <= 1e-9


@pytest.mark.parametrize("name", pages_with_moves())
def test_every_move_sets_one_explorer_as_python_does(page, site, name):
    page.emulate_media(reduced_motion="reduce")
    open_page(page, f"{site}{name}.html")
    roots = page.locator("[data-explorer]")
    kinds = roots.evaluate_all("all => all.map((root) => root.dataset.explorer)")
    states = "all => all.map((root) => root.vaebook.values())"
    for move in page.locator("button[data-move]").all():
        before = roots.evaluate_all(states)
        allowed = []  # what all explorers of the page may say afterwards
        for place, kind in enumerate(kinds):
            if kind == move.get_attribute("data-move"):
                twin = EXPLORERS[kind](**before[place])
                twin.set(**json.loads(move.get_attribute("data-set")))
                allowed.append([*before[:place], twin.values, *before[place + 1 :]])
        move.click()
        for _ in range(50):  # a far one scrolls first
            after = roots.evaluate_all(states)
            if any(is_close(after, state) for state in allowed):
                break
            page.wait_for_timeout(100)
        else:
            pytest.fail(f"{move.text_content()}: {after}, not one of {allowed}")
        assert move.evaluate("e => e === document.activeElement"), move.text_content()
