"""The ledger on the notation page: every equation of the note, where it is and what proves it.

A row names a label of the book, the code that computes the equation and the test or the chapter's
section that asserts it. Each of the three is looked up here: a name that leads nowhere is a fault.
"""

import ast
import importlib
import re
from functools import cache
from typing import NamedTuple

import pytest
from book_pages import code_cells
from conftest import ROOT
from test_chapters import asserts
from whole_book import whole_book

NOTATION = ROOT / "appendix" / "notation.md"
NOT_WRITTEN = "not written yet"
EQUATIONS_OF_THE_NOTE = 35
FIGURES_OF_THE_NOTE = 11


class Row(NamedTuple):
    """One equation of the note; ``label`` is None while the book does not have it."""

    number: int
    label: str | None
    code: list[str]
    proofs: list[str]


def ledger_rows():
    """Return the ledger's rows in the order of the page."""
    text = NOTATION.read_text("utf-8")
    table = text[text.index("(sec-ledger)=") :]
    rows = []
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 5 or not cells[0].isdigit():
            continue
        number, _, label, code, proofs = cells
        found = re.fullmatch(r"\{eq\}`([\w-]+)`", label)
        assert found or label == NOT_WRITTEN, f"row {number}: {label!r} is no label"
        names = [re.findall(r"`([^`]+)`", cell) for cell in (code, proofs)]
        rows.append(Row(int(number), found and found[1], *names))
    return rows


@cache
def labels_of_the_book():
    """Return every equation label of the book."""
    targets = whole_book().targets.items()
    return {label for label, target in targets if target.kind == "equation"}


def resolve(name):
    """Return the object of a dotted name such as ``mixture.GaussianMixture.log_prob``."""
    module, *attributes = name.split(".")
    target = importlib.import_module(f"vaebook.{module}")
    for attribute in attributes:
        target = getattr(target, attribute)
    return target


@cache
def functions_in(path):
    """Return the names of the test functions of a file."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def asserting_sections(path):
    """Return the headings of a page under which a code cell asserts something."""
    cells = code_cells((ROOT / path).read_text("utf-8"))
    return {cell.section for cell in cells if asserts(cell)}


def test_there_is_one_row_for_each_equation_of_the_note():
    assert [row.number for row in ledger_rows()] == list(range(1, EQUATIONS_OF_THE_NOTE + 1))


def test_there_is_one_row_for_each_figure_of_the_note():
    """The build holds that each of these references leads somewhere."""
    table = NOTATION.read_text("utf-8").partition("## The note's figures")[2]
    rows = re.findall(r"^\| (\d+) \|.*\|.*\{(?:ref|numref)\}`", table, re.MULTILINE)
    assert rows == [str(number + 1) for number in range(FIGURES_OF_THE_NOTE)]


@pytest.mark.parametrize("row", ledger_rows(), ids=lambda row: f"equation-{row.number}")
def test_row_leads_to_a_label_to_code_and_to_an_assertion(row):
    if row.label is None:
        assert not row.code
        assert not row.proofs
        return
    assert row.label in labels_of_the_book(), f"no chapter has an equation {row.label}"
    assert row.code, "name what computes the equation"
    assert row.proofs, "name what asserts the equation"
    for name in row.code:
        resolve(name)
    for proof in row.proofs:
        path, _, name = proof.partition("::")
        known = functions_in(path) if path.endswith(".py") else asserting_sections(path)
        assert name in known, f"{path} has no assertion {name!r}; it has {sorted(known)}"
