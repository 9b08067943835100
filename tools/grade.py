"""Run homework notebooks that were handed in, and print a table of their scores as CSV.

    .venv/bin/python tools/grade.py FOLDER > scores.csv

Each notebook of the folder and of its subfolders runs from its top in a kernel of its own. A cell
that fails or takes too long is passed over, and a last cell asks for the score. A notebook is a
program by somebody else: run this where it can do no harm, in a container for example.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SCORE = "from vaebook.checks import report\n\nreport()"
TASK = re.compile(r" +\d+\. (pass|not yet|not attempted)  ")


def run(path, seconds):
    """Run one notebook with a time limit for each cell; return the text of its score."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(SCORE))
    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=seconds,
            interrupt_on_timeout=True,
            allow_errors=True,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        )
        client.comm_open_handlers.clear()  # no widget is shown
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    [output] = notebook.cells[-1].outputs
    return output.data["text/plain"]


def grade(path, seconds):
    """Return the score of one notebook, such as "2 of 5", and the state of each task."""
    try:
        score, *lines = run(path, seconds).splitlines()
    except Exception as error:  # whatever was handed in, the others are graded
        return [f"cannot be graded: {type(error).__name__}"]
    return [re.match(r"Score: (\d+ of \d+)", score)[1], *(TASK.match(line)[1] for line in lines)]


def main(arguments=None):
    """Print one line of CSV for each notebook, as soon as it has run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=600, help="time limit of a cell (600)")
    options = parser.parse_args(arguments)
    paths = sorted(options.folder.rglob("*.ipynb"))
    if not paths:
        parser.error(f"no notebook in {options.folder}")
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["notebook", "passed", *(f"task {number}" for number in range(1, 6))])
    for path in paths:
        table.writerow([path.relative_to(options.folder), *grade(path, options.seconds)])
        sys.stdout.flush()


if __name__ == "__main__":
    main()
