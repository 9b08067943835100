"""What the text of each built page says, read without a browser."""

import itertools
import json
import re

import pytest
import yaml
from book_pages import ROOT, toc_pages
from build_book import SITE
from test_pages import PAGES

from _ext.pages import colab_url
from vaebook.explorers import scripts

WITH_NOTEBOOK = [name for name in PAGES if (ROOT / name).with_suffix(".ipynb").exists()]
each_name = pytest.mark.parametrize("name", PAGES)


@each_name
def test_every_picture_has_words(name):
    text = (SITE / name).read_text("utf-8")
    for tag in re.findall(r"<img\b[^>]*>", text):
        assert re.search(r'\balt="', tag), tag
    for tag in re.findall(r'<svg[^>]*class="vb-figure"[^>]*>', text):
        label = re.search(r'aria-label="([^"]*)"', tag)
        assert label, tag
        assert len(label[1]) > 30, f"too short an alt text: {label[1]!r}"


@each_name
def test_page_carries_no_widget_state_no_thebe_and_no_path_of_the_machine(name):
    text = (SITE / name).read_text("utf-8")
    for unwanted in ["widget-state", "THEBE", "sphinx-thebe.js", "/home/", str(SITE.parent.parent)]:
        assert unwanted not in text, unwanted


@each_name
def test_a_page_with_a_notebook_has_a_colab_button_once_the_address_is_set(name):
    text, slug = (SITE / name).read_text("utf-8"), name.removesuffix(".html")
    repository = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]
    if repository["url"]:
        button = f'href="{colab_url(repository["url"], repository["branch"], slug)}"'
        assert (button in text) == (ROOT / f"{slug}.ipynb").exists()
    else:
        assert "colab.research.google.com" not in text


@each_name
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


@each_name
def test_no_folded_code_stands_beside_a_figure_with_a_caption(name):
    text = (SITE / name).read_text("utf-8")
    cells = re.split(r'<div class="cell(?=[ "])', text)[1:]
    assert [
        cell for cell in cells if "<figcaption" in cell and '<details class="hide' in cell
    ] == []


@pytest.mark.parametrize("name", WITH_NOTEBOOK)
def test_page_links_to_its_notebook(name):
    path = name.replace(".html", ".ipynb")
    assert f'href="../_notebooks/{path}"' in (SITE / name).read_text("utf-8")
    assert (SITE / "_notebooks" / path).read_bytes() == (ROOT / path).read_bytes()


def test_previous_and_next_have_titles():
    names = [name for name in toc_pages() if not name.startswith("deeper/")]  # passed by
    for before, name in itertools.pairwise(names):
        text = (SITE / f"{before}.html").read_text("utf-8")
        title = re.search(r"<h1>(.*)<a class", (SITE / f"{name}.html").read_text("utf-8"))[1]
        link = re.search(r'class="right-next".*?prev-next-title">(.*?)</p>', text, re.S)[1]
        words = lambda html: re.sub("<.*?>", "", html)  # noqa: E731
        assert words(link) == words(title)


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
