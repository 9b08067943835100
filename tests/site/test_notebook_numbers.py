"""A number is the same on the page and in its notebook: what is counted, and what is computed."""

import re

import nbformat
import pytest
from book_pages import Book, toc_pages
from build_book import executed
from conftest import ROOT
from docutils.nodes import make_id
from lower_myst import STORED

NUMBER = re.compile(r'(?s).*?class="(?:eqno">\(|caption-number">[A-Za-z. ]*)([\d.]*\d)')
BOOK = Book(ROOT)
PAGES = [slug for slug in toc_pages() if BOOK.pages[slug].has_notebook]


@pytest.mark.parametrize("slug", PAGES)
def test_page_and_notebook_give_equal_numbers(built, slug):
    text = (built / f"{slug}.html").read_text("utf-8")
    expected, shown = {}, {}
    for label, target in BOOK.targets.items():
        if target.page.slug == slug and target.number:
            prefix = "equation-" if target.kind == "equation" else ""
            place = text.index(f'id="{prefix}{make_id(label)}"')
            expected[label] = target.number
            shown[label] = NUMBER.match(text, place)[1]
    assert expected or not slug.startswith("chapters/")
    assert shown == expected


def stored(notebook):
    """Return what the cells print that are tagged for it, cell by cell."""
    cells = [cell for cell in notebook.cells if STORED in cell.metadata.get("tags", [])]
    return [
        "".join(output.get("text") or output.data["text/plain"] for output in cell.outputs)
        for cell in cells
    ]


@pytest.mark.parametrize("slug", PAGES)
def test_notebook_stores_what_the_book_has_computed(built, slug):
    """``make test-all`` runs the notebooks themselves."""
    assert stored(nbformat.read(ROOT / f"{slug}.ipynb", 4)) == stored(executed(slug))
