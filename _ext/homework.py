"""Homework: live choices, solutions folded or withheld, what other pages say of the sets."""

import re
import shutil
from importlib import import_module
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.logging import getLogger

from .choices import live
from .pages import colab_url, repository
from .tags import make

LOGGER = getLogger(__name__)
#: How a task begins: its kind, and for how long it is meant.
TASK = re.compile(r"(?m)^\*\*(\w+), (\d+) minutes\.\*\*")


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


def enliven(app, doctree):
    """Make lettered options a live choice, which replies as the check of their task does."""
    folder, _, slug = app.env.docname.rpartition("/")
    if folder != "homework" or not app.config.homework_solutions:
        return
    checks = import_module(f"vaebook.checks.{slug.replace('-', '_')}")
    for options in list(doctree.findall(nodes.bullet_list)):
        letters = [re.match(r"\(([a-z])\) ", item.astext()) for item in options]
        if not all(letters):
            continue
        code = "\n".join(block.astext() for block in options.parent.findall(nodes.literal_block))
        name = re.search(r"checks\.(check_\w+)\(", code)[1]
        check = getattr(checks, name)
        replies = {letter: [paragraph(words)] for letter, words in check.mistakes.items()}
        asked = "".join(sorted(found[1] for found in letters))
        known = "".join(sorted({check.right, *replies}))
        if asked != known:
            message = "the page has the letters %s, %s has %s"
            LOGGER.warning(message, asked, name, known, location=options)
        buttons, answer = live(
            [
                (found[1] == check.right, item[0].children, replies.get(found[1], []))
                for found, item in zip(letters, options, strict=True)
            ],
            [paragraph(check.because)],
        )
        group = make("div", buttons, role="group", aria_label=check.title)
        kept = f"{app.env.docname}#{name}"
        options.replace_self(make("div", group, answer, class_="vb-predict", data_keep=kept))


def paragraph(words):
    """Return a paragraph of plain words."""
    return make("p", nodes.Text(words))


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
    level = int(re.search(r"\*\*Level:\*\* (\d)\.", text)[1])
    tasks = TASK.findall(text)
    kinds = [kind.lower() for kind, _ in tasks]
    return title[0].upper() + title[1:], sum(int(minutes) for _, minutes in tasks), level, kinds


def read_timed(text):
    """Take the text of the role ``timed`` apart into words, or none, and the name of a page.

    With words it is a link, {timed}`Jensen <chapters/jensens-inequality>` "Jensen (50 minutes)";
    without them {timed}`chapters/jensens-inequality` is "50 minutes".
    """
    words, page, alone = re.fullmatch(r"(?:(.+?)\s*<(.+)>|(.+))", text, re.S).groups("")
    return words, page or alone


def minutes_of(text):
    """Return how long a page takes: as a chapter states it, or the sum over the tasks of a set."""
    stated = re.search(r"(?m)^\*(\d+) minutes\b", text)
    return int(stated[1]) if stated else homework_facts(text)[1]


class Timed(SphinxRole):
    """The role ``timed``."""

    def run(self):
        """Return the link and the minutes as the page states them."""
        words, page = read_timed(self.text)
        path = Path(self.env.srcdir, f"{page}.md")
        if not path.exists():
            place = self.get_location()
            LOGGER.warning("timed: there is no page %r; name one of _toc.yml", page, location=place)
            return [nodes.inline("", words)], []
        self.env.note_dependency(str(path))
        minutes = f"{minutes_of(path.read_text('utf-8'))} minutes"
        text = f"[{words}](/{page}.md) ({minutes})" if words else minutes
        return self.inliner.parse(text, self.lineno, None, nodes.inline())


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


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("homework_solutions", True, "env", bool)
    app.add_directive("homework-card", HomeworkCard)
    app.add_role("timed", Timed())
    app.connect("doctree-read", enliven)
    app.connect("doctree-read", fold_solutions)
    app.connect("doctree-read", add_colab_buttons)
    app.connect("build-finished", withhold_sources)
