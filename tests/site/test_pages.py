"""Every built page: quiet, self-contained, readable in both themes and on a narrow screen."""

import functools
import gzip
import json
import re
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from book_pages import ROOT, toc_pages
from build_book import SITE

from _ext.pages import colab_url
from vaebook.explorers import scripts

PAGES = [f"{name}.html" for name in toc_pages()]
each_page = pytest.mark.parametrize("name", PAGES)


def open_page(page, address):
    """Open a page and wait until its formulas stand."""
    page.goto(address, wait_until="load")
    if page.locator(".math").count():
        page.wait_for_function("window.MathJax?.startup?.promise")
        page.evaluate("MathJax.startup.promise")
    assert page.locator("article h1, #search-results").count() == 1
    # MathJax shows what it cannot read as an error, and a command that it does not know in red.
    unread = page.locator('mjx-merror, mjx-container [style*="color: red"]')
    assert unread.evaluate_all("all => all.map((a) => a.closest('p, div, li').textContent)") == []


TOO_WIDE = """[...document.querySelectorAll('div.math')].filter((box) => {
  const number = box.querySelector('.eqno');
  const limit = number ? number.getBoundingClientRect().left : box.getBoundingClientRect().right;
  return box.querySelector('mjx-math').getBoundingClientRect().right > limit;
}).map((box) => box.id || box.textContent.slice(0, 60))"""


BROKEN_WORDS = r"""[...document.querySelectorAll('article :is(h1, h2, h3)')].flatMap((title) => {
  const texts = document.createTreeWalker(title, NodeFilter.SHOW_TEXT), broken = [];
  for (let text; (text = texts.nextNode()); )
    for (const word of text.data.matchAll(/[^\s-]+/g)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (range.getClientRects().length > 1) broken.push(word[0]);
    }
  return broken;
})"""


#: Blocks of code with a line that runs over their edge.
CUT = """[...document.querySelectorAll('article pre')].filter((block) => {
  const right = (node) => node.getBoundingClientRect().right;
  return [...block.querySelectorAll('span')].some((one) => right(one) > right(block) + 1);
}).map((block) => block.textContent.slice(0, 200))"""


#: Charts follow the width a frame or two later.
SETTLED = """new Promise((done) => {
  const frame = requestAnimationFrame;
  frame(() => frame(() => frame(() => frame(done))));
})"""


@functools.cache
def weight(path):
    """Return how many bytes of a file travel, compressed."""
    return len(gzip.compress((SITE / unquote(path).lstrip("/")).read_bytes()))


@each_page
def test_page_is_quiet_light_whole_and_fits_every_screen_in_both_themes(page, site, name):
    # The page fixture fails on console errors, page errors and requests to another origin.
    page.set_viewport_size({"width": 1280, "height": 800})
    loaded = []
    page.on("requestfinished", lambda request: loaded.append(urlsplit(request.url)))
    open_page(page, f"{site}{name}")
    loaded = [url.path for url in loaded if url.scheme == "http"]
    assert len(loaded) <= 48  # MathJax fetches its fonts in pieces
    assert sum(map(weight, set(loaded))) <= 1_250_000
    wide = page.evaluate(TOO_WIDE)
    assert not wide, f"break these formulas into lines, they run into their number: {wide}"
    for theme, widths in [("light", [1100, 768, 320]), ("dark", [320, 1280])]:
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        for width in widths:
            page.set_viewport_size({"width": width, "height": 640})
            page.evaluate(SETTLED)
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider <= 0, f"{name} is {wider} px wider than a screen of {width} px"
            assert page.evaluate(BROKEN_WORDS) == [], f"words of titles break at {width} px"
    page.evaluate(
        "document.querySelectorAll('article details').forEach((one) => { one.open = true; })"
    )
    for width in [1280, 390]:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(CUT) == []
    assert page.context.cookies() == []
    assert set(page.evaluate("Object.keys(localStorage)")) <= {"mode", "theme"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_take_the_ink_of_the_theme(page, site, theme):
    page.emulate_media(color_scheme=theme)
    page.goto(f"{site}chapters/mixture-of-gaussians.html", wait_until="load")
    axis = 'svg.vb-figure path[style*="stroke: var(--vb-ink"]'
    strokes = f"[...document.querySelectorAll('{axis}')].map((a) => getComputedStyle(a).stroke)"
    inks = set(page.evaluate(strokes))
    assert inks == {"rgb(31, 35, 40)" if theme == "light" else "rgb(230, 230, 230)"}


@each_page
def test_every_picture_has_words(name):
    text = (SITE / name).read_text("utf-8")
    for tag in re.findall(r"<img\b[^>]*>", text):
        assert re.search(r'\balt="', tag), tag
    for tag in re.findall(r'<svg[^>]*class="vb-figure"[^>]*>', text):
        label = re.search(r'aria-label="([^"]*)"', tag)
        assert label, tag
        assert len(label[1]) > 30, f"too short an alt text: {label[1]!r}"


@each_page
def test_page_carries_no_widget_state_no_thebe_and_no_path_of_the_machine(name):
    text = (SITE / name).read_text("utf-8")
    for unwanted in ["widget-state", "THEBE", "sphinx-thebe.js", "/home/", str(SITE.parent.parent)]:
        assert unwanted not in text, unwanted


@each_page
def test_a_page_with_a_notebook_has_a_colab_button_once_the_address_is_set(name):
    text, slug = (SITE / name).read_text("utf-8"), name.removesuffix(".html")
    repository = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]
    if repository["url"]:
        button = f'href="{colab_url(repository["url"], repository["branch"], slug)}"'
        assert (button in text) == (ROOT / f"{slug}.ipynb").exists()
    else:
        assert "colab.research.google.com" not in text


@each_page
def test_outputs_hold_no_script_and_notebooks_no_trace_of_the_machine(name):
    text = (SITE / name).read_text("utf-8")
    for output in re.findall(
        r'<div class="cell_output.*?(?=<div class="cell |</section>)', text, re.S
    ):
        for tag in re.findall(r"<script[^>]*>", output):
            assert re.fullmatch(r'<script type="application/json"( data-common="[\w-]+")?>', tag)
    notebook = (ROOT / name).with_suffix(".ipynb")
    if notebook.exists():
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        outputs = json.dumps([cell["outputs"] for cell in cells if "outputs" in cell])
        assert not re.search(
            r"<script|/(home|root|tmp|Users|work)/|localhost|127\.0\.0\.1", outputs
        )


def test_every_script_and_font_is_listed_with_its_licence():
    listed = (ROOT / "appendix/about.md").read_text("utf-8")
    own = {f"{name}.js" for name in [*scripts.names(), "kit", "page", "book", "chapter"]}
    endings = ["js", "woff", "woff2"]
    found = {path.name for ending in endings for path in (SITE / "_static").rglob(f"*.{ending}")}
    unlisted = {
        name
        for name in found - own
        if f"`{name}`" not in listed and not name.startswith("mjx-ncm-")
    }
    assert unlisted == set()


def test_every_homework_set_has_a_card_with_its_facts():
    text = (SITE / "homework.html").read_text("utf-8")
    cards = re.findall(
        r'<div class="homework-card.*?href="homework/(\S+)\.html".*?'
        r"<strong>\d+ minutes, level \d\.</strong> Predict, .*?</div>",
        text,
        re.S,
    )
    assert [f"homework/{card}.html" for card in cards] == [
        name for name in PAGES if name.startswith("homework/")
    ]
