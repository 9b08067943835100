"""Run the package's tests with the oldest or the newest versions that ``pyproject.toml`` allows.

    python3.11 tools/test_versions.py oldest
    python3.13 tools/test_versions.py newest

It makes a bare environment ``.venv-oldest`` or ``.venv-newest``, installs the package there from
its folder, times ``import vaebook``, adds PyTorch and the test tools, and runs the tests that need
neither the site nor the tools that build it.  The Python that runs it is the one that is tested.
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
IMPORT_SECONDS = 0.3
#: Prints the seconds of one import in a fresh process, and fails if it pulls in anything heavy.
TIME_IMPORT = """
import sys, time
start = time.perf_counter()
import vaebook
print(time.perf_counter() - start)
heavy = {name.split(".")[0] for name in sys.modules} & {"torch", "numpy", "matplotlib", "IPython"}
sys.exit(f"import vaebook pulls in {heavy}" if heavy else None)
"""


def declared():
    """Return the package's dependencies, and those of its extra, as ``pyproject.toml`` has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project["dependencies"] + project["optional-dependencies"]["torch"]


def floors():
    """Return the dependencies pinned to their lower bounds."""
    return [dependency.replace(">=", "==") for dependency in declared()]


def main(which):
    """Set up, time the import, run the tests; return the exit status of the tests."""
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
    # A busy machine makes an import slower, never faster.
    command = [python, "-c", TIME_IMPORT]
    runs = [subprocess.check_output(command, cwd=folder, env=environment) for _ in range(5)]
    seconds = min(map(float, runs))
    if seconds > IMPORT_SECONDS:
        sys.exit(f"import vaebook takes {seconds:.2f} s; it may take {IMPORT_SECONDS} s.")

    install(f"{ROOT}[torch]", *TEST_TOOLS)
    names = {re.match(r"[\w-]+", dependency)[0] for dependency in declared()}
    command = [python, "-m", "pip", "list", "--format=freeze"]
    frozen = subprocess.check_output(command, env=environment, text=True)
    versions = [line for line in frozen.split() if line.split("==")[0] in names]
    print(f"Python {sys.version.split()[0]}:", *versions)
    print(f"import vaebook: {seconds * 1000:.1f} ms", flush=True)

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
