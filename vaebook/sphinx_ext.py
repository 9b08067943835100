"""What the book's build needs beyond Jupyter Book: live explorers, themed figures, no third party.

Loaded by ``_config.yml``. It

- runs the chapters with ``VAEBOOK_STATIC=1``, so that explorers write HTML and open no comm;
- keys the execution cache on the package, so that a change in ``vaebook`` runs the pages again;
- puts figures into the page as SVG whose colours follow the theme;
- loads the explorers' scripts only on pages that hold one, and drops the scripts of the theme
  that the book does not use;
- puts the solutions of the homework into their dropdowns, or withholds them;
- draws the cards of the homework sets, with what their pages say of themselves;
- points the Colab buttons at the generated notebooks, where the repository has an address;
- warns of a page that was not executed.
"""

import hashlib
import os
import re
import shutil
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from myst_nb.sphinx_ import NbMetadataCollector
from nbclient import NotebookClient
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

from vaebook.explorers.svg import inline_svg

LOGGER = getLogger(__name__)
PACKAGE = Path(__file__).parent
SCRIPTS = PACKAGE / "explorers" / "js"
#: What no page executes: a change in it needs no new run.
NOT_EXECUTED = {"sphinx_ext.py"}


def package_hash():
    """Return a short hash of all that a chapter's cells can read from the package."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        executed = path.suffix in {".py", ".mplstyle", ".json", ".npz"}
        if executed and path.name not in NOT_EXECUTED:
            digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def prepare(app, config):
    """Set the paths and the environment of the run, before any other extension reads them."""
    os.environ["VAEBOOK_STATIC"] = "1"
    cache = Path(app.outdir).parent / ".jupyter_cache" / package_hash()
    config.nb_execution_cache_path = str(cache)
    config.html_static_path += [str(Path(app.confdir) / "_vendor"), str(SCRIPTS)]
    # nbclient mirrors Output widgets over the socket on which it waits for the cell's end, and can
    # so miss that end and sleep until the time limit. No page shows such a widget's state.
    NotebookClient.on_comm_open_jupyter_widget = lambda client, message: None
    if not config.html_theme_options.get("repository_url"):
        # Without an address every launch button would be a broken link: draw none.
        config.html_theme_options["launch_buttons"] = {}


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


def fold_solutions(app, doctree):
    """Put each cell tagged ``solution`` into the dropdown above it; withheld, both are gone."""
    dropdowns = []
    for cell in list(doctree.findall(nodes.container)):
        if "tag_solution" not in cell["classes"]:
            continue
        above = cell.parent[cell.parent.index(cell) - 1]
        if above.get("design_component") != "dropdown":
            LOGGER.warning("a solution cell has no dropdown above it", location=cell)
            continue
        cell.parent.remove(cell)
        above += cell
        dropdowns.append(above)
    if not app.config.homework_solutions:
        for dropdown in set(dropdowns):
            dropdown.parent.remove(dropdown)


class HomeworkCard(SphinxDirective):
    """A card for one homework set: a few words, and what the set's page says of itself.

    ::

        :::{homework-card} jensens-inequality
        What the set is about.
        :::
    """

    required_arguments = 1
    has_content = True

    def run(self):
        """Return the card with the set's title, its text, its time, level and kinds of tasks."""
        slug = self.arguments[0]
        path = Path(self.env.doc2path(f"homework/{slug}"))
        self.env.note_dependency(str(path))
        title, minutes, level, kinds = homework_facts(path.read_text("utf-8"))
        chapter = Path(self.env.doc2path(f"chapters/{slug}"))
        back = f" After [the chapter](/chapters/{slug}.md)." if chapter.exists() else ""
        lines = [
            f"[**{title}**](/homework/{slug}.md)",
            "",
            *self.content,
            "",
            "{.homework-facts}",
            f"**{minutes} minutes, level {level}.** {', '.join(kinds).capitalize()}.{back}",
        ]
        card = nodes.container(is_div=True, classes=["homework-card"])  # no box of the theme
        self.state.nested_parse(StringList(lines, str(path)), self.content_offset, card)
        return [card]


