"""What a page is furnished with: figures, code, formulas, titles, its notebook, its calm."""

import itertools
import re
import zipfile
from pathlib import Path

import pytest
from book_pages import ROOT
from browsing import open_page
from playwright.sync_api import expect
from test_notebook_numbers import BOOK
from test_pages import of_pages

from _ext import code, places
from _ext.download import WHEEL

CHAPTER = "chapters/jensens-inequality.html"
FIGURE = "article figure:has(.vb-code)"


# ---- figures ----


@of_pages([CHAPTER])
def test_figure_opens_larger_by_a_click_or_its_corner_and_gives_the_focus_back(opened):
    opened.show()
    page = opened.page
    figures, figure = page.locator("article svg.vb-figure"), page.locator(FIGURE).first
    count, corner = figures.count(), figure.locator(".vb-enlarge")
    small = figure.locator("svg.vb-figure").bounding_box()["width"]
    assert corner.bounding_box()["width"] >= 24
    dialog = page.get_by_role("dialog", name="Fig.")
    for opener in [figure.locator("svg.vb-figure"), corner]:
        opener.click()
        assert dialog.locator("svg.vb-figure").bounding_box()["width"] > 1.3 * small
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        assert figures.count() == count
        assert corner.evaluate("e => e === document.activeElement")
        page.evaluate("document.activeElement.blur()")


@of_pages([CHAPTER])
def test_code_of_a_figure_opens_from_its_caption_row(opened):
    opened.show()
    figure = opened.page.locator(FIGURE).first
    link, caption = figure.locator(".vb-code > summary"), figure.locator("figcaption > p")
    assert link.inner_text().strip() == "code"
    assert abs(link.bounding_box()["y"] - caption.bounding_box()["y"]) < 12
    assert not figure.locator("pre").is_visible()
    link.click()
    assert "plt.show()" in figure.locator("pre").inner_text()


# ---- code ----


@of_pages([CHAPTER])
def test_a_line_that_wraps_says_so_and_is_copied_as_one(opened):
    opened.fit(390, 844)
    page = opened.page
    lines = page.locator("article .highlight pre:visible > span")
    heights = lines.evaluate_all("""all => all.map((one) => [
      Math.round(one.getClientRects()[0].height / parseFloat(getComputedStyle(one).lineHeight)),
      parseFloat(getComputedStyle(one, '::before').height) > 1])""")
    assert {sign for height, sign in heights if height > 1} == {True}
    assert {sign for height, sign in heights if height == 1} == {False}
    block = page.locator("article .highlight pre:visible").first
    copied = "e => { getSelection().selectAllChildren(e); return getSelection().toString(); }"
    assert block.evaluate(copied).strip() == block.text_content().strip()


def test_lines_of_code_are_elements():
    page = '<div class="highlight"><pre><span></span><span class="n">a</span>\n\nb\n</pre></div>'
    lines = '<span><span class="n">a</span>\n</span><span>\n</span><span>b\n</span>'
    assert code.wrap_lines(page) == f'<div class="highlight"><pre>{lines}</pre></div>'


# ---- formulas ----


def test_formulas_read_as_tex_where_mathjax_does_not_come(browser, site):
    page = browser.new_context().new_page()
    page.route("**/mathjax/**", lambda route: route.abort())
    page.goto(site + CHAPTER)
    page.wait_for_function("document.documentElement.classList.contains('vb-plain')")
    for formula in ["article p span.math", "article div.math"]:
        assert page.locator(formula).first.is_visible()
        assert page.locator(formula).first.bounding_box()["width"] > 20
    page.context.close()


