"""What the book's build needs beyond Jupyter Book: live explorers, themed figures, no third party.

Loaded by ``_config.yml``. It

- runs the chapters with ``VAEBOOK_STATIC=1``, so that explorers write HTML and open no comm;
- keys the execution cache on the package, so that a change in ``vaebook`` runs the pages again;
- puts figures into the page as SVG whose colours follow the theme;
- loads the explorers' scripts only on pages that hold one;
- mends faults of the theme, and drops what the book does not use of it;
- says in each page's head what a link to it shows elsewhere: title, question and a picture;
- gives each page the TeX of the equations on other pages that it refers to, for their previews;
- names the page in the button that reports a mistake, where the repository's address is set;
- puts the solutions of the homework into their dropdowns, or withholds them;
- draws the cards of the homework sets, with what their pages say of themselves;
- points the Colab buttons at the generated notebooks, where the repository has an address;
- warns of a page that was not executed.
"""

import hashlib
import json
import os
import re
import shutil
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from textwrap import shorten
from urllib.parse import quote

import tinycss2
from docutils import nodes
from docutils.statemachine import StringList
from fontTools import subset
from myst_nb.sphinx_ import NbMetadataCollector
from nbclient import NotebookClient
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

from vaebook.explorers import scripts
from vaebook.explorers.svg import inline_svg

LOGGER = getLogger(__name__)
PACKAGE = Path(__file__).parent
#: What no page executes: a change in it needs no new run.
NOT_EXECUTED = {"sphinx_ext.py"}
#: Scripts and styles of Jupyter Book that no page of the book needs, by name or by what is in them.
UNUSED = re.compile("thebe|widget-state|togglebutton|toggleHint|toggleOpen|design-tabs", re.I)
#: The same on the disk, in ``_static``.
UNUSED_FILES = [
    "**/*.map",
    "**/fontawesome.js*",
    "sphinx-thebe.*",
    "togglebutton.*",
    "design-tabs.js",
    "**/*webpack-macros.html",
    "locales",
]
#: Faults in pages, each as a pattern and what stands in its place. A pattern that no page has is a
#: warning: what it mends has changed, and the line can go.
MENDS = [
    # 1.5 MB that draw the icons a second time: the web font does it.
    (r'<script defer src="[^"]*fontawesome\.js[^"]*"></script>', ""),
    (r'<script type="text/x-thebe-config">.*?</script>\s*<script>kernelName = [^<]*</script>', ""),
    # Everything that is read belongs to a landmark.
    (r'(<div id="pst-primary-sidebar")', r'\1 role="complementary" aria-label="Book"'),
    (
        r'(<button type="button" class="btn rounded-pill" id="pst-back-to-top">.*?</button>)',
        r'<nav aria-label="Top of the page">\1</nav>',
    ),
    # The name of a button holds the words that stand on it (WCAG 2.5.3).
    (r'(<button class="btn search-button-field[^>]*) aria-label="[^"]*"', r"\1"),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # Entries of a list are list items, and the role of a bibliography's entry is deprecated.
    (r'role="doc-biblioentry"', 'role="listitem"'),
]
#: How the theme's style sheet names the files of its icon font.
ICON_FONT = r'(url\([^)]*fa-solid-900)\.woff2\) format\("woff2"\),url\([^)]*\) format\("truetype"\)'
#: Only the page of the search needs its index.
SEARCH_SCRIPTS = r'<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>\s*'


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
    live = Path(app.outdir).parent / "explorers"
    scripts.write(live)
    config.html_static_path += [str(Path(app.confdir) / "_vendor"), str(live)]
    # nbclient mirrors Output widgets over the socket on which it waits for the cell's end, and can
    # so miss that end and sleep until the time limit. No page shows such a widget's state.
    NotebookClient.on_comm_open_jupyter_widget = lambda client, message: None
    address = config.html_theme_options.get("repository_url")
    config.html_theme_options["use_issues_button"] = bool(address)
    if not address:
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
    address, branch = repository(app)
    for card in list(doctree.findall(nodes.Element)):
        if "homework-card" not in card.get("classes", []):
            continue
        links = [a for a in card.findall(pending_xref) if a["reftarget"].startswith("homework/")]
        if not links:
            LOGGER.warning("a homework card links to no homework set", location=card)
        elif url := colab_url(address, branch, links[0]["reftarget"]):
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
    """Load the kit and the explorers that the page holds, before MathJax; nothing elsewhere."""
    if doctree is None:
        return
    html = "".join(node.astext() for node in doctree.findall(nodes.raw))
    names = [name for name in scripts.names() if f'data-explorer="{name}"' in html]
    if names:
        for name in ["kit", *names, "page"]:
            app.add_js_file(f"{name}.js", loading_method="defer", priority=400)
    equations = foreign_equations(app.env, pagename, doctree)
    if equations:
        data = json.dumps(equations).replace("</", "<\\/")
        app.add_js_file(None, body=f"const vaebookEquations = {data};")


