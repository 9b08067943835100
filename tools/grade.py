"""Run homework notebooks that were handed in, and print a table of their scores as CSV.

    .venv/bin/python tools/grade.py FOLDER > scores.csv

The last column has the first answer to each prediction, as "1b 5d": the notebook's own outputs tell
it, and where they were cleared, its code.

Each notebook of the folder and of its subfolders runs from its top in a kernel of its own; hidden
files and folders, such as .ipynb_checkpoints, are passed over. A cell that fails or takes too long
is passed over, and a last cell asks for the score. A notebook is a program by somebody else: run
this where it can do no harm, in a container for example.
"""

import argparse
import csv
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from environment import adopt
from nbclient import NotebookClient

SCORE = "from vaebook.checks import report\n\nreport()"
HEAD = re.compile(r"Score: (\d+ of \d+) tasks passed")
TASK = re.compile(r" +\d+\. (pass|not yet|not attempted) +(.+?)(?: \(first answer (\w)\))?")
#: A verdict that tells of a first answer.
FIRST = re.compile(r"(?s)(?:pass|not yet): (.+?)\. .*\n    first answer (\w)")
N_TASKS = 5


class Client(NotebookClient):
    """Interrupts a cell that is out of time; a cell that catches this, too, ends its notebook.

    What is displayed is kept, the score; what is printed, which may be gigabytes, is not.
    """

    _interrupted = None

    def output(self, outs, msg, display_id, cell_index):
        if msg["msg_type"] == "display_data":
            super().output(outs, msg, display_id, cell_index)

    async def _async_handle_timeout(self, timeout, cell=None):
        self.interrupt_on_timeout = cell is not self._interrupted
        self._interrupted = cell
        return await super()._async_handle_timeout(timeout, cell)


def texts(cells):
    """What was displayed in some cells, as text."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [
        output.data["text/plain"] for output in outputs if "text/plain" in output.get("data", {})
    ]


def run(notebook, seconds):
    """Run one notebook with a time limit for each cell; return the text of its score."""
    notebook.cells.append(nbformat.v4.new_code_cell(SCORE))
    with tempfile.TemporaryDirectory() as folder:
        client = Client(
            notebook,
            timeout=seconds,
            allow_errors=True,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        )
        client.comm_open_handlers.clear()  # no widget is shown
        client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return next(text for text in texts(notebook.cells[-1:]) if HEAD.match(text))


def grade(path, seconds):
    """Return the score of one notebook, such as "2 of 5", each task's state, the first answers."""
    try:
        notebook = nbformat.read(path, as_version=4)
        matches = map(FIRST.match, texts(notebook.cells))
        told = {found[1]: found[2] for found in matches if found}
        score, *lines = run(notebook, seconds).splitlines()
    except Exception as error:  # whatever was handed in, the others are graded
        return [f"cannot be graded: {type(error).__name__}"]
    tasks = [TASK.fullmatch(line).groups() for line in lines]
    states = [state for state, *_ in tasks]
    firsts = [(number, told.get(title, first)) for number, (_, title, first) in enumerate(tasks, 1)]
    words = " ".join(f"{number}{first}" for number, first in firsts if first)
    return [HEAD.match(score)[1], *states, *[""] * (N_TASKS - len(states)), words]


def handed_in(folder):
    """Every notebook below a folder that is not hidden, nor in a hidden folder."""
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*.ipynb") if path.is_file())
    return [path for path in paths if not any(part.startswith(".") for part in path.parts)]


def main(arguments=None):
    """Print one line of CSV for each notebook, as soon as it has run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=600, help="time limit of a cell (600)")
    options = parser.parse_args(arguments)
    paths = handed_in(options.folder)
    if not paths:
        parser.error(f"no notebook in {options.folder}")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may be no text at all
    table = csv.writer(sys.stdout, lineterminator="\n")
    numbers = range(1, N_TASKS + 1)
    table.writerow(["notebook", "passed", *(f"task {n}" for n in numbers), "first answers"])
    for path in paths:
        table.writerow([path, *grade(options.folder / path, options.seconds)])
        sys.stdout.flush()


if __name__ == "__main__":
    adopt()
    main()
