"""The files around the book: workflows, issue forms, citation, environments for other hosts."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import lock
import pytest
import release
import yaml
from check_jsonschema import main as check_schema
from click.testing import CliRunner
from conftest import ROOT
from environment import NEWEST, OLDEST
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from whole_book import whole_book

import vaebook

TOOLS = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PARSED = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in WORKFLOWS}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

#: Schema of the checker, files that must follow it.
SCHEMAS = [
    ("vendor.github-workflows", ".github/workflows/*.yml"),
    ("custom.github-workflows-require-timeout", ".github/workflows/*.yml"),
    ("vendor.dependabot", ".github/dependabot.yml"),
    ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/[0-9]-*.yml"),
    ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
    ("vendor.citation-file-format", "CITATION.cff"),
]


def run(*command):
    """Run one of the environment's programs; return its status and what it says."""
    done = subprocess.run(
        [TOOLS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def python_versions():
    """Return the Python versions that CI tries, in their order."""
    jobs = PARSED["ci"]["jobs"]
    last = jobs["newest"]["steps"][1]["with"]["python-version"]
    return [*jobs["test"]["strategy"]["matrix"]["python"], last]


def locked(version):
    """Return name -> version of what ``requirements.txt`` pins for one Python on Linux."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    linux = {"python_version": version, "python_full_version": f"{version}.7"}
    linux |= {"sys_platform": "linux", "os_name": "posix", "platform_machine": "x86_64"}
    pins = {}
    for line in lines:
        if not line.startswith("#"):
            pin = Requirement(line)
            if not pin.marker or pin.marker.evaluate(linux):
                assert pin.name not in pins, f"{pin.name} is pinned twice for Python {version}"
                assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), f"{line!r}: no pin"
                pins[pin.name] = Version(str(pin.specifier)[2:])
    return pins


def asked():
    """Return the names of ``requirements.in``, as the lock writes them."""
    lines = (ROOT / "requirements.in").read_text("utf-8").splitlines()
    lines = [line.partition("  #")[0] for line in lines if not line.startswith("#")]
    return {canonicalize_name(Requirement(line).name) for line in lines}


@pytest.mark.parametrize(("schema", "files"), SCHEMAS)
def test_files_follow_their_schema(schema, files):
    paths = sorted(ROOT.glob(files))
    assert paths, f"no file {files}"
    done = CliRunner().invoke(check_schema, ["--builtin-schema", schema, *map(str, paths)])
    assert done.exit_code == 0, done.output


def test_the_linter_finds_no_fault_in_the_workflows():
    status, output = run("zizmor", "--offline", "--no-progress", "--persona", "auditor", ".github")
    assert status == 0, output


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_and_says_its_version(path):
    uses = re.findall(r"uses: *(.*)", path.read_text("utf-8"))
    assert uses
    for action in uses:
        if action.startswith("$/"):  # a workflow of ours, of the same commit
            assert (ROOT / action[2:]).exists(), action
            continue
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_every_workflow_pins_an_action_to_the_same_commit():
    text = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses: *(\S+)@(\S+) # (\S+)", text))
    assert len({name for name, _, _ in pins}) == len(pins), sorted(pins)


def test_the_book_is_published_only_after_every_job_of_ci():
    pages, ci = PARSED["pages"], PARSED["ci"]
    assert set(pages[True]) == {"workflow_call", "workflow_dispatch"}  # YAML reads "on" as True
    callers = {name for name, job in ci["jobs"].items() if "pages.yml" in job.get("uses", "")}
    assert callers == {"pages"}
    assert set(ci["jobs"]["pages"]["needs"]) == set(ci["jobs"]) - callers
    assert ci["jobs"]["pages"]["if"] == "github.event_name == 'push'"


def test_only_the_publishing_job_may_write():
    may_write = {}
    for workflow_name, workflow in PARSED.items():
        assert workflow["permissions"] == {}, f"{workflow_name}: no rights but those of a job"
        for name, job in workflow["jobs"].items():
            rights = {right for right, level in job["permissions"].items() if level != "read"}
            if rights:
                may_write[workflow_name, name] = rights
    publish = {"pages", "id-token"}
    assert may_write == {("pages", "deploy"): publish, ("ci", "pages"): publish}


def commands_of(job):
    """Return the shell commands of a job, one for each value of its matrix that they name."""
    matrix = job.get("strategy", {}).get("matrix", {})
    for step in job.get("steps", []):
        variables = re.findall(r"\$\{(\w+)\}", step.get("run", ""))
        if "run" in step and not variables:
            yield step["run"]
        for variable in variables:
            key = re.search(r"matrix\.(\w+)", step["env"][variable])[1]
            for value in matrix.get(key) or [entry[key] for entry in matrix["include"]]:
                yield step["run"].replace(f"${{{variable}}}", value).replace('"', "")


def test_the_workflows_run_commands_that_make_has():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    jobs = [job for workflow in PARSED.values() for job in workflow["jobs"].values()]
    called = {command for job in jobs for command in commands_of(job)}
    known = {f"make {target}" for target in targets}
    assert called <= known, f"the Makefile has no target for {sorted(called - known)}"
    wanted = ["audit", "book", "links", "quick"]
    wanted += ["test", "test-all", "test-colab", "test-newest", "test-oldest"]
    assert sorted(called) == [f"make {target}" for target in wanted]


def test_python_versions_agree():
    versions = python_versions()
    assert PROJECT["requires-python"] == f">={versions[0]}"
    oldest, newest = (f"{major}.{minor}" for major, minor in (OLDEST, NEWEST))
    assert (versions[0], versions[-1]) == (oldest, newest)
    for name in ["README.md", "CONTRIBUTING.md"]:
        assert f"Python {oldest} to {newest}" in (ROOT / name).read_text("utf-8"), name
    runtime = (ROOT / ".binder/runtime.txt").read_text("utf-8").strip()
    assert runtime.removeprefix("python-") in versions


def test_the_version_is_the_same_everywhere():
    for name, places in release.STATED.items():
        for before in places:
            stated = f"{before}{vaebook.__version__}"
            assert (ROOT / name).read_text("utf-8").count(stated) == 1, f"{name}: {stated}"
    texts = [path for kind in ("*.md", "*.cff", "appendix/*.md") for path in ROOT.glob(kind)]
    stating = {path for path in texts if vaebook.__version__ in path.read_text("utf-8")}
    written = {ROOT / name for name in release.STATED} | {ROOT / "CHANGELOG.md"}
    assert stating <= written, "tools/release.py does not know of a file that states the version"
    assert PROJECT["dynamic"] == ["version"]


@pytest.mark.parametrize("version", python_versions())
def test_the_locked_environment_is_within_the_declared_bounds(version):
    pins = locked(version)
    for dependency in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["torch"]:
        name, bound = dependency.split(">=")
        assert pins[name] >= Version(bound), f"{name} {pins[name]} is below {bound}"
    assert asked() <= set(pins)


def test_the_lock_names_no_address_and_nothing_that_a_processor_does_not_need():
    text = (ROOT / "requirements.txt").read_text("utf-8")
    assert not re.search(r"://|--|nvidia|triton", text)


def test_the_audit_asks_for_every_version_of_the_lock(monkeypatch):
    lists = []
    monkeypatch.setattr(lock, "run", lambda *command: lists.append(command[-1].read_text()) or 0)
    assert lock.audit() == 0
    text = (ROOT / "requirements.txt").read_text("utf-8")
    assert sorted(" ".join(lists).split()) == sorted(re.findall(r"(?m)^[\w.-]+==[\w.]+", text))
    for pins in lists:  # pip-audit refuses a list that names a package twice
        names = re.findall(r"(?m)^([\w.-]+)==", pins)
        assert len(names) == len(set(names))


def test_what_is_vendored_is_listed_and_unchanged():
    folder = ROOT / "_vendor"
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = dict(line.split()[::-1] for line in lines)
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }
    assert found == listed
    for name in {path.relative_to(folder).parts[0] for path in paths}:
        assert (folder / name / "LICENSE").exists()


def test_contributing_gives_a_reason_for_everything_asked_for_by_name():
    reasons = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("| dependency |")[2]
    first_cells = {line.split("|")[1] for line in reasons.splitlines() if line.startswith("|")}
    explained = set(map(canonicalize_name, re.findall(r"[\w-]+", " ".join(first_cells))))
    unexplained = asked() - explained - {"contourpy", "pyyaml", "setuptools"}
    assert not unexplained, f"CONTRIBUTING says nothing of {sorted(unexplained)}"


def test_binder_takes_the_package_and_its_pins_from_the_book():
    lines = (ROOT / ".binder/requirements.txt").read_text("utf-8").splitlines()
    wanted = {line for line in lines if not line.startswith("#")}
    assert {"-c ../requirements.txt", ".[torch]"} <= wanted
    runtime = (ROOT / ".binder/runtime.txt").read_text("utf-8").strip().removeprefix("python-")
    assert wanted - {"-c ../requirements.txt", ".[torch]"} <= set(locked(runtime))


def test_the_development_container_runs_a_supported_python_and_a_target_of_make():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
    version = re.match(r"python:(\d\.\d+)-", container["image"])[1]
    assert version in python_versions()
    assert {str(port) for port in container["forwardPorts"]} == set(container["portsAttributes"])
    assert "PORT ?= 8000" in (ROOT / "Makefile").read_text("utf-8")
    target = container["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.M)


def test_the_commit_hooks_find_a_style_fault_and_let_a_clean_file_pass(tmp_path):
    def git(*command):
        subprocess.run(["git", "-C", tmp_path, *command], check=True, capture_output=True)

    git("init", "-q")
    for name in [".pre-commit-config.yaml", "pyproject.toml"]:
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    (tmp_path / ".venv").symlink_to(TOOLS.parent)
    module = tmp_path / "module.py"
    statuses = {}
    for name, text in {"clean": "value = 1\n", "faulty": "import os\nvalue=1\n"}.items():
        module.write_text(text, "utf-8")
        git("add", "module.py", ".pre-commit-config.yaml")
        done = subprocess.run(
            [TOOLS / "pre-commit", "run", "--files", "module.py"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        statuses[name] = re.findall(r"(ruff \w+)\.+(Passed|Failed)", done.stdout)
    assert statuses["clean"] == [("ruff check", "Passed"), ("ruff format", "Passed")]
    assert statuses["faulty"] == [("ruff check", "Failed"), ("ruff format", "Failed")]


def test_the_commit_hook_sees_every_file_that_the_notebooks_are_made_from():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = {hook["id"]: hook for hook in config["repos"][0]["hooks"]}
    read = {f"{slug}.md" for slug in whole_book().pages}
    assert "index.md" in read
    read |= {"_toc.yml", "_config.yml", "references.bib"}
    unseen = {name for name in read if not re.search(hooks["notebooks"]["files"], name)}
    assert not unseen, f"a change of {sorted(unseen)} runs no check of the notebooks"