def social_tags(app, pagename, templatename, context, doctree):
    """Describe the page to those who link to it: title, first sentences, the book's picture."""
    if doctree is None:
        return
    first = next(doctree.findall(nodes.paragraph), None)
    words = shorten(first.astext() if first else "", 200, placeholder=" ...")
    site = app.config.html_baseurl or pages_url(app.config.html_theme_options.get("repository_url"))
    tags = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": re.sub("<[^>]*>", "", context["title"]),
        "og:description": words,
    }
    if site:
        # Those who fetch the picture need its full address.
        tags["og:url"] = f"{site}{pagename}.html"
        tags["og:image"] = f"{site}_static/social-card.png"
        tags["og:image:alt"] = (
            "A log-likelihood, and beneath it a bound that touches it in one point"
        )
    context["metatags"] += f'<meta name="description" content="{escape(words)}" />\n'
    for name, content in tags.items():
        context["metatags"] += f'<meta property="{name}" content="{escape(content)}" />\n'


def pages_url(address):
    """Return where GitHub Pages shows a repository, or nothing if it has no address."""
    owner, _, name = (address or "").removeprefix("https://github.com/").strip("/").partition("/")
    return f"https://{owner}.github.io/{name}/" if name else ""


def foreign_equations(env, pagename, doctree):
    """Return the TeX of each equation of another page that this page refers to, by its anchor."""
    anchors = {}
    for link in doctree.findall(nodes.reference):
        page, _, anchor = link.get("refuri", "").partition("#")
        if page and anchor.startswith("equation-"):
            anchors[anchor] = os.path.normpath(Path(pagename).parent / page.removesuffix(".html"))
    equations = {}
    for page in set(anchors.values()):
        for block in env.get_doctree(page).findall(nodes.math_block):
            anchor = nodes.make_id(f"equation-{block.get('label')}")
            if anchor in anchors:
                equations[anchor] = block.astext()
    return equations


def mend_page(app, pagename, templatename, context, doctree):
    """Drop what is unused, and point the buttons at the right places; runs after the theme."""
    for kind in ["script_files", "css_files"]:
        context[kind] = [asset for asset in context.get(kind, []) if not _unused(asset)]
    address, branch = repository(app)
    notebook = Path(app.srcdir, pagename).with_suffix(".ipynb")
    withheld = not app.config.homework_solutions and pagename.startswith("homework/")
    for button in context.get("header_buttons", []):
        if button.get("label") == "source-issues-button":
            button["text"] = button["tooltip"] = "Report an error on this page"
            button["url"] = issue_url(address, pagename)
    for group in context.get("header_buttons", []):
        buttons = group.get("buttons")
        if not isinstance(buttons, list):
            continue
        for button in buttons:
            if "colab" in str(button.get("url", "")):
                button["url"] = colab_url(address, branch, pagename) if notebook.exists() else None
            if withheld and "_sources/" in str(button.get("url", "")):
                button["url"] = None
        group["buttons"] = [button for button in buttons if button.get("url", "") is not None]


def _unused(asset):
    """Tell whether a script or a style sheet belongs to a part that the book does not use."""
    words = [str(getattr(asset, "filename", asset)), *map(str, asset.attributes.values())]
    return bool(UNUSED.search(" ".join(words)))


