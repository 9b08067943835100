"""The table of scores: what it says of untouched, solved, broken and endless notebooks."""

import csv
import io

import grade
import nbformat
import pytest
from conftest import ROOT
from test_homework import notebook_of

PAGE = ROOT / "homework" / "jensens-inequality.md"
ENDLESS = "while True:\n    pass"


def scores(folder, capsys, *options):
    """The table of a folder, as the rows by notebook."""
    grade.main([str(folder), *options])
    head, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["notebook", "passed", *(f"task {number}" for number in range(1, 6))]
    return {name: row for name, *row in rows}


def hand_in(path, notebook, *, code=None):
    """Save a notebook, with the code put before its second cell of code."""
    path.parent.mkdir(exist_ok=True)
    if code:
        notebook.cells.insert(3, nbformat.v4.new_code_cell(code))
    nbformat.write(notebook, path)


def test_solved_and_damaged_notebooks_each_get_their_line(tmp_path, capsys):
    hand_in(tmp_path / "b" / "anna.ipynb", notebook_of(PAGE, solutions=True), code="1 / 0")
    (tmp_path / "bert.ipynb").write_text("{}")
    table = scores(tmp_path, capsys)
    assert list(table) == ["b/anna.ipynb", "bert.ipynb"]
    assert table["b/anna.ipynb"] == ["5 of 5", *["pass"] * 5]
    [words] = table["bert.ipynb"]
    assert words.startswith("cannot be graded: ")


@pytest.mark.slow
def test_an_endless_cell_and_a_dead_kernel_stop_nobody_else(tmp_path, capsys):
    hand_in(tmp_path / "1.ipynb", notebook_of(PAGE, solutions=False), code=ENDLESS)
    hand_in(tmp_path / "2.ipynb", notebook_of(PAGE, solutions=True), code="import os; os._exit(1)")
    hand_in(tmp_path / "3.ipynb", notebook_of(PAGE, solutions=True), code="import this")
    table = scores(tmp_path, capsys, "--seconds", "20")
    assert table["1.ipynb"] == ["0 of 5", *["not attempted"] * 5]
    assert table["2.ipynb"] == ["cannot be graded: DeadKernelError"]
    assert table["3.ipynb"][0] == "5 of 5"


def test_a_folder_without_notebooks_is_said_to_be_one(tmp_path, capsys):
    with pytest.raises(SystemExit):
        grade.main([str(tmp_path)])
    assert "no notebook in" in capsys.readouterr().err
