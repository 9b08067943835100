"""The homework checks: what they accept, which mistakes they name, and that nothing is fatal."""

# ruff: noqa: NPY002  # the old global random numbers are what some tests watch

import builtins
import io
import random
import re
import sys
import threading
import time
from collections import namedtuple

import numpy as np
import pytest
import torch

from vaebook import checks
from vaebook.checks import Choice, Function, Homework, Number, base
from vaebook.checks.calling import run
from vaebook.checks.properties import statistic
from vaebook.checks.reading import short


@pytest.fixture(autouse=True)
def own_homeworks(monkeypatch):
    """Keep the toy homeworks of a test out of the list of the book's."""
    monkeypatch.setattr(base, "_HOMEWORKS", [])


def log_density(x, mean, std):
    """Log-density of independent normal values, summed."""
    return np.sum(-0.5 * np.log(2 * np.pi) - np.log(std) - 0.5 * ((x - mean) / std) ** 2)


def cases(rng):
    """Three small inputs and an extreme one."""
    for n in (1, 4, 7):
        yield rng.normal(size=n), rng.normal(size=n), rng.uniform(0.5, 2, n)
    yield np.array([60.0, -1.0]), np.zeros(2), np.ones(2)


def make(oracle=log_density, cases=cases, **options):
    """A check of a function."""
    options = {"mistakes": {}, "hints": ("One.", "Two."), "seconds": 2.0} | options
    return Function(Homework("Toy"), "A toy", oracle=oracle, cases=cases, **options)


def elementwise(x):
    return np.exp(-(x**2)) + 2


def some_x(rng):
    for n in (3, 6):
        yield (rng.normal(size=n),)


# -- what is accepted --------------------------------------------------------------------------


def looped(x, mean, std):
    total = 0.0
    for a, m, s in zip(x, mean, std, strict=True):
        total += -0.5 * np.log(2 * np.pi) - np.log(s) - 0.5 * ((a - m) / s) ** 2
    return float(total)


def in_torch(x, mean, std):
    normal = torch.distributions.Normal(torch.as_tensor(mean), torch.as_tensor(std))
    return normal.log_prob(torch.as_tensor(x)).sum()


def in_single_precision(x, mean, std):
    x, mean, std = (
        torch.tensor(v, dtype=torch.float32, requires_grad=True) for v in (x, mean, std)
    )
    return torch.distributions.Normal(mean, std).log_prob(x).sum()


def in_an_array_of_one(x, mean, std):
    return np.array([log_density(x, mean, std)])


@pytest.mark.parametrize(
    "answer", [log_density, looped, in_torch, in_single_precision, in_an_array_of_one]
)
def test_right_answers_of_any_kind_pass(answer):
    assert make().judge(answer).state == "pass"


@pytest.mark.parametrize("answer", [8, 8.0, np.int64(8), np.array([8]), torch.tensor(8), True * 8])
def test_numbers_of_any_kind_pass(answer):
    check = Number(Homework("Toy"), "Eight", right=8, mistakes={}, hints=("Count.",))
    assert check.judge(answer).state == "pass"


def test_a_tuple_is_compared_part_by_part():
    def moments(x):
        return x.mean(), x.std()

    check = make(moments, some_x)
    assert check.judge(lambda x: [x.mean(), x.std()]).state == "pass"
    assert "root of what is asked for" not in check.judge(lambda x: (x.mean(), x.var())).message
    assert "2 values are asked for" in check.judge(lambda x: x.mean()).message
    assert "a tuple of 3" in check.judge(lambda x: (x.mean(), x.std(), 1)).message


Moments = namedtuple("Moments", "mean std")


