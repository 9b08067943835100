"""Every chapter has the book's anatomy, short cells, enough words, and pictures in words."""

import re
import statistics

import pytest
import yaml
from conftest import ROOT

CHAPTERS = sorted(ROOT.glob("chapters/*.md"))
SECTIONS = [
    "A picture first",
    "Check on a known answer",
    "Explore",
    "What goes wrong",
    "Summary",
    "Change the code",
    "Homework",
    "Further reading",
]
TAGS = {
    "setup",
    "explorer",
    "hide-input",
    "hide-output",
    "remove-input",
    "remove-output",
    "live-only",
    "page-only",
    "nbval-check-output",
}
_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.S | re.M)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def cells_of(path):
    """Return (options, code lines without blanks and comments, code) of each cell of a page."""
    cells = []
    for body in _CELL.findall(path.read_text("utf-8")):
        options = {}
        if body.startswith("---\n"):
            block, _, body = body[4:].partition("\n---\n")
            options = yaml.safe_load(block)
        else:
            lines = body.splitlines(keepends=True)
            head = [line for line in lines if line.startswith(":")]
            options = yaml.safe_load("".join(line[1:] for line in head)) or {}
            body = "".join(lines[len(head) :])
        code = [line for line in body.splitlines() if line.strip() and line.strip()[0] != "#"]
        cells.append((options, code, body))
    return cells


def prose_of(path):
    """Return the words of a page outside its cells, equations and front matter."""
    text = _CELL.sub("", path.read_text("utf-8")).split("\n---\n", 1)[1]
    text = re.sub(r"^\$\$.*?^\$\$[^\n]*$", "", text, flags=re.S | re.M)
    return re.findall(r"[A-Za-z][\w'-]*", text)


def test_there_are_chapters():
    assert CHAPTERS


@each_chapter
def test_a_chapter_is_in_the_contents_on_the_map_and_in_the_course(path):
    page = f"chapters/{path.stem}"
    assert f"file: {page}\n" in (ROOT / "_toc.yml").read_text("utf-8"), "name it in _toc.yml"
    index = (ROOT / "index.md").read_text("utf-8")
    assert re.search(rf"(?m)^\d+\. \[.+\]\({page}\.md\)", index), "add it to the map in index.md"
    weeks = (ROOT / "appendix" / "teaching.md").read_text("utf-8")
    remedy = "add it, with its minutes, to a week of appendix/teaching.md"
    assert re.search(rf"\]\(\.\./{page}\.md\)\s+\(\d+ minutes\)", weeks), remedy


@each_chapter
def test_sections_stand_in_the_fixed_order(path):
    text = _CELL.sub("", path.read_text("utf-8"))
    headings = re.findall(r"^## (.+)$", text, re.M)
    missing = [section for section in SECTIONS if section not in headings]
    assert not missing, f"sections missing: {missing}"
    order = f"begin with {SECTIONS[0]!r}, then your own sections, at the end {SECTIONS[1:]}"
    assert [headings[0], *headings[-len(SECTIONS[1:]) :]] == SECTIONS, order
    assert re.search(r"^# .+\n\n\*The question:\*", text, re.M), "begin with *The question:* ..."
    for part in [":::{admonition} You will", "**Time:**", "{admonition} Predict first"]:
        assert part in text, f"this is missing: {part}"


@each_chapter
def test_cells_are_short_and_explained(path):
    lines = [len(code) for _, code, _ in cells_of(path)]
    assert statistics.median(lines) <= 8
    assert statistics.quantiles(lines, n=10)[-1] <= 20
    assert max(lines) <= 30
    words_per_line = len(prose_of(path)) / sum(lines)
    assert 8 <= words_per_line <= 20, f"{words_per_line:.1f} words of prose per line of code"


@each_chapter
def test_cells_have_known_tags_and_every_figure_has_alt_text_and_caption(path):
    cells = cells_of(path)
    tags = [set(options.get("tags", [])) for options, _, _ in cells]
    unknown = set().union(*tags) - TAGS
    assert not unknown, f"unknown tags: {unknown}"
    for wanted in ["setup", "explorer", "live-only", "page-only", "nbval-check-output"]:
        assert any(wanted in found for found in tags), f"no cell is tagged {wanted}"
    for options, _, body in cells:
        if "plt.show()" in body and "live-only" not in options.get("tags", []):
            mystnb = options.get("mystnb", {})
            alt = (mystnb.get("image") or {}).get("alt", "")
            assert len(alt) > 30, f"alt text missing: {body}"
            assert (mystnb.get("figure") or {}).get("caption"), f"caption missing: {body}"


@each_chapter
def test_something_is_asserted_where_the_answer_is_known(path):
    text = path.read_text("utf-8")
    section = text[text.index("## Check on a known answer") : text.index("## Explore")]
    found = re.search(r"^\s*(assert |np\.testing\.)", section, re.M)
    assert found, "assert something in 'Check on a known answer'"


@each_chapter
def test_every_term_in_bold_is_in_the_glossary(path):
    glossary = (ROOT / "appendix" / "glossary.md").read_text("utf-8")
    entries = glossary[glossary.index(":::{glossary}") :].splitlines()[1:]
    terms = {line.lower() for line in entries if line and line[0] not in " :"}
    text = re.sub(r"`[^`]*`", "", _CELL.sub("", path.read_text("utf-8")))
    bold = [" ".join(words.split()) for words in re.findall(r"\*\*([^*]+)\*\*", text)]
    # A lead-in such as "Derive, 10 minutes." or "Time:" ends in a stop; a term does not.
    defined = [words for words in bold if words[-1] not in '.:"']
    missing = {words for words in defined if words.lower() not in terms}
    assert defined
    assert not missing, f"add to appendix/glossary.md, or use italics: {sorted(missing)}"
