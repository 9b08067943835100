"""Moves: words in a sentence that set an explorer of the page.

::

    {move}`Put $q$ on the posterior <elbo:mean=0.44,std=0.75>`
    {move}`narrow it <elbo-2:std=0.2>`

On the page a move is a button, which ``_static/chapter.js`` enables; it sets the nearest explorer
of that name, or the one that is counted. In a notebook it is plain words with the values.
"""

import json
import re
from typing import NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxRole
from sphinx.util.logging import getLogger

from vaebook import explorers

from .tags import Tag, make

LOGGER = getLogger(__name__)
MOVE = re.compile(r"(.+?)\s*<([a-z][a-z-]*?)(?:-(\d+))?:\s*([^<>]+)>", re.S)
EXPLORERS = {vars(explorers)[name].name: vars(explorers)[name] for name in explorers.__all__}


class Move(NamedTuple):
    """A move taken apart; ``instance`` counts the page's explorers of the name from 1, or is ""."""

    words: str
    explorer: str
    instance: str
    values: dict
    shown: str


def read_move(text):
    """Take the text of a move apart; a ValueError says what is wrong with it."""
    match = MOVE.fullmatch(text)
    if not match:
        raise ValueError(f"a move is {{move}}`words <explorer:name=value,...>`, not {text!r}")
    words, explorer, instance, shown = match.groups("")
    pairs = [part.partition("=") for part in re.split(r",\s*(?=\w+=)", shown.strip())]
    values = {name: _value(value) for name, _, value in pairs}
    return Move(words, explorer, instance, values, ", ".join(map("".join, pairs)))


def _value(text):
    """Read a number, a list, true or false as JSON has them; anything else is a word."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def require_possible(move):
    """Raise ValueError if the move's explorer does not exist or does not take its values."""
    if move.explorer not in EXPLORERS:
        known = ", ".join(sorted(EXPLORERS))
        raise ValueError(f"there is no explorer {move.explorer!r}; choose from {known}")
    EXPLORERS[move.explorer]().set(**move.values)


class MoveRole(SphinxRole):
    """The role ``move``."""

    def run(self):
        """Return the button, or the bare text with a warning."""
        try:
            move = read_move(self.text)
            require_possible(move)
        except ValueError as error:
            LOGGER.warning("%s", error, location=self.get_location())
            return [nodes.Text(self.text)], []
        counted = {"data_instance": move.instance} if move.instance else {}
        button = make(
            "button", type="button", class_="vb-move", disabled=True,
            data_move=move.explorer, **counted, data_set=json.dumps(move.values),
        )  # fmt: skip
        words, messages = self.inliner.parse(move.words, self.lineno, None, button)
        button += words
        return [button], messages


def require_explorers(app, doctree, docname):
    """Warn of each move on a page that has no such explorer, or too few of them."""
    html = "".join(node.astext() for node in doctree.findall(nodes.raw))
    for button in doctree.findall(Tag):
        name = button["attributes"].get("data-move")
        wanted = int(button["attributes"].get("data-instance", 1))
        there = html.count(f'data-explorer="{name}"')
        if name and there < wanted:
            message = "the move %r sets explorer %r number %d, but the page has %d of that name"
            LOGGER.warning(message, button.astext(), name, wanted, there, location=docname)


def setup(app):
    """Register with Sphinx."""
    app.add_role("move", MoveRole())
    app.connect("doctree-resolved", require_explorers)
