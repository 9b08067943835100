"""Every homework page: its form, its checks in both directions, and that its notebooks run."""

import copy
import importlib
import re
import subprocess

import make_notebooks
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
import yaml
from book_pages import code_cells, pages_in
from build_book import executed
from conftest import ROOT
from docutils import nodes
from grade import texts
from lower_myst import Lowering
from nbclient import NotebookClient
from sphinx.addnodes import pending_xref
from whole_book import whole_book

from _ext import homework, pages
from _ext.tags import Tag
from vaebook.checks import Choice, Function, Number
from vaebook.checks.comparing import Case
from vaebook.checks.trained import Comparison, Target

PAGES = pages_in("homework")
KINDS = {"Predict", "Derive", "Implement", "Diagnose", "Explore"}
VERDICT = re.compile(r"(pass|not yet|not attempted): ")

each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def checks_of(path):
    """The module that a page calls ``checks``, and its checks by name in the order of the tasks."""
    module = importlib.import_module(f"vaebook.checks.{path.stem.replace('-', '_')}")
    named = {id(value): name for name, value in vars(module).items() if name.startswith("check_")}
    return {named[id(check)]: check for check in module.homework.checks}


def answers_to(path, kind, name):
    """The RIGHT or WRONG answers to a check."""
    module = importlib.import_module(f"homework_answers.{path.stem.replace('-', '_')}")
    return getattr(module, kind).get(name, [])


def mistakes_of(check):
    """Every likely mistake that a check lists: its sentence, and the answer that makes it."""
    if isinstance(check, Choice):
        return [(sentence, letter) for letter, sentence in check.mistakes.items()]
    return list((check.mistakes or {}).items())


EVERY_CHECK = [
    pytest.param(path, name, id=f"{path.stem}-{name}") for path in PAGES for name in checks_of(path)
]
each_check = pytest.mark.parametrize(("path", "name"), EVERY_CHECK)
DRAWING = [  # the checks that draw inputs; what the others say cannot depend on a draw
    one for one in EVERY_CHECK if isinstance(checks_of(one.values[0])[one.values[1]], Function)
]


@pytest.fixture(autouse=True)
def seed(monkeypatch, request):
    """Let the checks draw the same inputs in every run: what fails once can be looked at again."""
    seed, default_rng = getattr(request, "param", 0), np.random.default_rng
    monkeypatch.setattr(
        np.random, "default_rng", lambda given=None: default_rng(seed if given is None else given)
    )


def notebook_of(path, *, solutions):
    """The student's notebook of a page as it lies beside it, or the one with its solutions."""
    if not solutions:
        return nbformat.read(path.with_suffix(".ipynb"), 4)
    book = whole_book()
    return Lowering(book, book.pages[f"homework/{path.stem}"], solutions=True).notebook()