def homework_facts(text):
    """Return title, minutes, level and the kinds of the tasks, as the text of a set states them."""
    title = re.search(r"(?m)^# (?:Homework: )?(.+)$", text)[1]
    minutes, level = re.search(
        r"\*\*Time:\*\* (\d+) minutes\. \*\*Level:\*\* (\d)\.", text
    ).groups()
    kinds = re.findall(r"(?m)^\*\*(\w+), \d+ minutes\.\*\*", text)
    return title[0].upper() + title[1:], int(minutes), int(level), [kind.lower() for kind in kinds]


def add_colab_buttons(app, doctree):
    """End each homework card with a button that opens the set in Colab, if Colab can find it."""
    address = app.config.html_theme_options.get("repository_url", "")
    for card in list(doctree.findall(nodes.Element)):
        if "homework-card" not in card.get("classes", []):
            continue
        links = [a for a in card.findall(pending_xref) if a["reftarget"].startswith("homework/")]
        if not links:
            LOGGER.warning("a homework card links to no homework set", location=card)
        elif url := colab_url(address, links[0]["reftarget"]):
            button = nodes.reference("", "Open in Colab", refuri=url, classes=["colab-button"])
            button += nodes.inline("", f": {links[0].astext()}", classes=["visually-hidden"])
            card += nodes.paragraph("", "", button)


def withhold_sources(app, exception):
    """Leave no source of a homework page in the site where its solutions are withheld."""
    if not app.config.homework_solutions:
        shutil.rmtree(Path(app.outdir, "_sources", "homework"), ignore_errors=True)


def require_execution(app, env):
    """Warn, and so fail a strict build, of every page with code cells that were not executed."""
    for docname in sorted(env.found_docs):
        path = env.doc2path(docname)
        has_cells = "{code-cell}" in Path(path).read_text("utf-8")
        if has_cells and not NbMetadataCollector.get_exec_data(env, docname):
            LOGGER.warning("has code cells, but was not executed", location=path)


def page_assets(app, pagename, templatename, context, doctree):
    """Load the kit and the explorers that the page holds; nothing on other pages."""
    if doctree is None:
        return
    html = "".join(node.astext() for node in doctree.findall(nodes.raw))
    names = [path.stem for path in SCRIPTS.glob("*.js") if f'data-explorer="{path.stem}"' in html]
    if names:
        for name in ["kit", "models", *sorted(names), "page"]:
            app.add_js_file(f"{name}.js", loading_method="defer")


def mend_page(app, pagename, templatename, context, doctree):
    """Drop unused scripts and point the Colab button at the notebook; runs after the theme."""
    context["script_files"] = [
        script for script in context.get("script_files", []) if not _unused(script)
    ]
    address = app.config.html_theme_options.get("repository_url", "")
    notebook = Path(app.srcdir, pagename).with_suffix(".ipynb")
    withheld = not app.config.homework_solutions and pagename.startswith("homework/")
    for group in context.get("header_buttons", []):
        buttons = group.get("buttons")
        if not isinstance(buttons, list):
            continue
        for button in buttons:
            if "colab" in str(button.get("url", "")):
                button["url"] = colab_url(address, pagename) if notebook.exists() else None
            if withheld and "_sources/" in str(button.get("url", "")):
                button["url"] = None
        group["buttons"] = [button for button in buttons if button.get("url", "") is not None]


def _unused(script):
    """Tell whether a script belongs to thebe or to the widget manager; the book has neither."""
    attributes = getattr(script, "attributes", {})
    name = str(getattr(script, "filename", script)).lower()
    return (
        "thebe" in name
        or "THEBE" in str(attributes.get("body", ""))
        or "widget-state" in str(attributes.get("type", ""))
    )


def colab_url(address, pagename):
    """Return where Colab opens the notebook of a page; None if the address is not on GitHub."""
    host, _, path = address.strip("/").removesuffix(".git").partition("https://github.com/")
    if host or not path:
        return None
    return f"https://colab.research.google.com/github/{path}/blob/main/{pagename}.ipynb"


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("homework_solutions", True, "env", bool)
    app.connect("config-inited", prepare, priority=100)
    app.add_directive("homework-card", HomeworkCard)
    app.connect("doctree-read", fold_solutions)
    app.connect("doctree-read", add_colab_buttons)
    app.connect("build-finished", withhold_sources)
    app.connect("doctree-resolved", inline_figures)
    app.connect("env-check-consistency", require_execution)
    app.connect("html-page-context", page_assets)
    app.connect("html-page-context", mend_page, priority=950)
    app.add_css_file("kit.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
