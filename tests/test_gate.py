"""The gate cannot be falsely green: faults are planted in a small book and must turn it red.

Each fault is planted in a copy that was green before, and a build runs twice on it, because a
second, unchanged one is where a strict Sphinx build forgets its warnings. All but the pages is that
of the book.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
import small_book
from conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

CHAPTER = "chapters/second.md"
SUMMARY = "## Summary\n"
TEXT = f"""\
# Second

```{{code-cell}} ipython3
:tags: [setup, hide-input]

from vaebook.gaussians import log_normal
from vaebook.scores import mutual_information
```

```{{code-cell}} ipython3
:tags: [check]

assert abs(log_normal(1.0, 0.0, 1.0) + 1.4189385) < 1e-6
```

```{{code-cell}} ipython3
:tags: [nbval-check-output]

print(f"{{log_normal(1.0, 0.0, 1.0):.4f}}")
```

{SUMMARY}
The end.
"""
INDEX = """\
# Index

As {cite:t}`kingma2014` say.

```{bibliography}
:filter: docname in docnames
```
"""
BUILD = [sys.executable, "tools/build_book.py"]
NOTEBOOKS = [sys.executable, "tools/make_notebooks.py"]
NBVAL = [
    sys.executable, "-m", "pytest", "--nbval-lax", "-p", "no:cacheprovider", "-q",
    CHAPTER.replace(".md", ".ipynb"),
]  # fmt: skip
TESTS = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "tests/test_gaussians.py"]


def run_gate(copy, command):
    """Run one command of the gate on a copy, with the copy's own package; return status, output."""
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def copy_book(source, target, *more):
    """Copy what a checkout holds, and the execution cache."""
    ignored = [".git", ".venv*", "html", ".doctrees", "__pycache__", ".pytest_cache", ".ruff_cache"]
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*ignored, *more))


@pytest.fixture(scope="module")
def green(tmp_path_factory):
    """Return a small book on which every command of the gate is green."""
    copy = tmp_path_factory.mktemp("green") / "book"
    pages = ["chapters", "deeper", "homework", "appendix", "*.md"]
    copy_book(ROOT, copy, "_build", "site", "dist", *pages)
    small_book.write(copy, **{"index": INDEX, "chapters/second": TEXT})
    for command in [NOTEBOOKS, BUILD, NBVAL, TESTS]:
        status, output = run_gate(copy, command)
        assert status == 0, output[-3000:]
    return copy


def replace(copy, path, old, new):
    """Plant a fault: replace one text in one file of the copy."""
    text = (copy / path).read_text("utf-8")
    assert old in text, f"{path} no longer holds {old!r}"
    (copy / path).write_text(text.replace(old, new, 1), "utf-8")


def plant_timing_out_cell(copy):
    cell = "```{code-cell} ipython3\nimport time\n\ntime.sleep(600)\n```\n\n"
    replace(copy, CHAPTER, SUMMARY, cell + SUMMARY)
    replace(copy, "_config.yml", "timeout: 600", "timeout: 5")


def plant_dangling_reference_and_broken_link(copy):
    text = "See {eq}`eq-nowhere`.\n\nSee [nothing](nowhere.md), {timed}`it <chapters/none>`.\n\n"
    replace(copy, CHAPTER, SUMMARY, text + SUMMARY)


def plant_broken_link_in_html(copy):
    replace(copy, CHAPTER, SUMMARY, '<a href="nowhere.html">nothing</a>\n\n' + SUMMARY)


def plant_page_that_does_not_run(copy):
    cached = "execute_notebooks: cache"
    replace(copy, "_config.yml", cached, f"{cached}\n  exclude_patterns: ['chapters/second*']")


def plant_wrong_stored_number(copy):
    import nbformat

    path = copy / CHAPTER.replace(".md", ".ipynb")
    notebook = nbformat.read(path, as_version=4)
    output = next(
        output
        for cell in notebook.cells
        if "nbval-check-output" in cell.metadata.get("tags", [])
        for output in cell.outputs
    )
    digit = next(character for character in reversed(output.text) if character.isdigit())
    head, _, tail = output.text.rpartition(digit)
    output.text = head + str((int(digit) + 1) % 10) + tail
    nbformat.write(notebook, path)


def plant_shifted_mean(copy):
    replace(copy, "vaebook/gaussians.py", "(x - mean) / std", "(x - mean - 1e-3) / std")


FAULTS = [
    (plant_timing_out_cell, BUILD, ["timed out"]),
    (
        plant_dangling_reference_and_broken_link,
        BUILD,
        ["eq-nowhere", "nowhere.md", "chapters/none"],
    ),
    (plant_broken_link_in_html, BUILD, ["nowhere.html leads to no file"]),
    (plant_page_that_does_not_run, BUILD, ["was not executed"]),
    (plant_wrong_stored_number, NBVAL, ["Cell outputs differ"]),
    (plant_shifted_mean, BUILD, ["AssertionError"]),
    (plant_shifted_mean, TESTS, ["AssertionError"]),
]


@pytest.mark.parametrize(
    ("plant", "command", "messages"),
    FAULTS,
    ids=[f"{plant.__name__}-{command[-1].split('/')[-1]}" for plant, command, _ in FAULTS],
)
def test_planted_fault_turns_the_gate_red(green, tmp_path, plant, command, messages):
    copy = tmp_path / "book"
    shutil.copytree(green, copy)
    plant(copy)
    for run in ["first", "second"] if command is BUILD else ["only"]:
        status, output = run_gate(copy, command)
        assert status != 0, f"{plant.__name__}: green on the {run} run"
        for message in messages:
            assert message in output, f"{run} run: red, but without {message!r}:\n{output[-2000:]}"


def test_a_change_of_code_runs_the_pages_that_import_it_and_words_run_none(green, tmp_path):
    copy = tmp_path / "book"
    shutil.copytree(green, copy)
    replace(copy, CHAPTER, SUMMARY, "One sentence more.\n\n" + SUMMARY)
    for name in ["_ext/pages.py", "vaebook/scores.py"]:
        with open(copy / name, "a", encoding="utf-8") as module:
            module.write("\n# No page runs a comment.\n")
    status, words = run_gate(copy, BUILD)
    assert status == 0, words[-3000:]
    assert "Executing notebook" not in words
    with open(copy / "vaebook" / "scores.py", "a", encoding="utf-8") as module:
        module.write("\nUNUSED = 1\n")
    status, code = run_gate(copy, BUILD)
    assert status == 0, code[-3000:]
    assert re.findall(r"/(\w+/[\w-]+)\.md: Executing notebook", code) == ["chapters/second"]


def test_with_an_address_the_pages_with_a_notebook_and_only_they_have_a_colab_button(
    green, tmp_path
):
    copy = tmp_path / "book"
    shutil.copytree(green, copy)
    config = copy / "_config.yml"
    address = '  url: "https://github.com/owner/book"'
    config.write_text(re.sub(r"(?m)^  url: .*$", address, config.read_text("utf-8")), "utf-8")
    status, output = run_gate(copy, BUILD)
    assert status == 0, output[-3000:]
    colab = "https://colab.research.google.com/github/owner/book/blob/main/"
    site = copy / "_build" / "html"
    page = CHAPTER.removesuffix(".md")
    assert f'href="{colab}{page}.ipynb"' in (site / f"{page}.html").read_text("utf-8")
    assert colab not in (site / "index.html").read_text("utf-8")
