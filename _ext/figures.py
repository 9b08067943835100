"""Figures that cells draw: part of the page as SVG whose colours follow the theme."""

from pathlib import Path

from docutils import nodes

from vaebook.explorers.svg import inline_svg


def inline_figures(app, doctree, docname):
    """Replace each figure that a cell drew by its SVG, themed and with its alt text."""
    if app.builder.format != "html":
        return
    for number, image in enumerate(list(doctree.findall(nodes.image))):
        path = Path(app.srcdir) / image["uri"]
        if path.suffix == ".svg" and "jupyter_execute" in path.parts:
            alt = image.get("alt", "")
            svg = inline_svg(path.read_text("utf-8"), alt=alt, prefix=f"fig{number}")
            image.replace_self(nodes.raw("", svg, format="html"))


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-resolved", inline_figures)
