"""The homeworks and their tasks, and the checks that compare an answer without calling it."""

import warnings
from dataclasses import replace

import numpy as np

from vaebook.checks.comparing import Case, find_fault
from vaebook.checks.reading import plain, short
from vaebook.checks.verdicts import NOT_ATTEMPTED, NOT_YET, PASS, Result, Score, show

_HOMEWORKS = []


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
        self.first = ""  # the first answer, where it is a letter
        self._hints = hints
        self._hints_given = 0
        homework.checks.append(self)

    @property
    def words(self):
        """The task in the score: its title, and the first answer where one is on record."""
        return f"{self.title} (first answer {self.first})" if self.first else self.title

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
    """A prediction or a diagnosis given as a letter; the first one stays on record.

    To answer again, a learner puts the new letter behind the first: ``"b", "d"``.

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

    def __call__(self, answer):
        """Judge the last letter, keep the first one and the verdict, and show it."""
        self.first = self.first or "".join(self._letters(answer)[:1])
        super().__call__(answer)

    def _letters(self, answer):
        """The letters that were given, in their order; none if anything else came."""
        given = answer if isinstance(answer, tuple) else (answer,)
        letters = [one.strip(" ().").lower() for one in given if isinstance(one, str)]
        known = {self.right, *self.mistakes}.issuperset(letters)
        return letters if known and len(letters) == len(given) else []

    def _verdict(self, answer):
        letters = self._letters(answer)
        if not letters:
            *some, last = sorted([self.right, *self.mistakes])
            asked = f"Answer with one letter in quotes, {', '.join(some)} or {last}"
            return self._not_yet(f"{asked}; this is {short(answer)}.")
        first, last = self.first or letters[0], letters[-1]
        record, again = f"first answer {first}", f'put the new letter after it: "{first}", "?"'
        if last != self.right:
            return self._not_yet(self.mistakes[last], f"{record}; {again}")
        return replace(self._pass(), details=(record,) if first != last else ())


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
