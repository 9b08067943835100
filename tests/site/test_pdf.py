"""The book as one PDF, and one page on paper, on a small book."""

import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import small_book
from make_pdf import make_pdf
from pypdf import PdfReader


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The folder of a small book that is built."""
    with small_book.shared(tmp_path_factory) as folder:
        return folder


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    """The PDF of the small book, from a thread of its own: Playwright runs once in each."""
    with small_book.shared(tmp_path_factory) as folder, ThreadPoolExecutor(1) as thread:
        return PdfReader(io.BytesIO(thread.submit(make_pdf, folder).result().read_bytes()))


def outline(pdf, entries=None):
    """Return the outline as (title, page number, entries below)."""
    found = []
    for entry in pdf.outline if entries is None else entries:
        if isinstance(entry, list):
            found[-1][2].extend(outline(pdf, entry))
        else:
            found.append((entry.title, pdf.get_destination_page_number(entry) + 1, []))
    return found


def links(pdf):
    """Yield each link as its page number and where it leads: a page number or an address."""
    for number, page in enumerate(pdf.pages, 1):
        for link in page.get("/Annots", []):
            link = link.get_object()
            if "/Dest" in link:
                target = pdf.named_destinations[link["/Dest"]]
                yield number, pdf.get_destination_page_number(target) + 1
            else:
                yield number, link["/A"]["/URI"]


def places(page):
    """Return where the words of a page begin, in points."""
    found = []

    def note(words, matrix, text_matrix, *_):
        if words.strip():
            (a, b, c, d, e, f), (x, y) = matrix, text_matrix[4:]
            found.append((a * x + c * y + e, b * x + d * y + f))

    page.extract_text(visitor_text=note)
    return found


def alt_texts(node):
    """Yield the alt texts of the structure below a node."""
    node = getattr(node, "get_object", lambda: node)()
    if isinstance(node, list):
        for child in node:
            yield from alt_texts(child)
    elif isinstance(node, dict):
        if "/Alt" in node:
            yield node["/Alt"]
        yield from alt_texts(node.get("/K", []))


def test_outline_has_parts_chapters_their_sections_and_deeper_pages(pdf):
    titles = [(title, [(one, [two for two, *_ in below]) for one, _, below in entries])
              for title, _, entries in outline(pdf)]  # fmt: skip
    assert titles == [
        ("Contents", []),
        ("Index", []),
        (
            "Chapters",
            [("1. First", ["1.1. Visible code", "Deeper into first"]), ("2. Second", [])],
        ),
    ]
    first = outline(pdf)[2][2][0]
    assert [title for title, *_ in first[2][1][2]] == ["A section that moved"]


def test_pages_are_numbered_and_the_contents_name_them(pdf):
    for number, page in enumerate(pdf.pages[1:], 2):
        assert page.extract_text().split()[0] == str(number)
    _, (_, index, _), (_, _, chapters) = outline(pdf)
    (_, first, (_, (_, deeper, _))), (_, second, _) = chapters
    assert index < first < deeper < second
    words = " ".join(pdf.pages[1].extract_text().split())
    assert re.search(
        rf"Index {index} .*First {first} Deeper into first {deeper} .*Second {second}\b", words
    )


def test_links_between_pages_lead_to_their_places_in_the_pdf(pdf):
    found = set(links(pdf))
    _, _, (_, _, chapters) = outline(pdf)
    (_, first, (_, (_, deeper, _))), (_, second, _) = chapters
    assert {to for at, to in found if at == 2} == {3, first, deeper, second}
    equation = next(n for n, p in enumerate(pdf.pages, 1) if "(1.1)" in p.extract_text())
    assert {to for at, to in found if at == second} == {equation, deeper, "https://example.org/"}


def test_pictures_keep_their_alt_texts(pdf):
    found = list(alt_texts(pdf.trailer["/Root"]["/StructTreeRoot"]))
    assert "A line that rises." in found
    assert sum("log-likelihood" in text for text in found) == 2  # the explorers' still pictures


def test_answers_are_open_and_folded_code_is_out(pdf):
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    for there in ["Variational autoencoders, live", "The answer is seven.", "Because b is right."]:
        assert there in text
    assert "x = 1" in text
    for gone in ["plt.plot", "assert", "checked", "JavaScript"]:
        assert gone not in text


def test_a_printed_page_has_all_code_and_no_controls(page, book, tmp_path):
    page.goto(f"{(book / '_build/html/chapters/first.html').as_uri()}", wait_until="load")
    page.wait_for_function("document.querySelector('[data-explorer]').vaebook")
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    printed = PdfReader(tmp_path / "page.pdf")
    text = " ".join(" ".join(one.extract_text() for one in printed.pages).split())
    for there in ["from vaebook import explorers", "x = 1", "ELBO", "slope"]:
        assert there in text
    for gone in ["More", "All numbers", "E-step", "Back to top", "Copy"]:
        assert gone not in text, gone
    boxes = [place for one in printed.pages for place in places(one)]
    width, height = printed.pages[0].mediabox[2:]
    margin = 14 / 25.4 * 72
    assert all(margin < x < width - margin for x, _ in boxes)
    assert all(margin < y < height - margin for _, y in boxes)
