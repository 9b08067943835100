"""The command that builds the book: when it has nothing to do."""

import build_book
import pytest


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book whose builds are counted and end in a page or, with a fault in its text, without."""
    page, site = tmp_path / "chapters" / "one.md", tmp_path / "_build" / "html"
    page.parent.mkdir()
    page.write_text("One", "utf-8")
    builds = []

    def build():
        builds.append(page.read_text("utf-8"))
        site.mkdir(parents=True, exist_ok=True)
        (site / "index.html").write_text("built", "utf-8")
        return 0

    monkeypatch.setattr(build_book, "ROOT", tmp_path)
    monkeypatch.setattr(build_book, "SITE", site)
    monkeypatch.setattr(build_book, "BUILT", site.parent / "built-from.txt")
    monkeypatch.setattr(build_book, "build_wheel", lambda: None)
    monkeypatch.setattr(build_book, "build", build)
    monkeypatch.setattr(build_book, "toc_pages", lambda: ["chapters/one"])
    monkeypatch.setattr(build_book, "check", lambda: ["a fault"] if "fault" in builds[-1] else [])
    return page, site, builds


def test_a_book_that_has_not_changed_is_not_built_again(book, capsys):
    page, site, builds = book
    build_book.main()
    build_book.main()
    assert builds == ["One"]
    told = capsys.readouterr().out.splitlines()
    assert told[-2:] == [
        "The book is built, and nothing has changed since.",
        f"Open {(site / 'index.html').as_uri()}",
    ]
    page.write_text("Two", "utf-8")
    build_book.main()
    (site / "index.html").unlink()
    build_book.main()
    (page.parent / "new.md").write_text("", "utf-8")
    build_book.main()
    assert builds == ["One", "Two", "Two", "Two"]


def test_a_faulty_book_is_built_until_it_is_sound(book):
    page, _, builds = book
    build_book.main()
    page.write_text("a fault", "utf-8")
    for _ in range(2):
        with pytest.raises(SystemExit, match="1 faults"):
            build_book.main()
    page.write_text("One", "utf-8")
    build_book.main()
    assert builds == ["One", "a fault", "a fault", "One"]
