"""Figures that cells draw: SVG whose colours follow the theme, with the code in the caption row."""

from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from vaebook.explorers.svg import inline_svg

from .tags import make


class CodeInCaption(SphinxPostTransform):
    """Move the folded code of a figure into its caption, behind a small link.

    Runs before MyST-NB wraps what it hides, with priority 199.
    """

    default_priority = 195
    formats = ("html",)

    def run(self, **kwargs):
        """Change the page."""
        for cell in list(self.document.findall(nodes.container)):
            figures = list(cell.findall(nodes.figure))
            if cell.get("hide_mode") == "input" and figures:
                del cell["hide_mode"]
                source = cell.pop(0)
                code = make(
                    "details", make("summary", nodes.Text("code")), source, class_="vb-code"
                )
                figures[-1] += nodes.legend("", code)


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
    app.add_post_transform(CodeInCaption)
    app.connect("doctree-resolved", inline_figures)