def mend_site(app, exception):
    """Mend the faults of the written pages and delete the unused files."""
    if exception or app.builder.format != "html":
        return
    needed = set()
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text("utf-8")
        for pattern, mended in MENDS:
            text, count = re.subn(pattern, mended, text, flags=re.S)
            if count:
                needed.add(pattern)
        if path.name != "search.html":
            text = re.sub(SEARCH_SCRIPTS, "", text)
        path.write_text(text, "utf-8")
    for pattern, _ in MENDS:
        if pattern not in needed:
            LOGGER.warning("no page has what this mend is for: %s", pattern)
    static = Path(app.outdir, "_static")
    for pattern in UNUSED_FILES:
        for path in list(static.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    drop_unused_rules(static)
    subset_icons(static)


def drop_unused_rules(static):
    """Take out of the style sheets what is for classes that neither page nor script names."""
    scripts = "".join(path.read_text("utf-8") for path in static.rglob("*.js"))
    pages = "".join(path.read_text("utf-8") for path in static.parent.rglob("*.html"))
    words = set(re.findall(r"[\w-]+", scripts + pages))
    # Scripts put some names together: "bs-tooltip-" and a side.
    beginnings = tuple(set(re.findall(r"[\w-]+-(?=[\"'`$])", scripts)))

    @cache
    def is_used(name):
        return name in words or name.startswith(beginnings)

    for path in static.rglob("*.css"):
        rules = needed_rules(tinycss2.parse_stylesheet(path.read_text("utf-8")), is_used)
        path.write_text(tinycss2.serialize(rules), "utf-8")


def needed_rules(rules, is_used):
    """Return the rules of a style sheet without selectors that ask for a class nobody uses.

    What a selector says in brackets, as in ``:not(.card)``, does not count.
    """
    needed = []
    for rule in rules:
        if rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            rule.content = needed_rules(tinycss2.parse_rule_list(rule.content), is_used)
        elif rule.type == "qualified-rule":
            selectors = [[]]
            for token in rule.prelude:
                if token == ",":
                    selectors.append([])
                else:
                    selectors[-1].append(token)
            kept = [tokens for tokens in selectors if all(map(is_used, classes_of(tokens)))]
            if not kept:
                continue
            text = ",".join(map(tinycss2.serialize, kept))
            rule.prelude = tinycss2.parse_component_value_list(text)
        needed.append(rule)
    return needed


def classes_of(selector):
    """Return the names of the classes in a selector's tokens."""
    return [name.value for dot, name in pairwise(selector) if dot == "." and name.type == "ident"]


def subset_icons(static):
    """Keep of the theme's icon font the icons that the style sheets still name: 4 KB of 156."""
    sheets = {path: path.read_text("utf-8") for path in static.rglob("*.css")}
    icons = {ord(sign) for sign in "".join(sheets.values()) if "\ue000" <= sign <= "\uf8ff"}
    options = subset.Options(flavor="woff")
    fonts = static / "vendor/fontawesome/webfonts"
    font = subset.load_font(fonts / "fa-solid-900.ttf", options)
    keep = subset.Subsetter(options)
    keep.populate(unicodes=icons)
    keep.subset(font)
    subset.save_font(font, fonts / "fa-solid-900.woff", options)
    for path in [*fonts.glob("*.ttf"), fonts / "fa-solid-900.woff2"]:
        path.unlink()
    for path, text in sheets.items():
        path.write_text(re.sub(ICON_FONT, r'\1.woff) format("woff")', text), "utf-8")


def repository(app):
    """Return address and branch of the repository, as ``_config.yml`` has them."""
    options = app.config.html_theme_options
    return options.get("repository_url", ""), options.get("repository_branch") or "main"


def colab_url(address, branch, pagename):
    """Return where Colab opens the notebook of a page; None if the address is not on GitHub."""
    host, _, path = address.strip("/").removesuffix(".git").partition("https://github.com/")
    if host or not path:
        return None
    return f"https://colab.research.google.com/github/{path}/blob/{branch}/{pagename}.ipynb"


def issue_url(address, pagename):
    """Return where a reader reports a mistake, with the page already filled in."""
    return f"{address}/issues/new?template=1-mistake-in-the-text.yml&page={quote(pagename)}"


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("homework_solutions", True, "env", bool)
    app.connect("config-inited", prepare, priority=100)
    app.add_directive("homework-card", HomeworkCard)
    app.connect("doctree-read", fold_solutions)
    app.connect("doctree-read", add_colab_buttons)
    app.connect("build-finished", withhold_sources)
    app.connect("build-finished", mend_site)
    app.connect("doctree-resolved", inline_figures)
    app.connect("env-check-consistency", require_execution)
    app.connect("html-page-context", page_assets)
    app.connect("html-page-context", social_tags)
    app.connect("html-page-context", mend_page, priority=950)
    app.add_css_file("kit.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
