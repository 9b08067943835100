"""What the learner sees of a check: a verdict, a score, and how both are shown."""

import contextlib
import html
import sys
from dataclasses import dataclass

PASS, NOT_YET, NOT_ATTEMPTED = "pass", "not yet", "not attempted"
#: State -> its mark and its colour's role; the word itself always stands beside them.
_LOOK = {PASS: ("✓", "posterior"), NOT_YET: ("✗", "q"), NOT_ATTEMPTED: ("○", "muted")}
_COLOURS = {"posterior": "#0a7050", "q": "#b54708", "muted": "#59636e"}


@dataclass(frozen=True)
class Result:
    """The verdict on one answer: `state` is one of pass, not yet, not attempted."""

    state: str
    task: str
    message: str = ""
    details: tuple[str, ...] = ()

    def __str__(self):
        first = f"{self.state}: {self.task}. {self.message}".rstrip()
        return "\n".join([first, *(f"    {line}" for line in self.details)])

    def _repr_mimebundle_(self, include=None, exclude=None):
        mark, role = _LOOK[self.state]
        lines = [html.escape(self.message)] if self.message else []
        lines += [f"<code>{html.escape(line)}</code>" for line in self.details]
        edge = f"border-left: 4px solid var(--vb-{role}, {_COLOURS[role]})"
        page = (
            f'<div class="vb-check" role="status" style="{edge}; padding: 0.2em 0.8em">'
            f'<span aria-hidden="true">{mark} </span><strong>{self.state}</strong>: '
            f"{html.escape(self.task)}.<br>{'<br>'.join(lines)}</div>"
        )
        return {"text/plain": str(self), "text/html": page}


@dataclass(frozen=True)
class Score:
    """The score table of one or several homeworks, from the latest verdict on each task."""

    homeworks: tuple

    def _lines(self):
        """The line above the table, and state and words of each task."""
        checks = [check for homework in self.homeworks for check in homework.checks]
        lines = [(check.result.state, check.words) for check in checks]
        passed = sum(state == PASS for state, _ in lines)
        title = ", ".join(homework.title for homework in self.homeworks)
        return f"Score: {passed} of {len(lines)} tasks passed ({title})", lines

    def __str__(self):
        head, lines = self._lines()
        width = max((len(state) for state, _ in lines), default=0)
        rows = [
            f"    {number}. {state:{width}}  {task}"
            for number, (state, task) in enumerate(lines, 1)
        ]
        return "\n".join([head, *rows])

    def _repr_mimebundle_(self, include=None, exclude=None):
        head, lines = self._lines()
        columns = "".join(f'<th scope="col">{name}</th>' for name in ("Task", "Title", "State"))
        rows = "".join(
            f'<tr><th scope="row">{number}</th><td>{html.escape(task)}</td>'
            f'<td><span aria-hidden="true">{_LOOK[state][0]} </span>{state}</td></tr>'
            for number, (state, task) in enumerate(lines, 1)
        )
        page = (
            f'<table class="table vb-check">'
            f'<caption style="caption-side: top">{html.escape(head)}</caption>'
            f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>"
        )
        return {"text/plain": str(self), "text/html": page}


def show(thing):
    """Show a verdict, a hint or a score: as HTML in a notebook, else as plain text."""
    try:
        _show(thing)
    except UnicodeEncodeError:  # a terminal that has no Greek letters, such as one of Windows
        encoding = sys.stdout.encoding
        print(str(thing).encode(encoding, "namereplace").decode(encoding))


def _show(thing):
    with contextlib.suppress(ImportError):
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None and not isinstance(thing, str):
            display(thing)
            return
    print(thing)
