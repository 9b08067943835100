"""Write the notebooks that Colab and Jupyter open from the book's text sources.

    python tools/make_notebooks.py            write the notebooks beside the sources
    python tools/make_notebooks.py --check    say whether the sources still give them
    python tools/make_notebooks.py --solutions DIR    write the homework with its solutions to DIR

A notebook holds no output but the text of the cells tagged ``nbval-check-output``, which it is
executed for, once: while its code and all that this imports stay the same, the text comes from the
execution cache.  The generated files are committed and never edited.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import nbformat
from book_pages import NOTEBOOK_FOLDERS, Book, Page, Refusal
from environment import adopt
from execution_cache import open_cache
from execution_key import execution_key
from jupyter_cache.base import CacheBundleIn
from lower_myst import STORED, Lowering
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CELL_SECONDS = 300


def to_text(notebook: nbformat.NotebookNode) -> str:
    """The bytes of a notebook file, always in the same order."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def is_stored(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "code" and STORED in cell.metadata.get("tags", [])


def store_outputs(
    root: Path,
    page: Page,
    notebook: nbformat.NotebookNode,
    folder: Path,
    progress: Callable[[int, int], None],
) -> None:
    """Store the text outputs of the tagged cells, from a run of now or of before."""
    wanted = [index for index, cell in enumerate(notebook.cells) if is_stored(cell)]
    if not wanted:
        return
    run = nbformat.from_dict(notebook)
    run.cells = run.cells[: wanted[-1] + 1]
    key = execution_key(cell.source for cell in run.cells if cell.cell_type == "code")
    run.metadata.kernelspec.display_name += f" ({key})"  # which the cache compares, as the cells
    with open_cache(root) as cache:
        try:
            _, run = cache.merge_match_into_notebook(run)
        except KeyError:
            execute(page, run, folder, progress)
            cache.cache_notebook_bundle(CacheBundleIn(run, page.slug), check_validity=False)
    for index in wanted:
        cell = notebook.cells[index]
        cell.outputs = [_text_output(page, cell, output) for output in run.cells[index].outputs]
        if not cell.outputs:
            raise Refusal(f"{page.slug}.md: the cell {cell.id} is tagged {STORED}: let it print")
        # nbval compares only cells that have been run; one fixed count keeps other lines still.
        cell.execution_count = 1


def execute(
    page: Page, run: nbformat.NotebookNode, folder: Path, progress: Callable[[int, int], None]
) -> None:
    """Run all cells of a notebook."""
    code = [index for index, cell in enumerate(run.cells) if cell.cell_type == "code"]
    running = code[0]

    def on_cell(cell: nbformat.NotebookNode, cell_index: int) -> None:
        nonlocal running
        running = cell_index
        progress(code.index(cell_index) + 1, len(code))

    client = NotebookClient(
        run,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,  # how the kernel cut its output up depends on its speed
        on_cell_execute=on_cell,
    )
    # Keeping track of Output widgets, nbclient sends while it waits on the same socket; it then
    # sometimes sleeps until the time limit of the cell.
    client.comm_open_handlers.clear()
    try:
        # What the kernel says of itself would only confuse; the cells' own output comes by message.
        client.execute(stderr=subprocess.DEVNULL)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        name = run.cells[running].id
        report = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
        raise Refusal(f"{page.slug}.md: the cell {name} does not run.\n{report}") from None


def _text_output(page: Page, cell, output) -> nbformat.NotebookNode:
    """One output of a tagged cell, reduced to its text."""
    if output.output_type == "stream" and output.name == "stdout":
        return nbformat.v4.new_output("stream", name="stdout", text=output.text)
    if output.output_type == "execute_result" and set(output.data) == {"text/plain"}:
        data = {"text/plain": output.data["text/plain"]}
        return nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    what = output.get("name") or ", ".join(output.get("data", {})) or output.output_type
    raise Refusal(
        f"{page.slug}.md: the cell {cell.id} is tagged {STORED} and gives {what}: only printed "
        "text can be compared; move the rest into another cell"
    )


def without_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in which the tagged cells look as if they had never been run."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if is_stored(cell):
            cell.outputs, cell.execution_count = [], None
    return copy


