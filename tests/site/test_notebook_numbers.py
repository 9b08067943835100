"""A number is the same on the page and in the notebook: the generator counts as the book does."""

import re

import pytest
from book_pages import Book, toc_pages
from conftest import ROOT
from docutils.nodes import make_id

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
    assert expected or slug.startswith("homework/")  # homework refers to numbers of the chapters
    assert shown == expected
