"""Live choices: a question that the reader answers before the page does.

::

    :::{predict} Which curve moves?
    - [ ] only the log-likelihood

      It does not contain the parameter.
    - [x] only the bound

    The reason, which shows after the first answer.
    :::

One option is marked right; the further paragraphs of an option are the reply to whoever chooses it.
``_static/chapter.js`` brings the options to life. In a notebook the answer is folded.
"""

import re
from typing import NamedTuple

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

from .tags import make

LOGGER = getLogger(__name__)
OPTION = re.compile(r"- \[([ x])\] +(?=\S)")


class Part(NamedTuple):
    """Some lines of a body, and the number of the first of them in it."""

    lines: list
    start: int


class Option(NamedTuple):
    """One option of a choice, and the reply to it."""

    right: bool
    text: str
    start: int
    reply: Part


def read_choice(lines):
    """Return the options of a choice and the part with its reason; a ValueError says what is wrong.

    The list ends at the first line that neither begins an option nor is indented.
    """
    end = next(
        (i for i, line in enumerate(lines) if line[:1].strip() and not OPTION.match(line)),
        len(lines),
    )
    starts = [i for i in range(end) if OPTION.match(lines[i])]
    options = [_option(lines, *ends) for ends in zip(starts, [*starts[1:], end], strict=True)]
    if len(options) < 2 or sum(option.right for option in options) != 1:
        raise ValueError("a choice begins with a list of '- [ ] option', one of them '- [x]'")
    reason = Part(lines[end:], end)
    if not any(line.strip() for line in reason.lines):
        raise ValueError("a choice ends with the reason for its right option")
    return options, reason


def _option(lines, start, end):
    """Take the lines of one option apart: its text, up to a blank line or a list, and the reply."""
    mark = OPTION.match(lines[start])
    rest = [line[2:] for line in lines[start + 1 : end]]
    ends = (i for i, line in enumerate(rest) if not line.strip() or line.startswith("- "))
    stop = next(ends, len(rest))
    text = " ".join([lines[start][mark.end() :], *rest[:stop]])
    return Option(mark[1] == "x", text, start, Part(rest[stop:], start + 1 + stop))


class Predict(SphinxDirective):
    """The directive ``predict``."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        """Return the question, the options as buttons out of use, and the closed answer."""
        try:
            options, reason = read_choice(list(self.content))
        except ValueError as error:
            LOGGER.warning("%s", error, location=self.get_location())
            return []
        name = f"predict-{self.env.new_serialno('predict') + 1}"
        question = make("p", *self.inline(self.arguments[0]), class_="vb-question", id=name)
        buttons, answer = live(
            [(one.right, self.inline(one.text), self.parsed(one.reply)) for one in options],
            self.parsed(reason),
        )
        group = make("div", question, buttons, role="group", aria_labelledby=name)
        return [make("div", group, answer, class_="vb-predict")]

    def inline(self, text):
        """Return the nodes of Markdown text."""
        return self.state.inline_text(text, self.lineno)[0]

    def parsed(self, part):
        """Return the nodes of some lines of the body."""
        parent = nodes.Element()
        lines = StringList(part.lines, self.env.docname)
        self.state.nested_parse(lines, self.content_offset + part.start, parent)
        return parent.children


def live(options, reason):
    """Return the options of a choice as buttons out of use, and its closed answer.

    Each option is a bool, whether it is right, its text and the reply to it, as nodes.
    """
    buttons = make("ul", role="list")
    answer = make("details", make("summary", nodes.Text("Answer")))
    replies = []
    for number, (right, text, reply) in enumerate(options):
        again = make("strong" if right else "em", *(one.deepcopy() for one in text))
        marked = {"data_right": True} if right else {}
        buttons += make("li", make("button", *text, type="button", disabled=True, **marked))
        if right:
            answer += make("p", again)
        if reply:
            echo = [] if right else [make("p", again)]
            replies.append(make("div", *echo, *reply, data_reply=str(number)))
    answer += [*reason, *replies]
    return buttons, answer


def setup(app):
    """Register with Sphinx."""
    app.add_directive("predict", Predict)