def drift(path: Path, name: str, expected: nbformat.NotebookNode) -> list[str]:
    """Lines that say how the file differs from what the source gives; none if it does not."""
    if not path.exists():
        return [f"{name}: missing"]
    text = path.read_text("utf-8")
    try:
        stored = nbformat.reads(text, as_version=4)
        have = to_text(without_outputs(stored))
        rewritten = to_text(stored)
    except Exception as error:  # a damaged file is drift, however it is damaged
        return [f"{name}: not a notebook: {error}"]
    problems = []
    for cell in stored.cells:
        if is_stored(cell) and not (cell.outputs and cell.execution_count):
            problems.append(f"{name}: the cell {cell.get('id')} has no stored output")
    if rewritten != text:
        problems.append(f"{name}: not written by this program")
    want = to_text(expected)
    if want != have:
        problems.append(f"{name}: differs from its source")
        lines = (have.splitlines(), want.splitlines())
        diff = list(difflib.unified_diff(*lines, "the file", "its source", n=1, lineterm=""))
        problems += diff[:40] + ([f"... {len(diff) - 40} more lines"] if len(diff) > 40 else [])
    return problems


def write(path: Path, text: str) -> bool:
    """Write the whole file or nothing of it; return whether it changed."""
    if path.exists() and path.read_text("utf-8") == text:
        return False
    temporary = path.with_suffix(f".{os.getpid()}.part")  # another may write the same
    temporary.write_text(text, "utf-8")
    os.replace(temporary, path)
    return True


def select(book: Book, paths: list[str]) -> list[Page]:
    """The pages named on the command line, by source, notebook or folder; all without names."""
    pages = [page for page in book.pages.values() if page.has_notebook]
    if not paths:
        return pages
    chosen = []
    for given in paths:
        slug = os.path.relpath(os.path.abspath(given), book.root)
        slug = re.sub(r"\.(md|ipynb)$", "", Path(slug).as_posix())
        found = [page for page in pages if slug in (page.slug, page.folder)]
        if not found:
            raise Refusal(f"{given}: no page of {' or '.join(NOTEBOOK_FOLDERS)}")
        chosen += found
    return chosen


def orphans(book: Book) -> list[str]:
    """Notebooks whose source is gone."""
    found = []
    for folder in NOTEBOOK_FOLDERS:
        for path in sorted((book.root / folder).glob("*.ipynb")):
            if f"{folder}/{path.stem}" not in book.pages:
                found.append(f"{folder}/{path.name}: has no source {path.stem}.md; delete it")
    return found


def main(arguments: list[str] | None = None, *, root: Path | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", help="pages or folders; all of them if none is named")
    parser.add_argument(
        "--check", action="store_true", help="compare with the sources and write nothing"
    )
    parser.add_argument(
        "--solutions", metavar="DIR", type=Path, help="write the homework with solutions into DIR"
    )
    options = parser.parse_args(arguments)
    if options.check and options.solutions:
        parser.error("--check compares the students' notebooks: leave out --solutions")
    started = time.monotonic()
    counts: Counter[str] = Counter()
    problems: list[str] = []
    live = sys.stdout.isatty()
    try:
        book = Book((root or Path(__file__).resolve().parents[1]).resolve())
        pages = select(book, options.paths)
        if options.solutions:
            pages = [page for page in pages if page.folder == "homework"]
            options.solutions.mkdir(parents=True, exist_ok=True)
        elif not options.paths:
            problems += orphans(book)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    for position, page in enumerate(pages, 1):
        step = f"[{position}/{len(pages)}] {page.slug}"
        path = book.root / f"{page.slug}.ipynb"
        if options.solutions:
            path = options.solutions / path.name

        def progress(done: int, total: int, step: str = step) -> None:
            if live:
                print(f"\r{step}: running cell {done} of {total}", end="", flush=True)

        try:
            shown = page.folder != "homework" or bool(options.solutions)
            notebook = Lowering(book, page, solutions=shown).notebook()
            if options.check:
                differences = drift(path, f"{page.slug}.ipynb", notebook)
                result = "differs" if differences else "up to date"
                problems += differences
            else:
                store_outputs(book.root, page, notebook, path.parent, progress)
                result = "written" if write(path, to_text(notebook)) else "unchanged"
            counts["cells"] += len(notebook.cells)
            counts["stored"] += sum(map(is_stored, notebook.cells))
        except Refusal as refusal:
            result = "refused"
            problems.append(str(refusal))
        counts[result] += 1
        clear = "\r\x1b[K" if live else ""
        print(f"{clear}{step}: {result}", flush=True)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems and options.check:
        print("Remedy: run `make notebooks` and commit the notebooks.", file=sys.stderr)
    results = ", ".join(
        f"{counts[name]} {name}"
        for name in ("written", "unchanged", "up to date", "differs", "refused")
        if counts[name]
    )
    print(
        f"notebooks: {results or 'nothing to do'}; {counts['cells']} cells, "
        f"{counts['stored']} with stored output; {time.monotonic() - started:.1f} s"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    adopt()
    sys.exit(main())
