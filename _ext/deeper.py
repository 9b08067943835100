"""Deeper pages, ``deeper/<slug>.md``: nested under their chapter in the contents, off its way.

Their headings have no numbers, their equations and figures go on with the chapter's. *Next* and
*Previous* of other pages pass them by. Whoever follows an old address to a place that moved from
the chapter to its deeper page is led on by ``_static/chapter.js``.
"""

import json
import re

from docutils import nodes


def is_deeper(page):
    """Tell whether a page, by its name, is a deeper one."""
    return page.startswith("deeper/")


def drop_section_numbers(app, env):
    """Take the numbers off the headings, after Sphinx has numbered everything."""
    for page in filter(is_deeper, env.found_docs):
        env.toc_secnumbers[page] = {}
        for entry in env.tocs[page].findall(nodes.reference):
            entry.attributes.pop("secnumber", None)
    return []


def pass_by(app, pagename, templatename, context, doctree):
    """Let *Next* and *Previous* lead from page to page without the deeper ones."""
    if is_deeper(pagename) or pagename not in app.builder.relations:
        return
    for place, key in [(1, "prev"), (2, "next")]:
        page = app.builder.relations[pagename][place]
        if page and is_deeper(page):
            while page and is_deeper(page):
                page = app.builder.relations[page][place]
            context[key] = page and {
                "link": app.builder.get_relative_uri(pagename, page),
                "title": app.builder.render_partial(app.env.titles[page])["title"],
            }


def lead_on(app, pagename, templatename, context, doctree):
    """Tell a chapter's script which anchors are on its deeper pages."""
    deeper = list(filter(is_deeper, app.env.toctree_includes.get(pagename, [])))
    if not deeper:
        return
    here = anchors(doctree)
    moved = {
        app.builder.get_relative_uri(pagename, page): sorted(
            anchors(app.env.get_doctree(page)) - here
        )
        for page in deeper
    }
    data = json.dumps(moved).replace("</", "<\\/")
    app.add_js_file(None, body=f"const vaebookMoved = {data};")


def anchors(doctree):
    """Return the ids of a page that someone has named."""
    ids = {name for node in doctree.findall(nodes.Element) for name in node.get("ids", [])}
    return {name for name in ids if not re.fullmatch(r"id\d+", name)}


def setup(app):
    """Register with Sphinx."""
    app.connect("env-get-updated", drop_section_numbers, priority=600)
    app.connect("html-page-context", pass_by)
    app.connect("html-page-context", lead_on)
