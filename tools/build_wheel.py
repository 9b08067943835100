"""Write dist/vaebook-*.whl, which a notebook can install; nothing is fetched.

.venv/bin/python tools/build_wheel.py
"""

import shutil
import subprocess
import sys

from book_pages import ROOT
from environment import adopt


def build_wheel():
    """Build the wheel with the setuptools that is here; return its path."""
    dist = ROOT / "dist"
    for old in dist.glob("vaebook-*.whl"):
        old.unlink()
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # or modules that are gone would get in
    # In an environment of its own pip would fetch setuptools first.
    here = ["--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(dist)]
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet"]
    subprocess.run([*pip, *here, "."], cwd=ROOT, check=True)
    [wheel] = dist.glob("vaebook-*.whl")
    return wheel


if __name__ == "__main__":
    adopt()
    print(build_wheel())
