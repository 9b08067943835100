"""`make release` writes the version everywhere, or refuses and changes nothing."""

import subprocess

import pytest
import release
from conftest import ROOT

import vaebook

FIRST = "## [0.1.0] - 2026-01-01\n\n- All.\n"
NEWS = f"# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A page.\n\n{FIRST}"


@pytest.fixture
def checkout(tmp_path):
    """A small repository with the files that state a version, and a version released before."""
    for name in release.STATED:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        text = (ROOT / name).read_text("utf-8")
        path.write_text(text.replace(vaebook.__version__, "0.1.0"), "utf-8")
    (tmp_path / "CHANGELOG.md").write_text(NEWS, "utf-8")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "make_notebooks.py").write_text("open('made', 'w')\n", "utf-8")
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        [*names, "commit", "-q", "-m", "All"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    subprocess.run(["git", "tag", "v0.3.0"], cwd=tmp_path, check=True)
    return tmp_path


def test_a_release_is_written_everywhere_and_its_tag_is_printed(checkout, capsys):
    release.main("0.2.0", checkout)
    for name, places in release.STATED.items():
        for before in places:
            assert f"{before}0.2.0" in (checkout / name).read_text("utf-8"), name
    changelog = (checkout / "CHANGELOG.md").read_text("utf-8")
    unreleased, _, released = changelog.partition("## [0.2.0] - 20")
    assert release.news(changelog) == ""
    assert unreleased.endswith("## [Unreleased]\n\n")
    assert "- A page." in released
    assert (checkout / "made").exists()
    printed = capsys.readouterr().out
    assert "git tag --annotate v0.2.0" in printed
    assert "git push origin main v0.2.0" in printed


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("0.1.0", "exists"),  # in the changelog
        ("0.3.0", "exists"),  # as a tag
        ("0.0.9", "is below 0.1.0"),
        ("two", "no version"),
        ("0.02.0", "no version"),
        ("0.4.0 0.5.0", "no version"),
        ("", "no version"),
    ],
)
def test_a_version_that_exists_or_is_none_is_refused(checkout, version, words):
    before = release.git(checkout, "status", "--porcelain")
    with pytest.raises(SystemExit, match=words):
        release.main(version, checkout)
    assert release.git(checkout, "status", "--porcelain") == before


def test_a_dirty_tree_is_refused(checkout):
    (checkout / "forgotten.md").write_text("new", "utf-8")
    with pytest.raises(SystemExit, match="not committed"):
        release.main("0.2.0", checkout)
    assert "[0.2.0]" not in (checkout / "CHANGELOG.md").read_text("utf-8")


def test_another_branch_is_refused(checkout):
    subprocess.run(["git", "switch", "-q", "-c", "aside"], cwd=checkout, check=True)
    with pytest.raises(SystemExit, match="This is aside"):
        release.main("0.2.0", checkout)


@pytest.mark.parametrize("gone", ["- A page.\n\n", "## [Unreleased]\n\n"])
def test_a_release_without_news_is_refused(checkout, gone):
    path = checkout / "CHANGELOG.md"
    path.write_text(NEWS.replace(gone, ""), "utf-8")
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *names, "commit", "-qam", "Nothing new"], cwd=checkout, check=True)
    with pytest.raises(SystemExit, match="says nothing"):
        release.main("0.2.0", checkout)
