"""The table of scores: what it says of untouched, solved, broken and endless notebooks."""

import csv
import io
import os

import grade
import nbformat
import pytest
from conftest import ROOT
from test_homework import notebook_of

PAGE = ROOT / "homework" / "jensens-inequality.md"
ENDLESS = "while True:\n    pass"
STUBBORN = """
import time

while True:
    try:
        time.sleep(60)
    except BaseException:
        pass
"""


def scores(folder, capsys, *options):
    """The table of a folder, as the rows by notebook."""
    grade.main([str(folder), *options])
    head, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    tasks = [f"task {number}" for number in range(1, 6)]
    assert head == ["notebook", "passed", *tasks, "first answers"]
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
    assert table["b/anna.ipynb"] == ["5 of 5", *["pass"] * 5, "1c 5d"]
    [words] = table["bert.ipynb"]
    assert words.startswith("cannot be graded: ")


ONE_TASK = "from vaebook.checks import elbo_tightness as checks\nchecks.check_width('b')"
ONE_OF_FIVE = ["1 of 5", "pass", *["not attempted"] * 4, "1b"]


def hand_in_cells(path, *cells):
    cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    hand_in(path, nbformat.v4.new_notebook(cells=cells))


HABITS = [
    "get_ipython().events.register('post_run_cell', lambda result: print('done'))",
    "get_ipython().events.register('pre_run_cell', lambda info: display('begun'))",
    "import threading, time\nthreading.Thread("
    "target=lambda: any(map(print, map(time.sleep, iter(lambda: 1e-3, 0))))).start()",
    "import os; os.system('echo shell')",
]


def test_outputs_tell_the_first_answer_and_neither_hide_the_score_nor_enter_the_table(
    tmp_path, capfd
):
    cells = [nbformat.v4.new_code_cell(code) for code in (*HABITS, ONE_TASK, "exit()")]
    words = "pass: Too wide or too narrow. So.\n    first answer a"
    cells[-2].outputs = [nbformat.v4.new_output("display_data", {"text/plain": words})]
    hand_in(tmp_path / "a.ipynb", nbformat.v4.new_notebook(cells=cells))
    assert scores(tmp_path, capfd) == {"a.ipynb": [*ONE_OF_FIVE[:-1], "1a"]}


@pytest.fixture
def nothing_runs(monkeypatch):
    """Every notebook has the score of an empty one."""
    monkeypatch.setattr(grade, "run", lambda path, seconds: "Score: 0 of 0 tasks passed")


def test_a_file_name_that_is_no_text_is_shown_with_its_bytes(tmp_path, capsys, nothing_runs):
    hand_in_cells(tmp_path / os.fsdecode(b"J\xfcrgen.ipynb"))
    hand_in_cells(tmp_path / "Jürgen.ipynb")
    names = ["J\\udcfcrgen.ipynb", "Jürgen.ipynb"]
    assert scores(tmp_path, capsys) == {name: ["0 of 0", *[""] * 6] for name in names}


def test_hidden_copies_and_folders_are_not_graded(tmp_path, capsys, nothing_runs):
    (tmp_path / "folder.ipynb").mkdir()
    for name in (".ipynb_checkpoints/a-checkpoint.ipynb", "__MACOSX/._a.ipynb", "a.ipynb"):
        hand_in_cells(tmp_path / name)
    assert list(scores(tmp_path, capsys)) == ["a.ipynb"]


@pytest.mark.slow
def test_an_endless_cell_and_a_dead_kernel_stop_nobody_else(tmp_path, capsys):
    hand_in(tmp_path / "1.ipynb", notebook_of(PAGE, solutions=False), code=ENDLESS)
    hand_in(tmp_path / "2.ipynb", notebook_of(PAGE, solutions=True), code="import os; os._exit(1)")
    hand_in(tmp_path / "3.ipynb", notebook_of(PAGE, solutions=True), code="import this")
    hand_in_cells(tmp_path / "4.ipynb", STUBBORN)
    hand_in_cells(tmp_path / "5.ipynb", ONE_TASK, "import sys; sys.exit()", "print(input())")
    table = scores(tmp_path, capsys, "--seconds", "10")
    assert table["1.ipynb"] == ["0 of 5", *["not attempted"] * 5, ""]
    assert table["2.ipynb"] == ["cannot be graded: DeadKernelError"]
    assert table["3.ipynb"][0] == "5 of 5"
    assert table["4.ipynb"] == ["cannot be graded: CellTimeoutError"]
    assert table["5.ipynb"] == ONE_OF_FIVE


def test_a_folder_without_notebooks_is_said_to_be_one(tmp_path, capsys):
    with pytest.raises(SystemExit):
        grade.main([str(tmp_path)])
    assert "no notebook in" in capsys.readouterr().err
