"""What the project starts gets an environment that the project makes, whoever calls it and where.

A small checkout stands in for the book: its Makefile and its ``tools/environment.py`` are the real
ones, its lock names one package, and ``make book`` prints what a build would see.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import environment
import pytest
from conftest import ROOT

#: A build backend of a few lines, so that ``pip install -e .`` needs no package.
BACKEND = """
import os, zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    name, info = "vaebook-1-py3-none-any.whl", "vaebook-1.dist-info"
    with zipfile.ZipFile(Path(folder, name), "w") as wheel:
        wheel.writestr("vaebook.pth", os.getcwd())
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: vaebook\\nVersion: 1\\n")
        tags = "Root-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\n" + tags)
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
#: What ``make book`` runs in the small checkout.
BUILD = """
import json, os, sys
import tiny, vaebook
from environment import adopt
adopt()
print(json.dumps({"made": dict(os.environ), "package": vaebook.__file__, "tiny": tiny.version}))
"""


def write_wheel(folder, version):
    """Write a wheel of the one package that the small lock names."""
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(folder / f"tiny-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", f"version = {version!r}\n")
        metadata = f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
        wheel.writestr(f"{info}/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", "")


def make(checkout, target="book", **settings):
    """Call make in a checkout, with settings of the caller's shell; return status and output."""
    packages = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(checkout.parent / "packages")}
    done = subprocess.run(
        ["make", target, f"PYTHON={sys.executable}"],
        cwd=checkout,
        env={**os.environ, **packages, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def seen_by_the_build(output):
    """Return what the last line of ``make book`` says."""
    return json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Settings of a caller's shell, each of which once broke a build."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "tiny.py").write_text("raise SystemExit('imported from PYTHONPATH')", "utf-8")
    return {
        "PYTHONPATH": str(elsewhere),
        "PYTHONHOME": str(elsewhere),
        "PYTHONWARNINGS": "error::UserWarning",
        "PYTHONSTARTUP": str(elsewhere / "tiny.py"),
        "MPLBACKEND": "agg",
        "MATPLOTLIBRC": str(elsewhere),
        "JUPYTER_PATH": str(elsewhere),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "PIP_USER": "1",
        "PIP_TARGET": str(elsewhere),
        "PIP_PREFIX": str(elsewhere),
        "PIP_DRY_RUN": "1",
        "PIP_NO_DEPS": "1",
        "PYTEST_ADDOPTS": "--collect-only",
        "GIT_DIR": str(elsewhere),
        "FORCE_COLOR": "1",
        "LC_ALL": "tr_TR.UTF-8",
        "VAEBOOK_STATIC": "1",
        "RANK": "3",
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory, hostile):
    """The small checkout, set up under hostile settings, and what the first ``make book`` said."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "packages").mkdir()
    for version in ["1.0", "1.1"]:
        write_wheel(folder / "packages", version)
    checkout = folder / "my%20book #1"
    for name, text in {
        "requirements.txt": "# locked\ntiny==1.0\ntiny==0.9 ; python_version < '3'\n",
        "pyproject.toml": PROJECT,
        "backend.py": BACKEND,
        "vaebook/__init__.py": "",
        "tools/build_book.py": BUILD,
    }.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(text, "utf-8")
    shutil.copy(ROOT / "Makefile", checkout)
    shutil.copy(ROOT / "tools" / "environment.py", checkout / "tools")
    status, output = make(checkout, **hostile)
    assert status == 0, output
    return checkout, output


def copy_of(checkout, folder):
    """Copy a checkout with all that lies in it, as ``cp -a`` does."""
    copy = folder / "copy"
    shutil.copytree(checkout, copy, symlinks=True)
    (folder / "packages").symlink_to(checkout.parent / "packages")
    return copy


def test_settings_of_the_caller_do_not_reach_what_make_starts(small, hostile):
    checkout, output = small
    seen = seen_by_the_build(output)
    assert seen["tiny"] == "1.0"
    assert Path(seen["package"]).parent == checkout / "vaebook"
    kept = {name for name, value in hostile.items() if seen["made"].get(name) == value}
    assert kept == set()
    for name in ["MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"]:
        assert Path(seen["made"][name]).is_relative_to(checkout / ".venv")
    assert seen["made"]["PIP_FIND_LINKS"] == str(checkout.parent / "packages")


def test_a_second_make_sets_nothing_up_and_the_first_says_that_it_does(small):
    checkout, output = small
    assert output.startswith("Setting up .venv")
    status, again = make(checkout)
    assert status == 0
    assert "Setting up" not in again


def test_a_copied_checkouts_environment_says_whose_it_is(small, tmp_path):
    copy = copy_of(small[0], tmp_path)
    direct = subprocess.run(
        [copy / ".venv" / "bin" / "python", copy / "tools" / "build_book.py"],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert direct.returncode == 1
    assert f"belongs to the checkout in {small[0]}: `make book`" in direct.stderr


@pytest.mark.slow
def test_a_copied_checkout_gets_an_environment_of_its_own(small, tmp_path):
    copy = copy_of(small[0], tmp_path)
    status, output = make(copy)
    assert status == 0, output
    assert Path(seen_by_the_build(output)["package"]).parent == copy / "vaebook"
    assert make(small[0])[1].startswith("{")  # the original has kept its own


def test_a_renewed_lock_is_installed_and_what_pip_puts_elsewhere_is_missed(small, tmp_path):
    checkout = small[0]
    lock = checkout / "requirements.txt"
    before = lock.read_text("utf-8")
    lock.write_text("tiny==1.1\n", "utf-8")
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[install]\ntarget = {tmp_path / 'elsewhere'}\n", "utf-8")
    status, output = make(checkout, PIP_CONFIG_FILE=str(settings))
    assert status != 0
    assert ".venv lacks 1 packages, tiny==1.1 among them: a setting leads them" in output
    settings.write_text("[install]\nuser = true\n", "utf-8")
    status, output = make(checkout, PIP_CONFIG_FILE=str(settings))
    assert seen_by_the_build(output)["tiny"] == "1.1"
    lock.write_text("absent==1\n", "utf-8")
    status, output = make(checkout)
    assert status != 0
    assert "No matching distribution found for absent==1" in output
    lock.write_text(before, "utf-8")
    assert seen_by_the_build(make(checkout)[1])["tiny"] == "1.0"


def test_a_new_environment_spares_another_checkouts_behind_a_link(tmp_path, monkeypatch):
    record = tmp_path / "other" / "lib/python3.11/site-packages/vaebook-1.dist-info"
    record.mkdir(parents=True)
    (record / "direct_url.json").write_text('{"url": "file:///other"}', "utf-8")
    (tmp_path / ".venv").symlink_to(tmp_path / "other")
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(sys, "executable", "false")  # no environment is made after all
    with pytest.raises(SystemExit, match="venv module is missing"):
        environment.set_up()
    assert record.exists()
    assert not (tmp_path / ".venv").exists()


def test_an_environment_whose_python_is_gone_is_not_taken_for_one(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(tmp_path / "gone")
    monkeypatch.setattr(environment, "VENV", tmp_path)
    assert not environment.is_sound()


def test_the_second_of_two_commands_says_that_it_waits(tmp_path):
    program = "import environment, sys\nwith environment.alone(sys.argv[1]): print('built')"
    with environment.alone(tmp_path):
        second = subprocess.Popen(
            [sys.executable, "-c", program, tmp_path],
            env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "waiting for its end" in second.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(0.3)
    assert second.communicate(timeout=60)[0] == "built\n"


def test_an_old_python_is_refused_and_an_untried_one_is_warned_of(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(SystemExit, match=r"Python 3\.10 found, but the book needs 3\.11 or newer"):
        environment.check_python()
    monkeypatch.setattr(sys, "version_info", (3, 15, 0))
    environment.check_python()
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys, "version_info", (3, 16, 0))
    environment.check_python()
    assert "Python 3.16 found" in capsys.readouterr().out


KERNEL = """
import nbformat
from environment import adopt
from nbclient import NotebookClient

adopt()
cell = nbformat.v4.new_code_cell('''
import os, sys, warnings
import matplotlib.pyplot as plt
print(os.environ["MPLBACKEND"], plt.rcParams["figure.dpi"])
print(os.environ.get("RANK"), sys.executable)
print(("error", None, UserWarning, None, 0) in warnings.filters, "startup" in globals())
plt.plot([0, 1])
plt.show()
''')
notebook = nbformat.v4.new_notebook(cells=[cell])
NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
for output in cell.outputs:
    print(output.get("text") or sorted(output.data))
"""


def test_a_kernel_runs_as_everywhere_under_any_settings_and_home(hostile, tmp_path):
    files = {
        ".config/matplotlib/matplotlibrc": "backend: pdf\nfigure.dpi: 33\n",
        ".ipython/profile_default/startup/00.py": "startup = True\n",
        ".local/share/jupyter/kernels/python3/kernel.json": '{"argv": ["false"], "language": "p"}',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, "utf-8")
    shutil.copytree(tmp_path / ".local/share/jupyter/kernels", tmp_path / "kernels")
    settings = {name: value for name, value in hostile.items() if name != "PYTHONHOME"}
    path = f"{ROOT}{os.pathsep}{ROOT / 'tools'}"
    settings |= {"HOME": str(tmp_path), "JUPYTER_PATH": str(tmp_path), "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", KERNEL],
        env={**os.environ, **settings, "MATPLOTLIBRC": str(tmp_path / ".config/matplotlib")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == [
        "module://matplotlib_inline.backend_inline 100.0",
        f"None {sys.executable}",
        "False False",
        "",
        "['image/png', 'text/plain']",
    ]


@pytest.mark.slow
def test_tests_started_by_a_git_hook_leave_the_callers_repository_alone(tmp_path):
    repository = tmp_path / "contributor"
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    settings = {
        "GIT_DIR": str(repository / ".git"),
        "GIT_INDEX_FILE": str(repository / ".git" / "index"),
        "GIT_WORK_TREE": str(ROOT),
        "PYTHONPATH": str(ROOT),
        "FORCE_COLOR": "1",
    }
    test = "test_repository.py::test_the_commit_hooks_find_a_style_fault_and_let_a_clean_file_pass"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/{test}"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert not (repository / ".git" / "index").exists()


PAGE = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
# A page

```{code-cell}
import matplotlib.pyplot as plt
plt.plot([0, 1])
plt.show()
```
"""


def test_a_page_runs_in_a_folder_of_any_name_under_any_settings(hostile, tmp_path):
    source = tmp_path / "my%20books" / "vae #1?"
    source.mkdir(parents=True)
    (source / "index.md").write_text(PAGE, "utf-8")
    lines = ["extensions = ['myst_nb', '_ext.execution']", "nb_execution_mode = 'cache'"]
    lines += ["nb_execution_raise_on_error = True", "html_theme = 'basic'"]
    (source / "conf.py").write_text("\n".join(lines), "utf-8")
    # With these two Sphinx would not reach the extension that helps.
    settings = {k: v for k, v in hostile.items() if k not in ["PYTHONHOME", "LC_ALL"]}
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", source, source / "_build" / "html"],
        env={**os.environ, **settings, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert '<img alt="_images' in (source / "_build" / "html" / "index.html").read_text("utf-8")
    assert list(source.glob("_build/.jupyter_cache/executed/*/base.ipynb"))
