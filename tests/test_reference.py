"""The appendix "The package": every public call is on it, typed, and leads back to the book."""

import ast
import importlib
import inspect
import re

import pytest
from conftest import ROOT
from whole_book import whole_book

from _ext import reference

PAGE = (ROOT / "appendix" / "package.md").read_text("utf-8")
SHOWN = re.findall(r"\.\. automodule:: (\S+)", PAGE)
#: Modules that only others of the package use, or only the pages of the book.
NOT_SHOWN = {
    "vaebook",
    "vaebook.arguments",
    "vaebook.results",
    *(f"vaebook.vae.{name}" for name in ("__main__", "checkpoints", "config", "convolutional")),
    *(f"vaebook.vae.{name}" for name in ("evaluation", "layers", "networks", "perceptrons")),
    *(f"vaebook.vae.{name}" for name in ("machine", "priors", "session")),
}


def modules():
    """Return the name of each module of the package but those of checks, figures, explorers."""
    for path in sorted((ROOT / "vaebook").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if len(parts) < 2 or parts[1] not in ("checks", "figures", "explorers"):
            yield ".".join(parts).removesuffix(".__init__")


def public(name):
    """Return the documented functions and methods of a module by their full name."""
    module = importlib.import_module(name)
    names = getattr(module, "__all__", [one for one in vars(module) if one[0] != "_"])
    for one in names:
        value = getattr(module, one)
        ours = getattr(value, "__module__", "").startswith("vaebook")
        if inspect.isclass(value) and ours:
            for called, method in vars(value).items():
                function = getattr(method, "fget", getattr(method, "__func__", method))
                shown = called[0] != "_" or called in ("__init__", "__call__")
                if shown and inspect.isfunction(function):
                    yield f"{one}.{called}", function
        elif callable(value) and ours and inspect.isfunction(inspect.unwrap(value)):
            yield one, inspect.unwrap(value)


def test_every_module_is_on_the_page_or_left_out_on_purpose():
    assert {*modules(), "vaebook.explorers"} == {*SHOWN, *NOT_SHOWN}
    assert SHOWN[-1] == "vaebook.explorers"


@pytest.mark.parametrize("module", [*SHOWN[:-1], "vaebook.explorers.base"])
def test_every_public_call_says_what_goes_in_and_what_comes_out(module):
    for name, function in public(module):
        signature = inspect.signature(function)
        given = [one for one in signature.parameters.values() if one.name not in ("self", "cls")]
        untyped = [one.name for one in given if one.annotation is one.empty]
        assert not untyped, f"{module}.{name}: no type for {', '.join(untyped)}"
        returns = signature.return_annotation is not signature.empty
        assert returns or function.__name__ == "__init__", f"{module}.{name}: no type of the result"


def sources():
    """Return where each line of sources stands, and the roles that it becomes."""
    pages = set(whole_book().pages)
    for path in sorted((ROOT / "vaebook").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                text = ast.get_docstring(node) or ""
                if found := re.search(r"(?ms)^Source: .*", text):
                    words = " ".join(found[0].split())
                    linked = reference.PLACES.sub(lambda place: reference.link(place, pages), words)
                    yield f"{path.name}: {node.name}", linked


def test_every_source_leads_to_a_place_of_the_book():
    book = whole_book()
    all_sources = dict(sources())
    assert len(all_sources) > 100
    for where, linked in all_sources.items():
        for label in re.findall(r":(?:eq|ref|numref):`([^`]+)`", linked):
            assert label in book.targets, f"{where} names {label}, which no page has"
        unknown = set(re.findall(r'"([\w-]+)"', re.sub(r":\w+:`[^`]*`", "", linked)))
        assert not unknown, f"{where} names {unknown}, which is no chapter"


def test_a_source_becomes_links_and_is_no_part_of_the_section_above_it():
    lines = ["One.", "", "Raises", "------", "ValueError", "    If.", ""]
    lines += [
        'Source: chapter "a", section "sec-b" of its deeper page; deeper page "a", eq-c and',
        "d.",
    ]

    class App:
        class env:
            found_docs = ("chapters/a", "deeper/a")

    reference.link_source(App, "function", "f", None, None, lines)
    assert lines[-4:] == [
        "",
        "",
        "**Source:** chapter :doc:`/chapters/a`, section :ref:`sec-b` of its deeper page; "
        "deeper page :doc:`/deeper/a`, :eq:`eq-c` and d.",
        "",
    ]
