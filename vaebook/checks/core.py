"""What every homework check is made of.

A check is declared in a few lines: the right answer, fresh inputs, and the likely mistakes, each
as the wrong answer that it leads to together with the sentence that names it::

    homework = Homework("Bells")
    check_area = Function(
        homework,
        "Area of a square",
        oracle=lambda side: side**2,
        cases=lambda rng: [(side,) for side in rng.uniform(0, 9, 5)],
        mistakes={"That is the length of its edge.": lambda side: 4 * side},
        hints=("Draw a square of side 2 on squared paper.",),
    )

The learner calls ``check_area(answer)`` and sees one line that begins with ``pass``, ``not yet`` or
``not attempted``; ``check_area.hint()`` gives one hint more each time; ``homework.report()`` ends a
set with its score.
"""

import contextlib
import copy
import html
import inspect
import sys
import warnings
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from vaebook.checks.calling import run
from vaebook.checks.comparing import Case, Fault, find_fault, numbers, plain, short

PASS, NOT_YET, NOT_ATTEMPTED = "pass", "not yet", "not attempted"
#: State -> its mark and its colour's role; the word itself always stands beside them.
_LOOK = {PASS: ("✓", "posterior"), NOT_YET: ("✗", "q"), NOT_ATTEMPTED: ("○", "muted")}
_COLOURS = {"posterior": "#0a7050", "q": "#b54708", "muted": "#59636e"}
_HOMEWORKS = []