@pytest.mark.parametrize("gather", [list, tuple, lambda parts: Moments(*parts), torch.stack])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_tensors_that_remember_their_history_pass_in_lists_and_tuples(gather, dtype):
    def answer(x):
        x = torch.tensor(x, dtype=dtype, requires_grad=True)
        return gather([x.mean(), x.std(correction=0)])

    def numbers(x):
        return np.array([x.mean(), x.std()])

    assert make(numbers, some_x).judge(answer).state == "pass"
    assert "The sign" in make(lambda x: -numbers(x), some_x).judge(answer).message
    if gather is not torch.stack:
        assert make(lambda x: (x.mean(), x.std()), some_x).judge(answer).state == "pass"


@pytest.mark.parametrize(
    "change",
    [
        lambda t: [[one] for one in t],
        lambda t: [t[:2], t[2:]],
        lambda t: t.to_sparse(),
        lambda t: torch.complex(t, t).conj().real,
        lambda t: t.to(torch.bfloat16),
        torch.nn.Parameter,
    ],
)
def test_tensors_of_any_kind_and_nesting_are_read(change):
    right = np.array([1.0, -2, 4, 0.5])
    answer = change(torch.tensor(right, requires_grad=True))
    shape = {2: (2, 2), 4: (4, 1)}[len(answer)] if isinstance(answer, list) else (4,)
    check = Number(Homework("Toy"), "Four", right=right.reshape(shape), mistakes={}, hints=("x",))
    assert check.judge(answer).state == "pass"
    assert short(answer) == short(right.reshape(shape)) or isinstance(answer, list)


def test_what_no_check_can_read_is_a_verdict():
    own = []
    own.append(own)
    hostile = type("Hostile", (), {"__array__": lambda self, *_, **__: 1 / 0})()
    number = Number(Homework("Toy"), "Eight", right=8, mistakes={}, hints=("Count.",))
    for answer in (own, hostile):
        for result in (
            number.judge(answer),
            make(elementwise, some_x).judge(lambda x, a=answer: a),
        ):
            assert result.state == "not yet"
            assert "cannot read the value" in result.message


def test_infinities_are_right_where_they_are_asked():
    check = make(lambda x: np.log(np.maximum(x, 0)), some_x)
    assert check.judge(lambda x: np.where(x > 0, np.log(np.abs(x)), -np.inf)).state == "pass"


# -- mistakes that every check knows -----------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, m, s: None, "gives None"),
        (lambda x, m, s: np.nan, "a NaN"),
        (lambda x, m, s: np.inf, "an infinity"),
        (lambda x, m, s: "0.3", "Numbers are asked for; a str came"),
        (lambda x, m, s: {"value": 1}, "Numbers are asked for; a dict came"),
        (lambda x, m, s: 1j * log_density(x, m, s), "complex"),
        (lambda x, m, s: -log_density(x, m, s), "sign"),
        (lambda x, m, s: 2 * log_density(x, m, s), "is a ½ missing"),
        (lambda x, m, s: log_density(x, m, s) / 2, "Half of what it should be"),
        (lambda x, m, s: log_density(x, m, s) / np.log(2), "base 2"),
        (lambda x, m, s: log_density(x, m, s) / np.log(10), "base 10"),
        (lambda x, m, s: np.exp(log_density(x, m, s)), "the exponential of what is asked for"),
        (lambda x, m, s: log_density(x, m, s) / len(x), "an average, and a sum is asked for"),
        (lambda x, m, s: np.array(list(map(log_density, x, m, s))), "The sum over"),
        (lambda x, m, s: log_density(x, m, s) + 3.0, "Off by +3 everywhere"),
        (lambda x, m, s: log_density(x, m, s) * 1.3, "up to a factor everywhere, 1.3"),
        (lambda x, m, s: log_density(x, m, s) ** 3, "The value is not right"),
        (3.0, "needs the function itself"),
    ],
)  # fmt: skip
def test_a_common_mistake_is_named(answer, words):
    result = make().judge(answer)
    assert result.state == "not yet"
    assert words in result.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: np.log(elementwise(x)), "the logarithm of what is asked for"),
        (lambda x: elementwise(x) ** 2, "the square"),
        (lambda x: np.sqrt(elementwise(x)), "the square root"),
        (lambda x: 1 / elementwise(x), "one over"),
        (lambda x: elementwise(x) / elementwise(x).sum(), "up to a factor in this case, "),
        (lambda x: elementwise(x).sum(), "You took the sum where one number each is asked for"),
        (lambda x: elementwise(x).mean(), "You took the mean where"),
        (lambda x: elementwise(x)[:, None], "The numbers are right: reshape it"),
        (lambda x: elementwise(x)[:2], "came, shape (6,) is asked for"),
        (lambda x: elementwise(x) - 0.5 * np.log(2 * np.pi), "the constant of the normal density"),
    ],
)
def test_a_common_mistake_in_an_array_is_named(answer, words):
    result = make(elementwise, some_x).judge(answer)
    assert result.state == "not yet"
    assert words in result.message


