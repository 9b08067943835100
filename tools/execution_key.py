"""What a page's cells run besides themselves, as one short hash: the code that they import.

Docstrings, comments and modules that no cell reaches do not count.  Of a package whose
``__init__.py`` only lists names, those modules count whose names are used.  Numbers and styles that
lie beside the modules count for every page that imports anything.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from book_pages import ROOT, plain_python

PACKAGE = ROOT / "vaebook"
NOT_READ = {".py", ".pyc", ".js", ".css", ".md", ".typed"}


class Import(NamedTuple):
    """A name of a module (None: all of it), and what is used of the name if that is a module."""

    module: str
    name: str | None = None
    used: frozenset[str] | None = None


class Module(NamedTuple):
    """What counts of a file; `lists` is set where it only says where names come from."""

    digest: bytes
    imports: frozenset[Import]
    lists: dict[str, Import] | None


def execution_key(codes: Iterable[str], package: Path = PACKAGE) -> str:
    """Return the key of cells: where it and their code are equal, so is what they show."""
    digest = hashlib.sha256()
    for path in files_reached(codes, package):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(_read(path).digest if path.suffix == ".py" else path.read_bytes())
    return digest.hexdigest()[:16]


def files_reached(codes: Iterable[str], package: Path = PACKAGE) -> list[Path]:
    """Return the files of the package that cells of this code run or can read, in fixed order."""
    tree = ast.Module([], [])
    for code in codes:
        with suppress(SyntaxError):  # such a cell raises, and the cache keeps no such run
            tree.body += ast.parse(plain_python(code)).body
    waiting = list(_imports(tree))
    seen, reached = set(), set()
    while waiting:
        wanted = waiting.pop()
        module, name, used = wanted
        if wanted in seen or module.partition(".")[0] != package.name:
            continue
        seen.add(wanted)
        if "." in module:
            waiting.append(Import(module.rpartition(".")[0], ""))  # which runs before it
        inner = f"{module}.{name}"
        if name and _path(package, inner).exists():
            waiting += [Import(inner, one) for one in ([None] if used is None else ["", *used])]
            continue
        file = _read(_path(package, module))
        if file.lists is None:
            reached.add(_path(package, module))
            waiting += file.imports
        elif name is None:
            waiting += file.lists.values()
        elif name in file.lists:
            waiting.append(file.lists[name])
    if reached:
        data = (path for path in package.rglob("*") if path.suffix not in NOT_READ)
        reached |= set(filter(Path.is_file, data))
    return sorted(reached)


def _path(package: Path, module: str) -> Path:
    place = package.parent.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _read(path: Path) -> Module:
    return _parsed(path, path.stat().st_mtime_ns)


@cache
def _parsed(path: Path, _changed: int) -> Module:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            del body[0]
    lists = None
    if path.name == "__init__.py" and all(map(_only_lists, tree.body)):
        lists = {
            alias.asname or alias.name: Import(node.module, alias.name)
            for node in tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
    digest = hashlib.sha256(ast.dump(tree).encode()).digest()
    return Module(digest, frozenset(_imports(tree)), lists)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)


def _only_lists(node: ast.stmt) -> bool:
    """Tell whether a statement imports names, or sets one such as ``__all__``."""
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.startswith("__") for t in node.targets)
    return isinstance(node, ast.ImportFrom)


def _imports(tree: ast.Module) -> Iterator[Import]:
    """Yield all that a tree imports, with the attributes that it uses of a name."""
    nodes = list(ast.walk(tree))
    asked = [
        (n.value.id, n.attr)
        for n in nodes
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    ]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                bound = alias.asname or alias.name
                mentions = sum(isinstance(n, ast.Name) and n.id == bound for n in nodes)
                used = [attribute for name, attribute in asked if name == bound]
                whole = len(used) < mentions  # it is passed on, or bound anew
                name = None if bound == "*" else alias.name
                yield Import(node.module, name, None if whole else frozenset(used))