# -- what the learner sees ---------------------------------------------------------------------


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
        results = [check.result for homework in self.homeworks for check in homework.checks]
        passed = sum(result.state == PASS for result in results)
        title = ", ".join(homework.title for homework in self.homeworks)
        return f"Score: {passed} of {len(results)} tasks passed ({title})", results

    def __str__(self):
        head, results = self._lines()
        width = max((len(result.state) for result in results), default=0)
        rows = [
            f"    {number}. {result.state:{width}}  {result.task}"
            for number, result in enumerate(results, 1)
        ]
        return "\n".join([head, *rows])

    def _repr_mimebundle_(self, include=None, exclude=None):
        head, results = self._lines()
        columns = "".join(f'<th scope="col">{name}</th>' for name in ("Task", "Title", "State"))
        rows = "".join(
            f'<tr><th scope="row">{number}</th><td>{html.escape(result.task)}</td>'
            f'<td><span aria-hidden="true">{_LOOK[result.state][0]} </span>{result.state}</td></tr>'
            for number, result in enumerate(results, 1)
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


class Homework:
    """The checks of one homework page, in the order of its tasks."""

    def __init__(self, title):
        self.title = title
        self.checks = []
        _HOMEWORKS.append(self)

    def report(self):
        """Show the score of this homework."""
        show(Score((self,)))


def report():
    """Show the score of every homework whose checks have been imported."""
    show(Score(tuple(_HOMEWORKS)))


# -- checks ------------------------------------------------------------------------------------


class Check:
    """One task's check: call it with the answer, or ask for its next ``hint()``.

    Parameters
    ----------
    homework : Homework
        What it belongs to.
    title : str
        The task in a few words, without a stop at the end.
    hints : sequence of str
        Each says a little more than the last one.
    because : str
        Why the right answer is right; said after it was given.
    """

    def __init__(self, homework, title, *, hints, because=""):
        self.title = title
        self.because = because
        self.result = Result(NOT_ATTEMPTED, title)
        self._hints = hints
        self._hints_given = 0
        homework.checks.append(self)

    def __call__(self, answer):
        """Judge the answer, keep the verdict for the score and show it."""
        self.result = self.judge(answer)
        show(self.result)

    def judge(self, answer):
        """Return the verdict on an answer, without keeping or showing it."""
        if answer is ...:
            return self._not_attempted("the three dots")
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # mistakes and extreme inputs overflow on purpose
            try:
                return self._verdict(plain(answer))
            except Exception as error:
                return self._not_yet(f"The check cannot read the value: {error!r}")

    def _verdict(self, answer):
        raise NotImplementedError

    def hint(self):
        """Show the next hint; after the last one they begin again."""
        number = self._hints_given % len(self._hints)
        self._hints_given += 1
        show(f"hint {number + 1} of {len(self._hints)}: {self._hints[number]}")

    def _pass(self):
        return Result(PASS, self.title, self.because)

    def _not_yet(self, message, *details):
        return Result(NOT_YET, self.title, message, details)

    def _not_attempted(self, what):
        return Result(NOT_ATTEMPTED, self.title, f"Replace {what} by your answer.")


class Choice(Check):
    """A prediction or a diagnosis given as a letter.

    Parameters
    ----------
    right : str
        The letter of the right answer.
    mistakes : dict of str to str
        Every other letter, with the sentence that says what was overlooked.
    """

    def __init__(self, homework, title, *, right, mistakes, hints, because=""):
        super().__init__(homework, title, hints=hints, because=because)
        self.right = right
        self.mistakes = mistakes

    def _verdict(self, answer):
        letters = sorted([self.right, *self.mistakes])
        letter = answer.strip(" ().").lower() if isinstance(answer, str) else None
        if letter == self.right:
            return self._pass()
        if letter in self.mistakes:
            return self._not_yet(self.mistakes[letter])
        some = f"{', '.join(letters[:-1])} or {letters[-1]}"
        return self._not_yet(f"Answer with one letter in quotes, {some}; this is {short(answer)}.")


class Number(Check):
    """A prediction or a result given as a number, or as an array of numbers.

    Parameters
    ----------
    right : array_like
    mistakes : dict of str to array_like
        The sentence that names a mistake, with the number that it leads to.
    rtol, atol : float
        How far an answer may be from the right one.
    """

    def __init__(
        self, homework, title, *, right, mistakes, hints, because="", rtol=1e-6, atol=1e-9
    ):
        super().__init__(homework, title, hints=hints, because=because)
        self.right = right
        self.mistakes = mistakes
        self.tolerance = (rtol, atol)

    def _verdict(self, answer):
        case = Case((), answer, self.right)
        mistakes = {sentence: [wrong] for sentence, wrong in self.mistakes.items()}
        fault = find_fault([case], mistakes, self.tolerance)
        return self._not_yet(fault.message) if fault else self._pass()


def every_bug(friend, bugs):
    """Mistakes of who repairs a function with several bugs: each set of bugs that may be left.

    Parameters
    ----------
    friend : callable
        ``friend(*arguments, left=())`` is the function with only those bugs that `left` names.
    bugs : dict of str to str
        The name of a bug, with the sentence that says that it is still there.
    """
    sets = [left for n in range(1, len(bugs) + 1) for left in combinations(bugs, n)]
    return {" ".join(bugs[name] for name in left): partial(friend, left=left) for left in sets}


class Function(Check):
    """An implementation, or a derivation written as a function: it is called on fresh inputs.

    Parameters
    ----------
    oracle : callable
        Gives the right answer for the same arguments: an array, a number, or a tuple of them.
    cases : callable
        ``cases(rng)`` yields tuples of arguments; include other shapes and extreme values.
    mistakes : dict of str to callable
        The sentence that names a mistake, with the function that makes it. None where many
        answers are right, as of a sampler: nothing is then compared with the oracle.
    signs : dict of str to (callable, callable), optional
        Mistakes that are known by a sign in the value, an array or a tuple of them: the sentence,
        ``shows(value, *arguments)``, which says whether the sign is there or gives the number
        for a {} in the sentence, and a function that makes the mistake. The first sign is named.
    large : (callable, str), optional
        ``large(rng)`` gives the arguments of one large case and the words say what is large; it
        must be done within `seconds`.
    rtol, atol : float
        How far an answer may be from the oracle's; wider by itself for float32.
    seconds : float
        Time limit of a single call.
    """

    def __init__(
        self,
        homework,
        title,
        *,
        oracle,
        cases,
        mistakes,
        hints,
        because="",
        signs=None,
        large=None,
        rtol=1e-6,
        atol=1e-9,
        seconds=5.0,
    ):
        super().__init__(homework, title, hints=hints, because=because)
        self.oracle = oracle
        self.cases = cases
        self.mistakes = mistakes
        self.signs = signs or {}
        self.large = large
        self.tolerance = (rtol, atol)
        self.seconds = seconds

    def _verdict(self, answer):
        if not callable(answer):
            return self._not_yet(
                f"The check needs the function itself, not a value; this is {short(answer)}. "
                "Give its name without brackets."
            )
        rng = np.random.default_rng()
        done = []
        for arguments in self.cases(rng):
            verdict, value = self._call(answer, arguments)
            if verdict:
                return verdict
            done.append(Case(arguments, value, self._right(arguments)))
        if fault := self._find_fault(done):
            return self._not_yet(fault.message, *self._details(fault.case))
        if self.large:
            make, what = self.large
            arguments = make(rng)
            verdict, value = self._call(answer, arguments, what)
            if verdict:
                return verdict
            case = Case(arguments, value, self._right(arguments))
            if fault := find_fault([case], {}, self.tolerance):
                return self._not_yet(f"For {what}: {fault.message}")
        return self._pass()

    def _right(self, arguments):
        return None if self.mistakes is None else self.oracle(*copy.deepcopy(arguments))

    def _find_fault(self, cases):
        if self.mistakes is not None:
            mistakes = {
                sentence: [wrong(*copy.deepcopy(case.arguments)) for case in cases]
                for sentence, wrong in self.mistakes.items()
            }
            if fault := find_fault(cases, mistakes, self.tolerance):
                return fault
        for case in cases if self.signs else ():
            value = numbers(case.value)
            for sentence, (shows, _) in self.signs.items():
                if shown := shows(value, *case.arguments):
                    return Fault(sentence.format(shown), case)
        return None

    def _call(self, answer, arguments, what=""):
        """Call the answer once; return a verdict if that alone shows a fault, and the value."""
        given = copy.deepcopy(arguments)
        before = np.random.get_state()  # noqa: NPY002  # to see whether it is touched
        outcome = run(answer, given, self.seconds)
        after = np.random.get_state()  # noqa: NPY002
        np.random.set_state(before)  # noqa: NPY002
        shown = self._input(arguments)
        if isinstance(outcome.error, NotImplementedError):
            return self._not_attempted("the line that raises NotImplementedError"), None
        if outcome.timed_out and what:
            message = f"Not done after {self.seconds:g} s for {what}: let NumPy loop, not Python."
            return self._not_yet(message), None
        if outcome.timed_out:
            message = f"Not done after {self.seconds:g} s: is there a loop that never ends?"
            return self._not_yet(message, *shown), None
        if outcome.error is not None:
            name, text = type(outcome.error).__name__, str(outcome.error)
            reason = f"{name}: {text}" if text else name
            return self._not_yet(f"It stops with {reason}", *outcome.where, *shown), None
        if outcome.value is None:
            message = "It gives None: is there a return at its end?"
            return self._not_yet(message, *shown), None
        if not np.array_equal(before[1], after[1]) or before[2:] != after[2:]:
            message = "It uses NumPy's global random numbers: draw from the rng that you are given."
            return self._not_yet(message), None
        for name, old, new in zip(self._names(), arguments, given, strict=False):
            if isinstance(old, np.ndarray) and not np.array_equal(old, new, equal_nan=True):
                message = f"It changes its input {name} in place: the caller still needs it."
                return self._not_yet(message, *shown), None
        return None, plain(outcome.value)

    def _names(self):
        return list(inspect.signature(self.oracle).parameters)

    def _input(self, arguments):
        named = zip(self._names(), arguments, strict=False)
        shown = [f"{name} = {short(value)}" for name, value in named]
        return [f"for {', '.join(shown)}"] if shown else []

    def _details(self, case):
        lines = self._input(case.arguments)
        if case.right is not None:
            lines += [f"yours:    {short(case.value)}", f"expected: {short(case.right)}"]
        return lines
