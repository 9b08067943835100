"""Every chapter has the book's anatomy, short cells, enough words, and pictures in words."""

import re
import statistics

import lower_myst
import pytest
from book_pages import code_cells, pages_in, toc_pages, without_cells
from conftest import ROOT

CHAPTERS = pages_in("chapters")
UNSEEN = {"check", "hide-input", "remove-input"}
LAST_SECTIONS = ["What goes wrong", "Summary", "Your turn", "Further reading"]
#: No cell of a chapter is hidden as a whole, and solutions are the homework's.
TAGS = lower_myst.TAGS - {"hide-cell", "remove-cell", "solution"}
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def cells_of(path):
    """Return the code cells of a page."""
    return code_cells(path.read_text("utf-8"))


def code_lines(cell):
    """Return the lines of a cell without blanks and comments."""
    return [line for line in cell.code.splitlines() if line.strip() and line.strip()[0] != "#"]


def asserts(cell):
    """Tell whether a cell asserts something."""
    return re.search(r"^\s*(assert |np\.testing\.)", cell.code, re.M) is not None


def test_there_are_chapters():
    assert CHAPTERS


@each_chapter
def test_a_chapter_is_in_the_contents_on_the_map_and_in_the_course(path):
    page = f"chapters/{path.stem}"
    assert page in toc_pages(), "name it in _toc.yml"
    index = (ROOT / "index.md").read_text("utf-8")
    assert re.search(rf"(?m)^\d+\. \[.+\]\({page}\.md\)", index), "add it to the map in index.md"
    weeks = (ROOT / "appendix" / "teaching.md").read_text("utf-8")
    remedy = f"add it to a week of appendix/teaching.md, as {{timed}}`words <{page}>`"
    assert re.search(rf"\{{timed\}}`[^`]+<{page}>`", weeks), remedy


@each_chapter
def test_a_chapter_ends_with_the_fixed_sections(path):
    headings = re.findall(r"^## (.+)$", without_cells(path.read_text("utf-8")), re.M)
    assert headings[-len(LAST_SECTIONS) :] == LAST_SECTIONS


@each_chapter
def test_seen_cells_are_short(path):
    seen = [cell for cell in cells_of(path) if not UNSEEN & set(cell.tags)]
    lines = [len(code_lines(cell)) for cell in seen]
    assert statistics.median(lines) <= 8
    assert max(lines) <= 20


@each_chapter
def test_cells_have_known_tags_and_every_figure_has_alt_text_and_caption(path):
    cells = cells_of(path)
    tags = [set(cell.tags) for cell in cells]
    unknown = set().union(*tags) - TAGS
    assert not unknown, f"unknown tags: {unknown}"
    for wanted in ["setup", "explorer", "live-only", "check", "nbval-check-output"]:
        assert any(wanted in found for found in tags), f"no cell is tagged {wanted}"
    for cell in cells:
        if "plt.show()" in cell.code and "live-only" not in cell.tags:
            mystnb = cell.options.get("mystnb", {})
            alt = (mystnb.get("image") or {}).get("alt", "")
            assert len(alt) > 30, f"alt text missing: {cell.code}"
            assert (mystnb.get("figure") or {}).get("caption"), f"caption missing: {cell.code}"


@each_chapter
def test_every_term_in_bold_is_in_the_glossary(path):
    glossary = (ROOT / "appendix" / "glossary.md").read_text("utf-8")
    entries = glossary[glossary.index(":::{glossary}") :].splitlines()[1:]
    terms = {line.lower() for line in entries if line and line[0] not in " :"}
    text = re.sub(r"`[^`]*`", "", without_cells(path.read_text("utf-8")))
    bold = [" ".join(words.split()) for words in re.findall(r"\*\*([^*]+)\*\*", text)]
    # A lead-in such as "Derive, 10 minutes." or "Time:" ends in a stop; a term does not.
    defined = [words for words in bold if words[-1] not in '.:"']
    missing = {words for words in defined if words.lower() not in terms}
    assert defined
    assert not missing, f"add to appendix/glossary.md, or use italics: {sorted(missing)}"