def test_a_transposed_matrix_and_an_average_in_place_of_a_sum_are_named():
    check = make(lambda x: np.outer(x, np.arange(2.0)), some_x)
    assert "a .T" in check.judge(lambda x: np.outer(np.arange(2.0), x)).message
    check = make(lambda x: np.mean(x), some_x)
    assert "a sum, and an average is asked for" in check.judge(np.sum).message


def test_a_mistake_is_named_only_if_it_explains_every_case():
    mistakes = {"You forgot the mean.": lambda x, mean, std: log_density(x, 0, std)}
    check = make(mistakes=mistakes)
    assert check.judge(lambda x, m, s: log_density(x, 0, s)).message == "You forgot the mean."
    only_once = check.judge(lambda x, m, s: log_density(x, 0 if len(x) == 4 else m - 1, s))
    assert only_once.message == "The value is not right."


def test_the_input_that_shows_the_fault_is_shown_with_both_values():
    def oracle(x, shift):
        return x + shift

    check = make(oracle, lambda rng: [(1.5, 2.0)])
    result = check.judge(lambda x, shift: x * 7)
    assert result.details == ("x = 1.5, shift = 2.0: yours 10.5, expected 3.5",)


def test_inputs_are_fresh_in_every_call():
    seen = []
    check = make(elementwise, some_x)
    for _ in range(2):
        check.judge(lambda x: seen.append(x.copy()) or elementwise(x))
    assert len(seen) == 4
    assert not np.array_equal(seen[0], seen[2])


def test_global_random_numbers_are_noticed_and_left_as_they_were():
    def answer(x):
        np.random.seed(1)
        return elementwise(x)

    before = np.random.get_state()[1].tobytes()
    assert "global random numbers" in make(elementwise, some_x).judge(answer).message
    assert np.random.get_state()[1].tobytes() == before


def test_an_input_changed_in_place_is_noticed():
    def answer(x):
        value = elementwise(x)
        x -= 1
        return value

    assert "changes its input x in place" in make(elementwise, some_x).judge(answer).message


def test_a_sampler_is_judged_by_what_it_draws():
    def oracle(n, rng):
        raise AssertionError("is never called")

    mean = statistic("The mean", lambda draws, n, rng: (draws.mean(), 0.0, 1 / np.sqrt(n)))
    check = make(oracle, lambda rng: [(1000, rng)], mistakes=None, properties=(mean,))
    assert check.judge(lambda n, rng: rng.normal(size=n)).state == "pass"
    result = check.judge(lambda n, rng: list(rng.normal(1, size=n)))
    assert result.message.startswith("The mean must be 0, within 0.19; yours is ")
    result = check.judge(lambda n, rng: "many")
    assert result.message.startswith("The check cannot read the value: ")


# -- nothing is fatal --------------------------------------------------------------------------


def never_ends(x):
    while True:
        x = x + 1


def never_ends_and_catches_everything(x):
    while True:
        try:
            x = x + 1
        except BaseException:
            x = 0