@pytest.mark.parametrize(
    ("tex", "em"),
    # As MathJax sets them, measured in the browser.
    [
        ("q", 0.58), ("m", 1.12), ("x=1.5", 4.03), ("-z", 1.58), (r"-\mu", 1.76), ("z=2", 2.90),
        (r"\bar w", 0.91), ("w_k, w[z]", 4.26), (r"a\ne b", 2.89), (r"E[\,\cdot\,]", 2.46),
        (r"p(\mathbf{x},\mathbf{z}|\phi)/q(\mathbf{z})", 7.58),
        (r"\tfrac12(s_k^2-1-\log s_k^2)", 9.88), (r"-\tfrac{I}{2}(\log V+S/V)", 9.77),
    ],
)  # fmt: skip
def test_place_of_a_formula_is_as_wide_as_the_formula(tex, em):
    assert places.width(tex) == pytest.approx(em, rel=0.12)


# ---- titles ----


@of_pages([CHAPTER])
def test_titles_of_each_level_look_smaller_than_those_above(opened):
    size = "(e, tag) => parseFloat(getComputedStyle(e.querySelector(tag)).fontSize)"
    for width in [390, 1280]:
        opened.fit(width, 844)
        article = opened.page.locator("article")
        sizes = [article.evaluate(size, tag) for tag in ["h1", "h2", "h3", "p"]]
        assert all(above >= 1.15 * below for above, below in itertools.pairwise(sizes)), width


# ---- notebooks ----


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_page_offers_its_notebook_and_the_package_that_this_asks_for(
    new_page, site, file_site, scheme
):
    page = new_page(accept_downloads=True)
    page.goto((site if scheme == "http" else file_site) + CHAPTER)

    def saved(name):
        page.get_by_role("button", name="Download this page").click()
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        return download.value

    notebook, found = (ROOT / CHAPTER).with_suffix(".ipynb"), saved("Notebook")
    assert found.suggested_filename == notebook.name
    assert Path(found.path()).read_bytes() == notebook.read_bytes()
    if BOOK.address:
        return  # from which the notebooks install
    found = saved("Package (.whl)")
    assert found.suggested_filename == WHEEL
    assert WHEEL in notebook.read_text("utf-8")
    with zipfile.ZipFile(found.path()) as wheel:
        packed = [name for name in wheel.namelist() if name.startswith("vaebook/")]
        files = [path for path in (ROOT / "vaebook").rglob("*") if path.is_file()]
        here = [
            path.relative_to(ROOT).as_posix()
            for path in files
            if path.suffix not in (".pyc", ".md")
        ]
        assert sorted(packed) == sorted(here)
        assert all(wheel.read(name) == (ROOT / name).read_bytes() for name in packed)


# ---- homework ----


def test_a_prediction_of_the_homework_keeps_its_first_answer(page, site):
    open_page(page, f"{site}homework/jensens-inequality.html")
    box = page.locator(".vb-predict").first
    options, verdict = box.locator("button"), box.get_by_role("status")
    assert options.count() == 5
    options.nth(3).click()
    expect(verdict).to_have_text(re.compile("^No: .*This browser keeps your first answer"))
    expect(box.get_by_text("a few households own nearly all of it")).to_be_visible()
    page.reload(wait_until="load")
    expect(verdict).to_contain_text("No:")
    assert options.nth(3).get_attribute("aria-pressed") == "true"
    options.nth(2).click(force=True)
    assert options.nth(2).get_attribute("aria-pressed") is None


# ---- calm ----

SHIFTS = """window.shifted = 0;
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.shifted += shift.value;
}).observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("index.html", 390),
        (CHAPTER, 1280),
        ("appendix/notation.html", 390),
        pytest.param("index.html", 1280, marks=pytest.mark.slow),
        pytest.param(CHAPTER, 390, marks=pytest.mark.slow),
        pytest.param("homework/jensens-inequality.html", 390, marks=pytest.mark.slow),
    ],
)
def test_page_does_not_jump_while_it_loads(first_visit, site, name, width):
    page = first_visit
    page.set_viewport_size({"width": width, "height": 800})
    page.add_init_script(SHIFTS)
    open_page(page, f"{site}{name}")
    page.wait_for_timeout(500)
    assert page.evaluate("window.shifted") <= 0.05
