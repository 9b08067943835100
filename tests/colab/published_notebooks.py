"""Every notebook as a reader meets it in Colab: published, installed by its own cell, and run.

``make test-colab`` runs this file; ``pytest tests`` does not. The last commit is published as the
README says, to a repository on this disk to which git redirects the address, and the notebooks run
in ``.venv-colab``, which has Colab's versions of all that the book touches.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from book_pages import Book
from conftest import ROOT
from lower_myst import STORED, Lowering
from make_notebooks import to_text, write
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from notebooks.test_notebooks import MOVE_SLIDERS, tags

import vaebook
from _ext.download import WHEEL
from _ext.pages import colab_url

pytestmark = pytest.mark.timeout(900)

PYTHON = ROOT / ".venv-colab" / "bin" / "python"
ADDRESS = "https://github.com/someone/vaebook"
TAG = f"v{vaebook.__version__}"
PACKAGE = f"vaebook @ git+{ADDRESS}@{TAG}"
WIDGET = "application/vnd.jupyter.widget-view+json"
VERDICT = re.compile(r"(pass|not yet|not attempted): ")
CHAPTERS = [f"chapters/{path.name}" for path in sorted(ROOT.glob("chapters/*.ipynb"))]
HOMEWORK = [f"homework/{path.name}" for path in sorted(ROOT.glob("homework/*.ipynb"))]
DEEPER = [f"deeper/{path.name}" for path in sorted(ROOT.glob("deeper/*.ipynb"))]
NOTEBOOKS = CHAPTERS + DEEPER + HOMEWORK + [f"solutions/{Path(name).name}" for name in HOMEWORK]

#: What anywidget finds in Colab: this module switches widgets from elsewhere on.
COLAB_MODULE = """
import sys
import types
output = types.ModuleType("google.colab.output")
output.switched_on = []
output.enable_custom_widget_manager = lambda: output.switched_on.append(True)
output._widgets = types.SimpleNamespace(_installed_url="https://widgets.example/manager.js")
sys.modules["google.colab.output"] = output
"""


def git(*arguments, at):
    settings = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "advice.detachedHead=false"]
    settings += ["-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false", "-c", "core.hooksPath="]
    done = subprocess.run(
        ["git", *settings, *arguments], cwd=at, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_address(work, address):
    """The book in `work` after its address was set."""
    config = work / "_config.yml"
    text, found = re.subn(r"(?m)^  url: .*$", f'  url: "{address}"', config.read_text("utf-8"))
    assert found == 1
    config.write_text(text, "utf-8")
    return Book(work)


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The repository with its address set, its notebooks written, tagged and pushed."""
    folder = tmp_path_factory.mktemp("published")
    work, remote, solutions = folder / "work", folder / "remote.git", folder / "solutions"
    git("clone", "--quiet", f"file://{ROOT}", work, at=folder)
    git("init", "--quiet", "--bare", "--initial-branch=main", remote, at=folder)
    book = with_address(work, ADDRESS)
    solutions.mkdir()
    for page in book.pages.values():  # as `make notebooks` does it, but without running them
        if page.has_notebook:
            homework = page.folder == "homework"
            notebook = Lowering(book, page, solutions=not homework).notebook()
            write(work / f"{page.slug}.ipynb", to_text(notebook))
            if homework:
                notebook = Lowering(book, page, solutions=True).notebook()
                write(solutions / f"{Path(page.slug).name}.ipynb", to_text(notebook))
    git("commit", "--quiet", "--all", "--message", "Publish", at=work)
    git("tag", TAG, at=work)
    git("push", "--quiet", remote, "HEAD:main", TAG, at=work)
    return SimpleNamespace(folder=folder, work=work, remote=remote)


