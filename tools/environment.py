"""The environment in which everything of the book runs: packages in .venv, settings made here.

    python3 -E -s tools/environment.py COMMAND ...

sets .venv up where that is due and runs a command of it; ``make`` starts everything so.  Of the
caller's settings the command sees those that it needs to reach a disk, a network or a processor.
What would change a figure, a number or the place where pip installs does not get through, neither
from a variable nor from a file in the caller's home.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
#: The oldest Python that serves, and the newest that was tried.
OLDEST, NEWEST = (3, 11), (3, 15)
#: The caller's settings that stay: of the machine, of the way to packages, of the book.
KEPT = re.compile(
    "PATH|HOME|USER|LOGNAME|SHELL|TERM|TMPDIR|CI|LD_LIBRARY_PATH|CUDA_VISIBLE_DEVICES"
    "|OMP_NUM_THREADS|XDG_.*|NIX_.*|PLAYWRIGHT_.*|UV_.*|.*_(proxy|PROXY)"
    "|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|NETRC"
    "|PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|PROXY|CERT|CLIENT_CERT"
    "|CONFIG_FILE|CACHE_DIR|NO_CACHE_DIR|TIMEOUT|DEFAULT_TIMEOUT|RETRIES|KEYRING_PROVIDER)"
    "|VAEBOOK_DATA|PYTEST_XDIST_.*"
)
#: Prints the lines of the lock that are not installed. pip brings what reads them.
MISSING = """
import sys
from importlib.metadata import PackageNotFoundError, version
from pip._vendor.packaging.requirements import Requirement

for line in open(sys.argv[1], encoding="utf-8"):
    wanted = None if line.startswith("#") else Requirement(line)
    if wanted and (not wanted.marker or wanted.marker.evaluate()):
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            found = "0"
        if not wanted.specifier.contains(found, prereleases=True):
            print(line.strip())
"""


def made(environ, folder):
    """Return the environment that is made from the caller's, with its own settings in a folder."""
    kept = {name: value for name, value in environ.items() if KEPT.fullmatch(name)}
    own = Path(folder) / "settings"
    return {
        **kept,
        "LC_ALL": "C",  # which every system has; Python reads and writes UTF-8 all the same
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "MPLCONFIGDIR": str(own / "matplotlib"),
        "IPYTHONDIR": str(own / "ipython"),
        "JUPYTER_CONFIG_DIR": str(own / "jupyter"),
        "JUPYTER_DATA_DIR": str(own / "jupyter"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # These two overrule pip's configuration files, too.
        "PIP_USER": "0",
        "PIP_DRY_RUN": "0",
    }


def adopt():
    """Put this process and all that it starts into the made environment.

    A program that is called without ``make`` keeps its PYTHONPATH, which may name another checkout.
    """
    folder = sys.prefix if sys.prefix != sys.base_prefix else VENV
    path = {name: os.environ[name] for name in ["PYTHONPATH"] if name in os.environ}
    other = of_another_checkout(folder)
    if other and not path:
        sys.exit(f"{folder} belongs to the checkout in {other}: `make book` sets it up anew.")
    environment = {**made(os.environ, folder), **path}
    os.environ.clear()
    os.environ.update(environment)


def of_another_checkout(folder):
    """Return the checkout whose package an environment holds, if it is not this one."""
    pattern = "lib/python*/site-packages/vaebook-*.dist-info/direct_url.json"
    for record in Path(folder).glob(pattern):
        origin = unquote(urlsplit(json.loads(record.read_text(encoding="utf-8"))["url"]).path)
        if Path(origin) != ROOT:
            return origin
    return None


@contextlib.contextmanager
def alone(root=ROOT):
    """Hold off any other process that builds, writes or sets up in the same checkout."""
    folder = Path(root, "_build")
    folder.mkdir(exist_ok=True)
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another command builds in this folder: waiting for its end ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wanted():
    """Return a mark of all that is installed in .venv."""
    files = [ROOT / "requirements.txt", ROOT / "pyproject.toml"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def is_sound():
    """Whether the Python of .venv starts and finds its packages, which are of this checkout."""
    if of_another_checkout(VENV):
        return False
    look = "import sys, importlib.util as u; sys.exit(not u.find_spec('pip'))"
    command = [str(VENV / "bin" / "python"), "-I", "-c", look]
    with contextlib.suppress(OSError):
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0
    return False


def is_ready():
    """Whether .venv holds what is wanted, and runs."""
    ready = VENV / ".ready"
    installed = ready.read_text(encoding="utf-8") if ready.exists() else ""
    return installed == wanted() and is_sound()


def check_python():
    """Refuse a Python that is too old; warn of one that is newer than any that was tried."""
    found, oldest, newest = ("{}.{}".format(*v) for v in (sys.version_info, OLDEST, NEWEST))
    if sys.version_info[:2] < OLDEST:
        sys.exit(
            f"Python {found} found, but the book needs {oldest} or newer, "
            f"tried up to {newest}: make PYTHON=python{newest} ..."
        )
    if sys.version_info[:2] > NEWEST:
        print(f"Python {found} found; the newest that the book was tried with is {newest}.")


def set_up():
    """Make .venv if there is none that runs, and bring what it holds up to the lock."""
    check_python()
    note = "Setting up .venv with the packages of requirements.txt (once; a few minutes) ..."
    print(note, flush=True)
    environment = made(os.environ, VENV)
    python = str(VENV / "bin" / "python")

    def run(*command, **streams):
        return subprocess.run(command, cwd=str(ROOT), env=environment, check=False, **streams)

    def install(*what):
        if run(python, "-m", "pip", "install", "--quiet", *what).returncode:
            sys.exit("The packages could not be installed; pip says above why.")

    if not is_sound():
        if VENV.is_symlink():
            VENV.unlink()  # what it leads to may belong to another checkout
        shutil.rmtree(str(VENV), ignore_errors=True)
        if run(sys.executable, "-m", "venv", str(VENV)).returncode:
            sys.exit("Python's venv module is missing: apt install python3-venv")
    install("--progress-bar", "on", "-r", "requirements.txt")
    look = run(python, "-c", MISSING, "requirements.txt", stdout=subprocess.PIPE)
    missing = look.stdout.decode().splitlines()
    if missing:
        sys.exit(
            f"pip reports no error, but .venv lacks {len(missing)} packages, {missing[0]} among "
            "them: a setting leads them elsewhere; see .venv/bin/python -m pip config list"
        )
    install("--no-deps", "--no-build-isolation", "-e", ".")
    profile = VENV / "settings" / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    # Or each kernel says at its start that other users of the machine could read along.
    quiet = "c.IPKernelApp.log_level = 'ERROR'\n"
    (profile / "ipython_kernel_config.py").write_text(quiet, encoding="utf-8")
    # A first page that has to list the fonts can take so long that Matplotlib warns.
    run(python, "-c", "import matplotlib.font_manager", stderr=subprocess.DEVNULL)
    (VENV / ".ready").write_text(wanted(), encoding="utf-8")


def main(command):
    """Set up if that is due, then become the command."""
    if not is_ready():
        with alone():
            if not is_ready():  # another command may have done it meanwhile
                set_up()
    environment = made(os.environ, VENV)
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment['PATH']}"
    os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    main(sys.argv[1:])