@pytest.mark.parametrize("answer", [never_ends, never_ends_and_catches_everything])
def test_an_endless_loop_is_reported_and_ended(answer):
    threads = threading.active_count()
    check = make(elementwise, some_x, seconds=0.2)
    started = time.monotonic()
    result = check.judge(answer)
    assert result.state == "not yet"
    assert "a loop that never ends" in result.message
    assert time.monotonic() - started < 2
    assert threading.active_count() == threads


def test_what_cannot_be_ended_is_left_behind():
    free = threading.Event()
    assert run(free.wait, (), 0.1).timed_out
    free.set()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x / ([][0]), "It stops with IndexError: list index out of range"),
        (lambda x: sys.exit("enough"), "It stops with SystemExit: enough"),
        (lambda x, y: x, "It stops with TypeError"),
        (lambda x: int("a") or x, "ValueError: invalid literal"),
    ],
)
def test_a_crash_is_reported(answer, words):
    result = make(elementwise, some_x).judge(answer)
    assert result.state == "not yet"
    assert words in result.message


def test_a_crash_names_the_learners_own_line():
    def helper(x):
        return np.linalg.inv(x)  # no matrix

    def answer(x):
        return helper(x)

    result = make(elementwise, some_x).judge(answer)
    assert re.fullmatch(r"in line \d+, helper: return np.linalg.inv\(x\).*", result.details[0])
    assert result.details[1].startswith("for x = [")


def test_endless_recursion_is_reported():
    def answer(x):
        return answer(x)

    assert "RecursionError" in make(elementwise, some_x).judge(answer).message


def test_a_python_loop_over_a_million_numbers_is_too_slow():
    def slow(x):
        return np.array([elementwise(np.array([a]))[0] for a in x])

    large = (lambda rng: (rng.normal(size=10**6),), "10⁶ numbers")
    check = make(elementwise, some_x, large=large, seconds=0.8)
    result = check.judge(slow)
    assert result.message == "Not done after 0.8 s for 10⁶ numbers: let NumPy loop, not Python."
    check.seconds = 5.0
    assert check.judge(elementwise).state == "pass"
    wrong = check.judge(lambda x: elementwise(x) if len(x) < 99 else -elementwise(x))
    assert wrong.message.startswith("For 10⁶ numbers: The sign")


# -- not attempted, hints, the score -----------------------------------------------------------


def stub(x, mean, std):
    raise NotImplementedError


def test_an_untouched_stub_is_not_attempted():
    check = make()
    assert check.judge(stub).state == "not attempted"
    assert check.judge(...).state == "not attempted"
    assert check.result.state == "not attempted"


def test_a_letter_is_read_with_brackets_and_in_capitals():
    check = Choice(
        Homework("Toy"), "A letter", right="b", mistakes={"a": "No.", "c": "Too far."}, hints=("x",)
    )
    assert [check.judge(text).state for text in ("b", "B", " (b) ")] == ["pass"] * 3
    assert check.judge("c").message == "Too far."
    assert check.judge(...).state == "not attempted"
    for odd in ("d", 2, None, ["b"], ("a", "d"), ()):
        assert "one letter in quotes, a, b or c" in check.judge(odd).message


@pytest.mark.parametrize("second", ["b", ("a", "b"), ("c", "a", "b")])
def test_the_first_letter_stays_on_record_whatever_comes_after_it(second, capsys):
    homework = Homework("Toy")
    mistakes = {"a": "No.", "c": "Too far."}
    check = Choice(homework, "A letter", right="b", mistakes=mistakes, hints=("x",), because="So.")
    check(7)
    assert check.first == ""
    check("a")
    check(...)
    check(second)
    homework.report()
    shown = capsys.readouterr().out
    assert '    first answer a; put the new letter after it: "a", "?"\n' in shown
    assert "pass: A letter. So.\n    first answer a\n" in shown
    assert shown.endswith("    1. pass  A letter (first answer a)\n")