@pytest.fixture(scope="session")
def host(published):
    """The environment of a fresh Colab machine: its Python, and the way to the repository."""
    kernels = published.folder / "kernels" / "colab"
    kernels.mkdir(parents=True)
    command = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "Colab's versions", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(spec), "utf-8")
    own = {name: os.environ[name] for name in os.environ if not re.match("VAEBOOK_|PYTHON", name)}
    redirect = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{published.remote}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
    }
    environment = own | redirect
    pip(environment, "uninstall", "--yes", "vaebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(published.folder))
        yield environment


def pip(environment, *arguments):
    command = [PYTHON, "-m", "pip", "--quiet", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(cells, host, folder):
    """Run cells in the stand-in's kernel, in an empty folder; return them with their outputs."""
    cells = [nbformat.from_dict(cell) for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="colab",
        resources={"metadata": {"path": str(folder)}},
        coalesce_streams=True,
    )
    client.comm_open_handlers.clear()  # see make_notebooks.execute
    client.execute(env=host, stderr=subprocess.DEVNULL)
    return notebook.cells


def code(source):
    return nbformat.v4.new_code_cell(source)


def printed(cell, name="stdout"):
    return "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == name)


def widgets(cell):
    return [output for output in cell.outputs if WIDGET in output.get("data", {})]


def test_the_stand_in_has_the_versions_of_the_list():
    wanted = (Path(__file__).parent / "requirements.txt").read_text("utf-8").splitlines()
    wanted = dict(line.split("==") for line in wanted if "==" in line)
    frozen = pip(dict(os.environ), "freeze").splitlines()
    found = dict(line.split("==") for line in frozen if "==" in line)
    found["torch"] = found["torch"].partition("+")[0]
    assert {name: found.get(name) for name in wanted} == wanted


def test_pip_would_install_the_package_and_nothing_else(host):
    report = json.loads(pip(host, "install", "--dry-run", "--report", "-", PACKAGE))
    assert [item["metadata"]["name"] for item in report["install"]] == ["vaebook"]


def test_without_an_address_the_set_up_cell_installs_the_wheel_that_it_asks_for(
    published, host, tmp_path
):
    book = with_address(published.work, "")
    with_address(published.work, ADDRESS)
    page = book.pages[CHAPTERS[0].removesuffix(".ipynb")]
    cells = Lowering(book, page, solutions=True).notebook().cells
    set_up = next(cell for cell in cells if cell.cell_type == "code")
    with pytest.raises(CellExecutionError, match=f"upload {WHEEL} beside this notebook"):
        run([set_up], host, tmp_path)
    build = [ROOT / ".venv" / "bin" / "python", "tools/build_wheel.py"]
    subprocess.run(build, cwd=published.work, env={"PYTHONPATH": "."}, check=True)
    shutil.copy(published.work / "dist" / WHEEL, tmp_path)
    run([set_up, code("import vaebook")], host, tmp_path)
    pip(host, "uninstall", "--yes", "vaebook")


def test_the_set_up_cell_installs_the_package_and_changes_nothing_else(published, host, tmp_path):
    before = pip(host, "freeze").splitlines()
    cells = nbformat.read(published.work / CHAPTERS[0], 4).cells
    set_up = next(index for index, cell in enumerate(cells) if cell.cell_type == "code")
    assert cells[set_up].metadata["cellView"] == "form"  # folded in Colab
    assert PACKAGE in cells[set_up].source
    whence = code("import vaebook\nprint(vaebook.__version__, vaebook.__file__)")
    *_, whence = run([*cells[: set_up + 2], whence], host, tmp_path)
    version, file = printed(whence).split()
    assert version == vaebook.__version__
    assert Path(file).is_relative_to(ROOT / ".venv-colab")
    new = set(pip(host, "freeze").splitlines()) ^ set(before)
    commit = git("rev-parse", "HEAD", at=published.work).strip()
    assert new == {f"vaebook @ git+{ADDRESS}@{commit}"}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", CHAPTERS + HOMEWORK)
def test_the_colab_button_opens_the_published_notebook(name, published):
    notebook = nbformat.read(published.work / name, 4)
    target = re.search(r"\(https://colab[^)]*\)\]\((.*?)\)", notebook.cells[0].source)[1]
    assert target == colab_url(ADDRESS, "main", name.removesuffix(".ipynb"))
    branch, _, path = target.partition("/blob/")[2].partition("/")
    text = git("show", f"{branch}:{path}", at=published.remote)
    assert text == (published.work / name).read_text("utf-8")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_to_its_end(name, published, host, tmp_path):
    path = published.folder / name if name.startswith("solutions") else published.work / name
    source = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    live = any("live-only" in tags(cell) for cell in source)
    cells = run(source + [code(MOVE_SLIDERS)] * live, host, tmp_path)
    for cell in cells:
        assert not printed(cell, "stderr"), cell.source
        if "explorer" in tags(cell):
            assert widgets(cell), cell.source
        if "live-only" in tags(cell):  # nbclient shows what the sliders draw, not the sliders
            assert any("image/svg+xml" in output.get("data", {}) for output in cell.outputs)
    if live:
        sliders = [pair for moved in json.loads(printed(cells[-1])) for pair in moved.items()]
        assert sliders
        assert all(before != after for _, (before, after) in sliders), sliders
    if name in CHAPTERS:
        stored = [cell for cell in nbformat.read(ROOT / name, 4).cells if STORED in tags(cell)]
        again = [cell for cell in cells if STORED in tags(cell)]
        assert [printed(cell) for cell in again] == [printed(cell) for cell in stored]
    else:
        shown = [o.data for cell in cells for o in cell.outputs if "text/html" in o.get("data", {})]
        *lines, score = [data["text/plain"] for data in shown]
        expected = ["not attempted"] + ["pass"] * name.startswith("solutions")
        states = [VERDICT.match(line)[1] for line in lines]
        assert states == expected * (len(lines) // len(expected))
        done, total = re.match(r"Score: (\d+) of (\d+) ", score).groups()
        assert len(lines) == int(total) * len(expected)
        assert int(done) == states.count("pass")
    assert not list(tmp_path.iterdir())


def test_every_explorer_is_a_widget_that_colab_shows(published, host, tmp_path):
    show = """
from vaebook import explorers
names = [name for name in explorers.__all__ if name != "Explorer"]
for name in names:
    display(getattr(explorers, name)())
"""
    notebook = nbformat.read(published.work / CHAPTERS[0], 4)
    set_up = next(cell for cell in notebook.cells if cell.cell_type == "code")
    count = code("print(len(names), output.switched_on)")
    _, shown, last = run([set_up, code(COLAB_MODULE + show), count], host, tmp_path)
    assert not [output for output in shown.outputs if output.output_type == "stream"]
    assert printed(last).strip() == f"{len(widgets(shown))} [True]"
    assert len(shown.outputs) >= 9
    for output in shown.outputs:
        manager = output.metadata[WIDGET]["colab"]["custom_widget_manager"]
        assert manager == {"url": "https://widgets.example/manager.js"}
