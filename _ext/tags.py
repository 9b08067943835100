"""Elements of a page that docutils has no node for."""

from html import escape

from docutils import nodes


class Tag(nodes.General, nodes.Element):
    """An HTML element: ``tag`` is its name, ``attributes`` what stands in it; True stands alone."""


def make(tag, *children, **attributes):
    """Return an HTML element; an underscore in a name is a hyphen, ``class_`` is ``class``."""
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return Tag("", *children, tag=tag, attributes=names)


def _open(translator, node):
    words = (
        f" {name}" if value is True else f' {name}="{escape(value)}"'
        for name, value in node["attributes"].items()
    )
    translator.body.append(f"<{node['tag']}{''.join(words)}>")


def _close(translator, node):
    translator.body.append(f"</{node['tag']}>")


def setup(app):
    """Register with Sphinx."""
    app.add_node(Tag, html=(_open, _close))