def test_a_right_first_letter_needs_no_words(capsys):
    check = Choice(Homework("Toy"), "A letter", right="b", mistakes={"a": "No."}, hints=("x",))
    check("b")
    assert capsys.readouterr().out == "pass: A letter.\n"
    assert check.words == "A letter (first answer b)"
    check("a")
    assert check.words == "A letter (first answer b)"


def test_hints_come_in_steps_and_begin_again(capsys):
    check = make()
    for _ in range(3):
        check.hint()
    lines = ["hint 1 of 2: One.", "hint 2 of 2: Two.", "hint 1 of 2: One."]
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "utf-8"])
def test_a_terminal_without_greek_letters_gets_their_names(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding, write_through=True))
    check = make(elementwise, some_x, hints=("Divide by σ.",), because="σ is right.")
    check.title = "The σ of \udcff"  # as in a file name that is no text
    check.hint()
    check(elementwise)
    check(np.sin)
    check_homework(check).report()
    text = written.getvalue().decode(encoding)
    assert re.search(r"Divide by (σ|\\N\{GREEK SMALL LETTER SIGMA\})\.", text)
    assert text.count(r"\udcff") == 3


def test_every_verdict_begins_its_line_and_the_score_comes_last(capsys):
    homework = Homework("Toy")
    options = {"oracle": elementwise, "cases": some_x, "mistakes": {}, "hints": ("x",)}
    first, second, third = (Function(homework, f"Task {n}", **options) for n in "ABC")
    first(lambda x: 0)
    first(elementwise)
    second(np.sin)
    third(stub)
    homework.report()
    lines = capsys.readouterr().out.splitlines()
    starts = [line.partition(":")[0] for line in lines if not line.startswith(" ")]
    assert starts == ["not yet", "pass", "not yet", "not yet", "Score"]
    assert lines[-4:] == [
        "Score: 1 of 3 tasks passed (Toy)",
        "    1. pass     Task A",
        "    2. not yet  Task B",
        "    3. not yet  Task C",
    ]
    Homework("Other")
    checks.report()
    assert capsys.readouterr().out.startswith("Score: 1 of 3 tasks passed (Toy, Other)")


def test_a_notebook_gets_html_that_says_the_same_without_colours():
    check = make(elementwise, some_x, because="x < y & z")
    check(elementwise)
    bundle = check.result._repr_mimebundle_()
    assert bundle["text/plain"] == "pass: A toy. x < y & z"
    assert 'role="status"' in bundle["text/html"]
    assert "<strong>pass</strong>: A toy.<br>x &lt; y &amp; z</div>" in bundle["text/html"]
    table = base.Score((check_homework(check),))._repr_mimebundle_()
    assert table["text/plain"].startswith("Score: 1 of 1 tasks passed")
    assert table["text/html"].count("</caption>") == 1
    assert table["text/html"].count('<th scope="col">') == 3
    assert table["text/html"].count('<th scope="row">') == 1


def check_homework(check):
    homework = Homework("Toy")
    homework.checks.append(check)
    return homework


def test_checks_are_light_and_need_no_notebook(monkeypatch):
    real = builtins.__import__

    def without_ipython(name, *rest):
        if name.split(".")[0] == "IPython":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_ipython)
    make()(log_density)


def test_values_are_shown_as_a_learner_would_write_them():
    numbers = [np.float64(-2.293), 0.1 + 0.2, 3]
    assert short(tuple(numbers)) == "(-2.293, 0.3, 3)"
    assert short(numbers) == "[-2.293, 0.3, 3]"
    assert short(list(range(9))) == "[0, 1, 2, 3, 4, 5, ...]"
    assert short((np.zeros(2), torch.ones(1), None)) == "([0., 0.], [1.], None)"
    assert len(short([np.pi * np.ones(9)] * 9)) == 120


def test_fresh_inputs_do_not_come_from_the_global_generators():
    random.seed(0)
    before = random.getstate(), np.random.get_state()[1].tobytes()
    make().judge(log_density)
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before
