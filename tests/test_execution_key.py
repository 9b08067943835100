"""The execution key sees what a page's cells run, and nothing else."""

import ast
import re
import shutil

import pytest
from book_pages import code_cells
from conftest import ROOT
from execution_key import PACKAGE, execution_key, files_reached

PAGE = "chapters/evidence-lower-bound.md"
SMALL = """
%config InlineBackend.figure_formats = ["svg"]
import numpy as np
from vaebook import explorers
from vaebook.bounds import elbo

explorers.Elbo(mean=0.4)
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package, to be changed; each test compares keys from before and after that."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(PACKAGE, tmp_path_factory.mktemp("copy") / "vaebook", ignore=ignored)


def change(path, text):
    """Add to a file and let its time say so, however fast the test is."""
    before = path.stat().st_mtime_ns
    path.write_text(path.read_text("utf-8") + text, "utf-8")
    while path.stat().st_mtime_ns == before:
        path.touch()


@pytest.mark.parametrize("name", ["bounds.py", "latent.py", "explorers/elbo.py"])
def test_code_counts_however_far_away_and_docstrings_and_comments_do_not(package, name):
    path, before = package / name, execution_key([SMALL], package)
    text = path.read_text("utf-8")
    text = re.sub(r'(?m)^( *r?""")(?=\w)', r"\1No word of this runs. ", text)
    path.write_text(f"# A comment.\n{text}", "utf-8")
    assert path.read_text("utf-8").count("No word of this runs") > 1
    assert execution_key([SMALL], package) == before
    change(path, "\nUNUSED = 1\n")
    assert execution_key([SMALL], package) != before


def test_a_default_in_a_function_counts(package):
    before = execution_key([SMALL], package)
    path = package / "arguments.py"
    change(path, "\ndef unused(value=1):\n    '''One.'''\n")
    middle = execution_key([SMALL], package)
    path.write_text(path.read_text("utf-8").replace("(value=1)", "(value=2)"), "utf-8")
    change(path, "\n")
    assert len({before, middle, execution_key([SMALL], package)}) == 3


@pytest.mark.parametrize(
    "name",
    [
        "checks/core.py",
        "mixture.py",
        "explorers/mixture.py",
        "vae/training.py",
        "explorers/js/elbo.js",
        "explorers/README.md",
    ],
)
def test_what_the_cells_do_not_reach_does_not_count(package, name):
    before = execution_key([SMALL], package)
    change(package / name, "\nUNUSED = 1\n")
    assert execution_key([SMALL], package) == before


def test_numbers_and_styles_beside_the_modules_count(package):
    before = execution_key([SMALL], package)
    change(package / "book.mplstyle", "\n# a comment, but who knows\n")
    middle = execution_key([SMALL], package)
    (package / "results" / "new.json").write_text("{}", "utf-8")
    assert len({before, middle, execution_key([SMALL], package)}) == 3
    assert execution_key(["import numpy"], package) == execution_key([], package)


@pytest.mark.parametrize(
    "use", ["getattr(explorers, name)", "explorers = other", "from vaebook.explorers import *"]
)
def test_an_unclear_use_of_a_list_of_names_reaches_all_of_it(use):
    code = f"from vaebook import explorers\n{use}" if "import" not in use else use
    reached = {path.name for path in files_reached([code])}
    assert {"elbo.py", "failures.py", "vae_step.py"} <= reached


def test_a_page_reaches_its_explorer_and_no_other():
    codes = [cell.code for cell in code_cells((ROOT / PAGE).read_text("utf-8"))]
    names = {path.relative_to(PACKAGE).as_posix() for path in files_reached(codes)}
    assert {"bounds.py", "explorers/elbo.py", "explorers/base.py", "figures/bounds.py"} <= names
    assert not {"explorers/failures.py", "vae/training.py", "checks/core.py"} & names


def test_no_module_imports_by_a_computed_name():
    # The key reads names from import statements: others would escape it.
    for path in PACKAGE.rglob("*.py"):
        names = {
            getattr(node, "id", getattr(node, "attr", None))
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
        }
        assert not names & {"import_module", "__import__"}, path
        assert "def __getattr__" not in path.read_text("utf-8").split("\nclass ")[0], path
