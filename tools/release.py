"""Prepare a release: write its version, its heading in the changelog, and the notebooks anew.

    .venv/bin/python tools/release.py 1.2.3

The version is that of ``vaebook/__init__.py``; the wheel and the notebooks take it from there, and
this program copies it to what cannot. It changes nothing where a file is not committed, the branch
is not main, the version exists or is below the last, or nothing is new. At the end it prints the
commands that commit, tag and publish.
"""

import datetime
import re
import subprocess
import sys

from environment import ROOT, adopt

CHANGELOG = "CHANGELOG.md"
#: File -> what stands before the version in it.
STATED = {
    "vaebook/__init__.py": ['__version__ = "'],
    "CITATION.cff": ["\nversion: "],
    "appendix/about.md": ["version = {"],
    "README.md": ["git tag v", "git push origin main v"],
}
NEXT = """
Look at `git diff`, run `make test`, then:

    git commit --all --message "[release] Release {0}"
    git tag --annotate v{0} --message "Version {0}"
    git push origin main v{0}
"""


def git(root, *command):
    """Return what a git command prints."""
    done = subprocess.run(["git", *command], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


def news(changelog):
    """Return what the changelog says under Unreleased, without headings."""
    found = re.search(r"(?s)\n## \[Unreleased\]\n(.*?)(?=\n## \[|\Z)", changelog)
    return re.sub(r"(?m)^#.*", "", found[1]).strip() if found else ""


def numbers(version):
    """Return the three numbers of a version, which compare as versions do."""
    return [int(part) for part in version.split(".")]


def refusal(root, version):
    """Return why a version cannot be released, or an empty text."""
    changelog = (root / CHANGELOG).read_text("utf-8")
    changed = git(root, "status", "--porcelain").strip()
    if not re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}", version):
        return f"{version!r} is no version: make release VERSION=1.2.3"
    if (branch := git(root, "branch", "--show-current").strip()) != "main":
        return f"This is {branch or 'no branch'}, and releases are made on main: git switch main"
    if changed:
        return f"These files are not committed; commit or undo them first:\n{changed}"
    if f"\n## [{version}]" in changelog or f"v{version}" in git(root, "tag").split():
        return f"Version {version} exists: choose a higher one."
    last = re.search(r'__version__ = "(.+)"', (root / "vaebook/__init__.py").read_text("utf-8"))[1]
    if numbers(version) < numbers(last):
        return f"Version {version} is below {last}: choose a higher one."
    if not news(changelog):
        return f"{CHANGELOG} says nothing under '## [Unreleased]': write there what readers notice."
    return ""


def write(root, version, day):
    """Write the version where it is stated, and its heading under Unreleased."""
    for name, places in STATED.items():
        path = root / name
        text = path.read_text("utf-8")
        for before in places:
            text = re.sub(rf"(?<={re.escape(before)})\d+\.\d+\.\d+", version, text)
        path.write_text(text, "utf-8")
    path = root / CHANGELOG
    heading = f"## [Unreleased]\n\n## [{version}] - {day}\n"
    path.write_text(path.read_text("utf-8").replace("## [Unreleased]\n", heading, 1), "utf-8")


def main(version="", root=ROOT):
    """Prepare a release, or say why there is none."""
    if reason := refusal(root, version):
        sys.exit(reason)
    write(root, version, datetime.date.today().isoformat())
    subprocess.run([sys.executable, "tools/make_notebooks.py"], cwd=root, check=True)
    print(NEXT.format(version))


if __name__ == "__main__":
    adopt()
    main(*sys.argv[1:])
