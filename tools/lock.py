"""Renew the locked environment, or ask which of its versions have known vulnerabilities.

    python3 tools/lock.py           write requirements.txt anew from requirements.in
    python3 tools/lock.py --audit   look each version up in the advisory database of PyPI

One lock serves every Python and system: where versions differ, a marker says which is for whom.
"""

import os
import re
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

from environment import OLDEST, ROOT, made

LOCK = ROOT / "requirements.txt"
VENV = ROOT / ".venv-lock"
TOOLS = ["uv==0.13.9", "pip-audit==2.10.1"]
HEAD = """\
# The locked environment that builds and tests the book, for every Python from {} on.
# Written by `make lock` from requirements.in: edit that.
"""
#: PyTorch pins these itself, and its build for processors alone wants none of them.
FOR_GPUS = re.compile("(cuda|nvidia|triton)")


def run(name, *arguments):
    """Run one of the tools, which have an environment of their own; return its exit status."""
    environment = made(os.environ, VENV)
    if not (VENV / "bin" / name).exists():
        venv.create(VENV, clear=True, with_pip=True)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", *TOOLS]
        subprocess.run(pip, env=environment, check=True)
    command = [str(VENV / "bin" / name), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def renew():
    """Write the newest versions that go together; return the exit status."""
    oldest = ".".join(map(str, OLDEST))
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "requirements.txt")
        options = ["--universal", "--python-version", oldest, "--output-file", found]
        options += ["--no-header", "--no-annotate", "--quiet"]
        status = run("uv", "pip", "compile", *options, "requirements.in")
        if status == 0:
            lines = found.read_text(encoding="utf-8").splitlines()
            pins = [line for line in lines if not FOR_GPUS.match(line)]
            LOCK.write_text(HEAD.format(oldest) + "\n".join(pins) + "\n", encoding="utf-8")
    return status


def audit():
    """Print the known vulnerabilities of every version in the lock; return the exit status."""
    versions = defaultdict(list)
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            pin = line.partition(" ;")[0]
            versions[pin.partition("==")[0]].append(pin)
    options = ["--strict", "--no-deps", "--disable-pip"]
    options += ["--progress-spinner", "off", "--requirement"]
    statuses = []
    with tempfile.TemporaryDirectory() as folder:
        for pins in zip_longest(*versions.values()):  # a list may name a package once
            path = Path(folder, f"{len(statuses)}.txt")
            path.write_text("\n".join(filter(None, pins)), encoding="utf-8")
            statuses.append(run("pip-audit", *options, path))
    return max(statuses)


if __name__ == "__main__":
    sys.exit(audit() if sys.argv[1:] == ["--audit"] else renew())