def code_of(notebook):
    """The code cells as Python; the magics, which set how figures look or install, do nothing."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return [re.sub(r"(?m)^( *)%.*$", r"\1pass", source) for source in sources]


# -- the checks, in both directions ------------------------------------------------------------


@each_check
def test_a_check_accepts_two_different_right_answers(path, name):
    check, answers = checks_of(path)[name], answers_to(path, "RIGHT", name)
    assert not isinstance(check, Function) or len({*answers}) >= 2
    for answer in answers:
        result = check.judge(answer)
        assert result.state == "pass", f"{answer}: {result}"


@each_check
def test_a_check_tells_every_mistake_that_it_lists_from_every_other(path, name):
    check = checks_of(path)[name]
    mistakes = mistakes_of(check)
    count = len(mistakes or answers_to(path, "WRONG", name))  # a sampler lists properties instead
    assert count >= 4, f"{name} lists {count} likely mistakes, four are the least"
    for sentence, answer in mistakes:
        result = check.judge(answer)
        assert result.state == "not yet"
        assert result.message == sentence, f"not {sentence!r} but {result}"


@each_check
def test_a_check_knows_mistakes_in_a_learners_own_words(path, name):
    for answer, words in answers_to(path, "WRONG", name):
        result = checks_of(path)[name].judge(answer)
        assert result.state == "not yet", f"{answer}: {result}"
        assert words in result.message, f"{answer}: {result}"


@pytest.mark.slow
def test_the_target_says_what_keeps_a_trained_model_from_it():
    answers = importlib.import_module("homework_answers.train_your_own")
    check = checks_of(ROOT / "homework" / "train-your-own.md")["check_target"]
    for model, words in answers.SHORT_OF_TARGET:
        result = check.judge(model)
        assert result.state == "not yet"
        assert words in result.message, result


def only_at(check, arguments):
    """The right answer, but for the inputs of one case, where it is wrong by a fifth or by 1."""

    def answer(*given):
        value = check.oracle(*given)
        if not all(map(np.array_equal, given, arguments)):
            return value
        if isinstance(value, tuple):
            return tuple(1.2 * np.asarray(one) + 1.0 for one in value)
        return 1.2 * np.asarray(value) + 1.0

    return answer


def with_term(check, member, term):
    """The right answer with one of its terms counted once more, in one member of a tuple."""

    def answer(*given):
        value = check.oracle(*given)
        if not isinstance(value, tuple):
            return value + term(*given)
        return tuple(one + term(*given) if k == member else one for k, one in enumerate(value))

    return answer


@each_check
def test_each_known_case_and_each_term_is_looked_at(path, name):
    check = checks_of(path)[name]
    for words, arguments in getattr(check, "known", {}).items():
        said = check.judge(only_at(check, arguments)).message
        assert said.startswith(words), f"not {words!r} but {said!r}"
    terms = getattr(check, "terms", None) or ()
    for member, named in enumerate(terms if isinstance(terms, tuple) else (terms,)):
        for term in named:
            said = check.judge(with_term(check, member, named[term])).message
            listed = said in (check.mistakes or {})  # what is listed comes first
            assert listed or term.lower() in said.lower(), f"not {term!r} but {said!r}"


@each_check
def test_each_property_holds_for_the_right_answer_and_is_broken_by_a_wrong_one(path, name):
    check = checks_of(path)[name]
    rng = np.random.default_rng()
    drawn = list(check.cases(rng)) if getattr(check, "properties", ()) else []

    def breaks(one, answer):
        try:
            cases = [Case(given, answer(*copy.deepcopy(given)), None) for given in drawn]
            return one.broken(lambda *given: answer(*copy.deepcopy(given)), cases)
        except (
            TypeError,
            ValueError,
            IndexError,
            RuntimeWarning,
        ):  # of another shape than the property reads
            return None

    wrong = [answer for _, answer in mistakes_of(check)]
    wrong += [answer for answer, _ in answers_to(path, "WRONG", name)]
    for change in (np.negative, lambda value: 0 * value + np.mean(value)):
        wrong.append(lambda *given, change=change: change(check.oracle(*given)))
    with np.errstate(all="ignore"):
        for one in getattr(check, "properties", ()):
            assert not breaks(one, check.oracle), one.words
            assert any(breaks(one, answer) for answer in wrong), f"nothing breaks: {one.words}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4), indirect=True)
@pytest.mark.parametrize(("path", "name"), DRAWING)
def test_no_verdict_depends_on_the_inputs_drawn(path, name):
    test_a_check_accepts_two_different_right_answers(path, name)
    test_a_check_tells_every_mistake_that_it_lists_from_every_other(path, name)
    test_a_check_knows_mistakes_in_a_learners_own_words(path, name)


@each_check
def test_a_check_knows_its_own_right_answer_and_its_untouched_stub(path, name):
    check = checks_of(path)[name]
    pass_says = check.because or isinstance(check, Target | Comparison)  # these say the numbers
    assert pass_says, f"{name} has no because, the sentence after pass"
    assert len(check._hints) >= 2, f"{name} has {len(check._hints)} hint, two are the least"
    if isinstance(check, Choice | Number):
        assert check.judge(check.right).state == "pass"
    assert check.judge(...).state == "not attempted"


# -- the form of a page ------------------------------------------------------------------------


def sections_of(path):
    """Heading -> text of each section of a page."""
    return dict(re.findall(r"(?ms)^## (.+?)\n(.*?)(?=^## |\Z)", path.read_text("utf-8")))


@each_page
def test_tasks_are_numbered_named_by_kind_and_timed(path):
    sections = sections_of(path)
    *tasks, last = sections
    text = path.read_text("utf-8")
    assert last == "Score", "the last section is '## Score'"
    assert 3 <= len(tasks) <= 5, f"{len(tasks)} tasks: a set has three to five, so replace one"
    assert [title.partition(":")[0] for title in tasks] == [
        f"Task {number}" for number in range(1, len(tasks) + 1)
    ]
    found = []
    for title in tasks:
        lead = re.match(r"\n\*\*(\w+), (\d+) minutes\.\*\* ", sections[title])
        assert lead, f"{title}: begin with **Kind, M minutes.**"
        found.append(lead.groups())
    kinds = {kind for kind, _ in found}
    project = path.stem == "train-your-own"
    asked = {"Predict", "Implement", "Diagnose", "Explore" if project else "Derive"}
    assert asked <= kinds <= KINDS
    stated = f"**Time:** {{timed}}`homework/{path.stem}`. **Level:** "
    assert stated in text, f"say {stated!r} in the box"
    number = re.search(r"(?s)^# .*?\b(Three|Four|Five) tasks ", text, re.M)[1]
    prepared = len(tasks) - 2 * project  # its last two tasks are the project itself
    assert number == ["Three", "Four", "Five"][prepared - 3], f"not {number}: {len(tasks)} tasks"


@each_page
def test_every_task_has_stub_check_and_a_solution_that_calls_the_check_again(path):
    called = []
    *tasks, _ = sections_of(path).values()
    for number, text in enumerate(tasks, 1):
        task = f"Task {number}"
        before, dropdown, after = text.partition("\n:::{dropdown} Solution\n")
        assert dropdown, f"{task} has no ':::{{dropdown}} Solution'"
        assert "raise NotImplementedError" in before or re.search(r"(?m)^\w+ = \.\.\.$", before)
        checks = [
            line
            for cell in code_cells(before)
            if (line := re.fullmatch(r"checks\.(check_\w+)\(\w+\)", cell.code))
        ]
        assert len(checks) == 1, f"{task} needs one cell with the single line checks.check_x(name)"
        called.append(checks[0][1])
        folded = code_cells(text)[len(code_cells(before)) :]
        assert folded, f"{task} has no cell tagged solution"
        assert all(cell.tags == ["solution"] for cell in folded)
        call = checks[0][0]
        assert call in "".join(cell.code for cell in folded), f"no solution of {task} has {call}"
        prose = after.partition("\n:::\n")[0]
        assert not code_cells(prose)
        assert len(prose.split()) > 40, f"explain the solution of {task} in more than 40 words"
    assert called == list(checks_of(path))


@each_page
def test_a_page_names_no_check_that_is_gone(path):
    named = set(re.findall(r"checks\.(check_\w+)", path.read_text("utf-8")))
    assert named <= {*checks_of(path)}, f"there is no {named - {*checks_of(path)}}"


@each_page
def test_nothing_on_a_page_takes_a_number(path):
    # Outside the numbered parts numbers would run on from page to page.
    text = path.read_text("utf-8")
    assert not re.search(r"(?m)^\$\$ \(|^:label:|\{exercise\}|caption:|\{prf:", text)
    for cell in code_cells(text):
        lines = [line for line in cell.code.splitlines() if line.strip()[:1] not in ("", "#")]
        assert len(lines) <= 30
        if "plt.show()" in cell.code:
            assert len(cell.options["mystnb"]["image"]["alt"]) > 30


@pytest.mark.parametrize("folder", ["chapters", "homework", "appendix"])
def test_no_sentence_is_broken_where_its_next_line_begins_a_list(folder):
    for path in pages_in(folder):
        broken = re.search(r"(?m)^.*[\w,]\n *1[.)] .*", path.read_text("utf-8"))
        assert not broken, f"{path.name}: a list in the middle of a sentence: {broken[0]!r}"


@each_page
def test_a_chapter_of_the_same_name_is_linked(path):
    assert (ROOT / "chapters" / path.name).exists() or path.stem == "train-your-own"
    assert f"../chapters/{path.name}" in path.read_text("utf-8") or path.stem == "train-your-own"


# -- the two notebooks -------------------------------------------------------------------------


@each_page
def test_untouched_stubs_are_not_attempted_and_the_notebook_runs_to_its_end(path, capsys):
    plt.switch_backend("Agg")
    namespace = {}
    for source in code_of(notebook_of(path, solutions=False)):
        program = compile(source, path.name, "exec")
        try:
            exec(program, namespace)
        except Exception as error:
            cell = source.strip().partition("\n")[0]
            line = error.__traceback__.tb_next.tb_lineno
            place = f"{path.name}, line {line} of the cell that begins '{cell}'"
            pytest.fail(f"{place}: {error!r}; if the page is newer, run 'make notebooks'")
    plt.close("all")
    torch.set_flush_denormal(False)  # which a page may have set for the whole process
    lines = capsys.readouterr().out.splitlines()
    states = [found[1] for line in lines if (found := VERDICT.match(line))]
    score = next(line for line in lines if line.startswith("Score"))
    n_tasks = len(checks_of(path))
    assert states == ["not attempted"] * n_tasks
    assert score.startswith(f"Score: 0 of {n_tasks} ")


@each_page
def test_every_solution_passes(path):
    """The build has run the stubs and the solutions: what the checks said there is read again."""
    try:
        said = texts(executed(f"homework/{path.stem}").cells)
    except (FileNotFoundError, KeyError):
        pytest.fail(f"{path.name} has not run as it is: run 'make book' first.", pytrace=False)
    n_tasks = len(checks_of(path))
    states = [found[1] for text in said if (found := VERDICT.match(text))]
    assert states == ["not attempted", "pass"] * n_tasks
    assert any(text.startswith(f"Score: {n_tasks} of {n_tasks} ") for text in said)


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """The folder to which the notebooks with solutions are written, and nothing else is."""
    folder = tmp_path_factory.mktemp("solved") / "out"
    before = {path: path.stat().st_mtime_ns for path in ROOT.glob("homework/*")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make_notebooks, "Book", lambda _root: whole_book())
        assert make_notebooks.main(["--solutions", str(folder)]) == 0
    assert {path: path.stat().st_mtime_ns for path in ROOT.glob("homework/*")} == before
    return folder


def test_solution_notebooks_are_written_to_a_folder(solved, tmp_path):
    written = sorted(path.name for path in solved.iterdir())
    assert written == [f"{path.stem}.ipynb" for path in PAGES]
    notebook = nbformat.read(solved / written[0], 4)
    assert any("solution" in cell.metadata.get("tags", []) for cell in notebook.cells)
    with pytest.raises(SystemExit):
        make_notebooks.main(["--check", "--solutions", str(tmp_path)])


@each_page
def test_the_students_notebook_shows_no_solution(path, solved):
    cells = notebook_of(path, solutions=False).cells
    student = "\n".join(cell.source for cell in cells)
    solution = nbformat.read(solved / f"{path.stem}.ipynb", 4)
    full = "\n".join(cell.source for cell in solution.cells)
    assert not re.search(r"\b[Ss]olution", student)
    tags = [cell.metadata.get("tags", []) for cell in cells]
    assert not any("solution" in names for names in tags)
    for text in list(sections_of(path).values())[:-1]:
        lines = text.split(":::{dropdown} Solution\n")[1].split("\n:::\n")[0].split("\n")
        prose = [line for line in lines if len(line) > 50 and line[0].isalpha() and "`" not in line]
        assert any(line in full for line in prose)
        assert not any(line in student for line in prose)


@pytest.mark.slow
@each_page
def test_a_notebook_runs_in_a_kernel_away_from_the_book(path, tmp_path):
    notebook = notebook_of(path, solutions=False)
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources)
    client.execute(stderr=subprocess.DEVNULL)
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    shown = [o.data for o in outputs if o.output_type == "display_data"]
    lines = [data["text/plain"] for data in shown if "text/html" in data]
    states = [VERDICT.match(line)[1] for line in lines[:-1]]
    assert states == ["not attempted"] * len(checks_of(path))
    assert lines[-1].startswith("Score: ")
    assert not [o for o in outputs if o.output_type == "stream" and o.name == "stderr"]


# -- the page in the book ----------------------------------------------------------------------


class Application:
    """As much of Sphinx as the handlers look at."""

    def __init__(self, outdir, *, solutions, docname=""):
        self.outdir = outdir
        self.srcdir = ROOT
        self.config = self.env = self
        self.docname = docname
        self.homework_solutions = solutions
        self.html_theme_options = {}


def page_with_solution():
    """A document with a stub, a dropdown and two solution cells."""
    document = nodes.section()
    dropdown = nodes.container(design_component="dropdown")
    dropdown += nodes.paragraph("", "why")
    stub, first, second = (nodes.container(classes=["cell"]) for _ in range(3))
    for cell in (first, second):
        cell["classes"].append("tag_solution")
    document.extend([stub, dropdown, first, second, nodes.paragraph("", "after")])
    return document, dropdown, [first, second]


def test_solution_cells_go_into_the_dropdown_above_them(tmp_path):
    document, dropdown, cells = page_with_solution()
    homework.fold_solutions(Application(tmp_path, solutions=True), document)
    assert dropdown.children[1:] == cells
    assert len(document) == 3


def test_one_setting_withholds_solutions_and_their_sources(tmp_path):
    source = tmp_path / "_sources" / "homework" / "page.md"
    source.parent.mkdir(parents=True)
    source.write_text("SECRET")
    for solutions in (True, False):
        document, dropdown, _ = page_with_solution()
        application = Application(tmp_path, solutions=solutions)
        homework.fold_solutions(application, document)
        homework.withhold_sources(application, None)
        buttons = [{"url": "../_sources/homework/page.md"}, {"url": "../other"}]
        context = {"header_buttons": [{"buttons": buttons}]}
        pages.mend_page(application, "homework/page", "", context, None)
        assert (dropdown in document.children) == solutions
        assert source.exists() == solutions
        assert len(context["header_buttons"][0]["buttons"]) == 1 + solutions
    assert len(document) == 2


def test_a_solution_without_a_dropdown_is_a_warning(tmp_path, monkeypatch):
    document, dropdown, _ = page_with_solution()
    document.remove(dropdown)
    warned = []
    monkeypatch.setattr(homework.LOGGER, "warning", lambda text, **_: warned.append(text))
    homework.fold_solutions(Application(tmp_path, solutions=True), document)
    assert warned == ["a solution cell has no dropdown above it"] * 2


def task_with_options(check, letters):
    """The section of a task: a list of options, and the call of the check."""
    options = nodes.bullet_list()
    for letter in letters:
        text = nodes.paragraph("", f"({letter}) about ", nodes.math("", "x"))
        options += nodes.list_item("", text)
    call = f"checks.{check}(answer)"
    return nodes.section("", options, nodes.paragraph("", "dots"), nodes.literal_block(call, call))


@pytest.mark.parametrize("solutions", [True, False])
def test_lettered_options_become_a_choice_that_replies_as_the_check_does(tmp_path, solutions):
    document = task_with_options("check_savings", "abcde")
    application = Application(tmp_path, solutions=solutions, docname="homework/jensens-inequality")
    homework.enliven(application, document)
    if not solutions:
        assert isinstance(document[0], nodes.bullet_list)
        return
    check = checks_of(ROOT / "homework" / "jensens-inequality.md")["check_savings"]
    tags = [(tag["tag"], tag["attributes"], tag.astext()) for tag in document[0].findall(tags_of)]
    right = [text[1] for name, marks, text in tags if name == "button" and "data-right" in marks]
    assert right == [check.right]
    assert len([name for name, *_ in tags if name == "button"]) == 5
    replies = {
        "abcde"[int(marks["data-reply"])]: text for _, marks, text in tags if "data-reply" in marks
    }
    assert replies.keys() == check.mistakes.keys()
    for letter, words in check.mistakes.items():
        assert replies[letter].startswith(f"({letter}) about")
        assert replies[letter].endswith(words)
    [answer] = [text for name, _, text in tags if name == "details"]
    assert check.because in answer
    assert document[0]["attributes"]["data-keep"] == "homework/jensens-inequality#check_savings"


def tags_of(node):
    return isinstance(node, Tag)


def test_options_with_other_letters_than_the_check_are_a_warning(tmp_path, monkeypatch):
    warned = []
    monkeypatch.setattr(homework.LOGGER, "warning", lambda *words, **_: warned.append(words))
    application = Application(tmp_path, solutions=True, docname="homework/jensens-inequality")
    homework.enliven(application, task_with_options("check_savings", "abcd"))
    assert warned == [("the page has the letters %s, %s has %s", "abcd", "check_savings", "abcde")]


GITHUB = "https://github.com/owner/book"


@pytest.mark.parametrize("address", [GITHUB, f"{GITHUB}/", f"{GITHUB}.git"])
def test_with_an_address_a_card_ends_with_a_button_for_its_set(tmp_path, address):
    document, card = document_with_card()
    application = Application(tmp_path, solutions=True)
    application.html_theme_options = {"repository_url": address}
    homework.add_colab_buttons(application, document)
    [button] = card.findall(nodes.reference)
    colab = "https://colab.research.google.com/github/owner/book/blob/main"
    assert button["refuri"] == f"{colab}/homework/jensens-inequality.ipynb"
    assert button.astext() == "Open in Colab: Jensen"
    assert card[-1].astext() == button.astext()


@pytest.mark.parametrize("address", [None, "", "https://example.org/owner/book", "owner/book"])
def test_without_an_address_that_colab_can_open_a_card_has_no_button(tmp_path, address):
    document, card = document_with_card()
    application = Application(tmp_path, solutions=True)
    if address is not None:
        application.html_theme_options = {"repository_url": address}
    homework.add_colab_buttons(application, document)
    assert not list(document.findall(nodes.reference))
    assert len(card) == 1


def document_with_card():
    """A document with a homework card, which links to a chapter and then to its set."""
    document, card = nodes.section(), nodes.container(classes=["homework-card"])
    paragraph = nodes.paragraph()
    for target, text in [("chapters/x", "before"), ("homework/jensens-inequality", "Jensen")]:
        paragraph += pending_xref("", nodes.inline("", text), reftarget=target)
    card += paragraph
    document += [nodes.paragraph("", "", pending_xref(reftarget="homework/x")), card]
    return document, card


def test_a_card_without_a_set_is_a_warning(tmp_path, monkeypatch):
    document, card = document_with_card()
    del card[0][1]
    warned = []
    monkeypatch.setattr(homework.LOGGER, "warning", lambda text, **_: warned.append(text))
    homework.add_colab_buttons(Application(tmp_path, solutions=True), document)
    assert warned == ["a homework card links to no homework set"]


@each_page
def test_a_set_states_what_its_cards_say(path):
    title, _, level, kinds = homework.homework_facts(path.read_text("utf-8"))
    assert title[0].isupper()
    assert not title.startswith("Homework")
    assert level in (1, 2, 3)
    assert len(kinds) == len(checks_of(path))


CARD = re.compile(r":class: homework-card\n\{timed\}`(?P<title>.+?) <(?P<set>homework/[\w-]+)>`")


@each_page
def test_a_set_has_a_card_at_the_end_of_its_chapter(path):
    chapters = {page.stem: page.read_text("utf-8") for page in pages_in("chapters")}
    cards = {stem: CARD.search(text) for stem, text in chapters.items()}
    chapter = path.stem if path.stem in cards else "training-a-vae"
    card = cards[chapter]
    assert card, f"chapters/{chapter}.md has no card with {{timed}}`words <homework/{path.stem}>`"
    assert card["set"] == f"homework/{path.stem}"
    if chapter == path.stem:
        assert card["title"] == homework.homework_facts(path.read_text("utf-8"))[0]


def test_no_other_page_repeats_how_long_a_set_takes():
    # Or a new task would have to be told of in three more places.
    pages = [ROOT / "index.md", ROOT / "homework.md"]
    pages += [page for folder in ("chapters", "appendix") for page in pages_in(folder)]
    for page in pages:
        said = re.search(r"homework/[\w-]+\.md\)[^.|]*?\d+\s+minutes", page.read_text("utf-8"))
        assert not said, f"{page.name}: say {{timed}}`words <homework/slug>`, not {said[0]!r}"


def test_one_more_task_makes_a_set_longer_wherever_its_time_is_told():
    text = PAGES[0].read_text("utf-8")
    longer = text + "\n## Task 6: one more\n\n**Explore, 40 minutes.** Move it.\n"
    assert homework.minutes_of(longer) == homework.minutes_of(text) + 40
    assert homework.homework_facts(longer)[1] == homework.minutes_of(longer)


def test_every_set_has_a_card_in_the_order_of_the_book():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))["parts"]
    [part] = [part for part in parts if part["caption"] == "Homework"]
    first, *sets = [chapter["file"] for chapter in part["chapters"]]
    assert first == "homework"
    text = (ROOT / "homework.md").read_text("utf-8")
    cards = re.findall(r"(?m)^:::\{homework-card\} (.+)$", text)
    remedy = "name each set in _toc.yml and, in the same order, on a card of homework.md"
    assert [f"homework/{card}" for card in cards] == sets, remedy
    assert sorted(cards) == [path.stem for path in PAGES], remedy


# -- the course --------------------------------------------------------------------------------


def weeks_of_the_course():
    text = (ROOT / "appendix" / "teaching.md").read_text("utf-8")
    plan = text[text.index("## Seven weeks") : text.index("## What each set trains")]
    weeks = plan.split("\n### Week ")[1:]
    return [re.findall(r"\{timed\}`[^`<]+<(\S+)>`", week) for week in weeks]


def test_the_course_has_seven_weeks_and_most_of_four_to_five_hours():
    weeks = weeks_of_the_course()
    assert len(weeks) == 7
    for number, week in enumerate(weeks, 1):
        texts = [(ROOT / f"{page}.md").read_text("utf-8") for page in week]
        hours = sum(map(homework.minutes_of, texts)) / 60
        least = 4 if number < 6 else 2.5
        said = f"week {number} of appendix/teaching.md: {hours:.1f} hours, not {least} to 5"
        assert least <= hours <= 5, f"{said}; move a page to another week"


def test_the_course_gives_every_set_once_and_says_what_it_trains():
    given = [page for week in weeks_of_the_course() for page in week if "homework" in page]
    remedy = "give each set one week and one row of appendix/teaching.md"
    assert sorted(given) == [f"homework/{path.stem}" for path in PAGES], remedy
    text = (ROOT / "appendix" / "teaching.md").read_text("utf-8")
    rows = re.findall(r"(?m)^\| \[.+?\]\(\.\./(homework/\S+)\.md\) \| .{30,} \|$", text)
    assert sorted(rows) == sorted(given), remedy


def test_every_check_is_of_a_known_kind():
    assert PAGES
    for path in PAGES:
        kinds = {type(check) for check in checks_of(path).values()}
        assert kinds - {Choice, Function, Number} <= (
            {Target, Comparison} if path.stem == "train-your-own" else set()
        )
