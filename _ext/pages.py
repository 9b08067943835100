"""The frame of a page: what it loads, what its head says, where its buttons lead, faults mended."""

import json
import os
import re
import shutil
from html import escape
from pathlib import Path
from textwrap import shorten
from urllib.parse import quote

from book_pages import site_address
from docutils import nodes
from sphinx.util.logging import getLogger

from vaebook.explorers import scripts
from vaebook.explorers.base import share_tables

LOGGER = getLogger(__name__)
ROOT = Path(__file__).parent.parent
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
#: Only the page of the search needs its index.
SEARCH_SCRIPTS = r'<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>\s*'


def prepare(app, config):
    """Say where scripts and fonts are served from, and draw no button that would lead nowhere."""
    live = Path(app.outdir).parent / "explorers"
    shutil.rmtree(live, ignore_errors=True)  # or an explorer that is gone would be served on
    scripts.write(live)
    config.html_static_path += [str(ROOT / "_vendor"), str(live)]
    address = config.html_theme_options.get("repository_url")
    config.html_theme_options["use_issues_button"] = bool(address)
    if not address:
        # Without an address every launch button would be a broken link: draw none.
        config.html_theme_options["launch_buttons"] = {}


def page_assets(app, pagename, templatename, context, doctree):
    """Load the kit and the explorers that the page holds, before MathJax; nothing elsewhere."""
    if doctree is None:
        return
    context["body"] = share_tables(context["body"])
    names = [name for name in scripts.names() if f'data-explorer="{name}"' in context["body"]]
    if names:
        # Not deferred: an explorer comes alive before the page is painted, and nothing jumps.
        for name in ["kit", *names, "page"]:
            app.add_js_file(f"{name}.js", priority=400)
    equations = foreign_equations(app.env, pagename, doctree)
    if equations:
        data = json.dumps(equations).replace("</", "<\\/")
        app.add_js_file(None, body=f"const vaebookEquations = {data};")


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


def social_tags(app, pagename, templatename, context, doctree):
    """Describe the page to those who link to it: title, first sentences, the book's picture."""
    if doctree is None:
        return
    first = next(doctree.findall(nodes.paragraph), None)
    words = shorten(first.astext() if first else "", 200, placeholder=" ...")
    repository = app.config.html_theme_options.get("repository_url")
    site = site_address(app.config.html_baseurl, repository)
    tags = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": re.sub("<[^>]*>", "", context["title"]),
        "og:description": words,
    }
    if site:
        # Those who fetch the picture need its full address.
        tags["og:url"] = f"{site}/{pagename}.html"
        tags["og:image"] = f"{site}/_static/social-card.png"
        tags["og:image:alt"] = (
            "A log-likelihood, and beneath it a bound that touches it in one point"
        )
    context["metatags"] += f'<meta name="description" content="{escape(words)}" />\n'
    for name, content in tags.items():
        context["metatags"] += f'<meta property="{name}" content="{escape(content)}" />\n'


def mend_page(app, pagename, templatename, context, doctree):
    """Drop what is unused, and point the buttons at the right places; runs after the theme."""
    for kind in ["script_files", "css_files"]:
        context[kind] = [asset for asset in context.get(kind, []) if not _unused(asset)]
    address, branch = repository(app)
    withheld = not app.config.homework_solutions and pagename.startswith("homework/")
    for group in context.get("header_buttons", []):
        if group.get("label") == "source-issues-button":
            group["text"] = group["tooltip"] = "Report an error on this page"
            group["url"] = issue_url(address, pagename)
        buttons = group.get("buttons")
        if not isinstance(buttons, list):
            continue
        for button in buttons:
            if "colab" in str(button.get("url", "")):
                found = notebook(app, pagename)
                button["url"] = colab_url(address, branch, pagename) if found else None
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


def repository(app):
    """Return address and branch of the repository, as ``_config.yml`` has them."""
    options = app.config.html_theme_options
    return options.get("repository_url", ""), options.get("repository_branch") or "main"


def notebook(app, pagename):
    """Return the notebook of a page, or None if it has none."""
    path = Path(app.srcdir, pagename).with_suffix(".ipynb")
    return path if path.exists() else None


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
    app.connect("config-inited", prepare, priority=100)
    app.connect("html-page-context", page_assets)
    app.connect("html-page-context", social_tags)
    app.connect("html-page-context", mend_page, priority=950)
    app.connect("build-finished", mend_site)
    app.add_css_file("kit.css")
