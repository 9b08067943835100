"""Run the package's tests with the oldest or the newest versions that ``pyproject.toml`` allows.

    python3.11 tools/test_versions.py oldest
    python3.13 tools/test_versions.py newest

It makes a bare environment ``.venv-oldest`` or ``.venv-newest``, installs the package there from
its folder, imports it there, adds PyTorch and the test tools, and runs the tests that need neither
the site nor the tools that build it.  The Python that runs it is the one that is tested.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv

from environment import ROOT, made

#: These tests read the book, its notebooks or its repository rather than the package.
OF_THE_BOOK = {
    "chapters",
    "build_book",
    "check_links",
    "environment",
    "execution_key",
    "ext",
    "failures",
    "gate",
    "grade",
    "homework",
    "ledger",
    "make_notebooks",
    "moves",
    "preview",
    "reference",
    "release",
    "repository",
    "toy_vae",
}
TEST_TOOLS = ["hypothesis", "pytest", "pytest-timeout", "pytest-xdist"]
#: Newer ones let the oldest Matplotlib warn at its import, in every process that a test starts.
OF_THEIR_AGE = ["pyparsing<3.3"]


def declared():
    """Return the package's dependencies, and those of its extra, as ``pyproject.toml`` has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project["dependencies"] + project["optional-dependencies"]["torch"]


def floors():
    """Return the dependencies pinned to their lower bounds."""
    return [dependency.replace(">=", "==") for dependency in declared()]


def main(which):
    """Set up, import the package alone, run the tests; return the exit status of the tests."""
    if which == "oldest" and sys.version_info >= (3, 13):
        sys.exit(
            "They have no wheels for Python 3.13 and later: make PYTHON=python3.11 test-oldest"
        )
    folder = ROOT / f".venv-{which}"
    venv.create(folder, clear=True, with_pip=True)
    python = str(folder / "bin" / "python")
    environment = made(os.environ, folder)

    def install(*what):
        pip = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *options, *what], env=environment, check=True)

    # Building an old release from its source would test the compiler of this machine.
    options = ["--only-binary", ":all:", "--upgrade"]
    if which == "oldest":
        (folder / "floors.txt").write_text("\n".join([*floors(), *OF_THEIR_AGE]), "utf-8")
        options += ["--constraint", str(folder / "floors.txt")]
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # else a module deleted since would be packed
    install(str(ROOT))
    subprocess.run([python, "-c", "import vaebook"], cwd=folder, env=environment, check=True)
    install(f"{ROOT}[torch]", *TEST_TOOLS)
    names = {re.match(r"[\w-]+", dependency)[0] for dependency in declared()}
    command = [python, "-m", "pip", "list", "--format=freeze"]
    frozen = subprocess.check_output(command, env=environment, text=True)
    versions = [line for line in frozen.split() if line.split("==")[0] in names]
    print(f"Python {sys.version.split()[0]}:", *versions, flush=True)

    tests = sorted(
        str(path)
        for path in (ROOT / "tests").glob("test_*.py")
        if path.stem.removeprefix("test_") not in OF_THE_BOOK
    )
    command = [str(folder / "bin" / "pytest"), "-q", "-n", "2", "--dist", "worksteal"]
    command += ["-m", "not slow"]
    if which == "oldest":
        # The oldest ipywidgets uses what the newer packages below it have deprecated since.
        command += ["-W", "default::DeprecationWarning"]
    # Two processes: more threads than one each would wait for each other.
    environment["OMP_NUM_THREADS"] = "1"
    return subprocess.run([*command, *tests], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
