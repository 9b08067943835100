"""Checks out of sight: a cell tagged ``check`` is one quiet line, which opens."""

import ast

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.logging import getLogger

from .tags import make

LOGGER = getLogger(__name__)


def check_title(code):
    """Return the line for a cell: how many numbers it asserts; a ValueError if it asserts none."""
    count = sum(map(_is_check, ast.walk(ast.parse(code))))
    if not count:
        raise ValueError("a cell tagged check asserts nothing: give it an assert or drop the tag")
    return f"✓ {count} {'number' if count == 1 else 'numbers'} checked"


def _is_check(node):
    """Tell whether a statement is an ``assert`` or a call of ``np.testing.assert_...``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr.startswith("assert_")
    return isinstance(node, ast.Assert)


class FoldChecks(SphinxPostTransform):
    """Fold each check cell, and move the set-up cell to where code is first seen.

    Runs before MyST-NB wraps what it hides, with priority 199.
    """

    default_priority = 190
    formats = ("html",)

    def run(self, **kwargs):
        """Change the page."""
        cells = [
            cell
            for cell in self.document.findall(nodes.container)
            if cell.get("nb_element") == "cell_code"
        ]
        for cell in cells:
            if "tag_check" in cell["classes"]:
                self.fold(cell)
        for setup in [cell for cell in cells if "tag_setup" in cell["classes"]]:
            later = cells[cells.index(setup) + 1 :]
            first = next(filter(_shows_code, later), None)
            if first is not None:
                setup.parent.remove(setup)
                first.parent.insert(first.parent.index(first), setup)

    def fold(self, cell):
        """Put a check cell behind its line."""
        try:
            title = check_title(cell.children[0].astext())
        except ValueError as error:
            LOGGER.warning("%s", error, location=cell)
            return
        details = make("details", make("summary", nodes.Text(title)), class_="vb-checks")
        cell.replace_self(details)
        details += cell


def _shows_code(cell):
    """Tell whether a reader sees the code of a cell without opening anything."""
    source = cell.children[0].get("nb_element") == "cell_code_source" if cell.children else False
    return source and not cell.get("hide_mode") and "tag_check" not in cell["classes"]


def setup(app):
    """Register with Sphinx."""
    app.add_post_transform(FoldChecks)
