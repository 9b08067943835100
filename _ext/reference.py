"""The page ``appendix/package``: what autodoc shows of the package, and the way back to the book.

The line ``Source: chapter "jensens-inequality", eq-jensen.`` at the end of a docstring becomes
links to that page and to the equations, figures and sections that it names.
"""

import re

PLACES = re.compile(
    r'"((?:eq|fig|sec)-[\w-]+)"|\b((?:eq|fig|sec)-[\w-]+)|(deeper page )?"([\w-]+)"'
)
ROLES = {"eq": "eq", "fig": "numref", "sec": "ref"}


def link_source(app, what, name, obj, options, lines):
    """Set the last lines of a docstring, where it is used, apart and link what they name.

    Runs before napoleon, which would take them for one more entry of the section above.
    """
    starts = [number for number, line in enumerate(lines) if line.startswith("Source: ")]
    if starts:
        words = " ".join(lines[starts[0] :]).removeprefix("Source: ").strip()
        linked = PLACES.sub(lambda place: link(place, app.env.found_docs), words)
        lines[starts[0] :] = ["", f"**Source:** {linked}", ""]


def link(place, pages):
    """Return the role that leads to a place; what is no page of the book stays as it is."""
    quoted, label, deeper, page = place.groups("")
    if label := quoted or label:
        return f":{ROLES[label.partition('-')[0]]}:`{label}`"
    path = f"{'deeper' if deeper else 'chapters'}/{page}"
    return f"{deeper}:doc:`/{path}`" if path in pages else place[0]


def leave_out(app, what, name, obj, skip, options):
    """Leave out fields of named tuples, which the docstring lists, and all parts of an explorer."""
    of_explorer = what == "class" and app.env.temp_data["autodoc:module"] == "vaebook.explorers"
    return True if of_explorer or type(obj).__name__ == "_tuplegetter" else None


def name_controls(app, what, name, obj, options, signature, returns):
    """Say what an explorer takes, of which its traits tell Python only that it is anything."""
    if what == "class" and name.startswith("vaebook.explorers."):
        return "(*, controls=None, **values)", None
    return None


def setup(app):
    """Register with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.connect("autodoc-process-docstring", link_source, priority=400)
    app.connect("autodoc-process-signature", name_controls)
    app.connect("autodoc-skip-member", leave_out)
