"""The notebook generator: each construct, what it refuses, and that nothing is lost or unstable."""

import json
import re
import shutil
from collections import Counter

import make_notebooks
import nbformat
import pytest
import yaml
from book_pages import Book, Refusal, pages_in
from hypothesis import given, settings
from hypothesis import strategies as st
from lower_myst import Lowering
from small_book import HEADER, ROOT
from whole_book import whole_book

from _ext.download import WHEEL

HEADER_LINES = HEADER.count("\n")
BIBLIOGRAPHY = r"""
@article{kingma2014, author={Kingma, Diederik P. and Welling, Max}, title={Auto-encoding},
  journal={ICLR}, year={2014}}
@book{muller1999, author={M{\"u}ller, Anna}, title={Bells}, publisher={Press}, year={1999}}
@article{three2001, author={One, A. and Two, B. and Three, C.}, title={Many}, journal={J},
  year={2001}}
"""


class Bookshelf:
    """A small book in a temporary folder."""

    def __init__(self, root):
        self.root = root
        config = (ROOT / "_config.yml").read_text("utf-8")
        self.write("_config.yml", re.sub(r"(?m)^  url: .*$", '  url: ""', config))
        self.write("_toc.yml", "root: index\n")
        self.write("references.bib", BIBLIOGRAPHY)
        self.write("index.md", "# The book\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def page(self, body, slug="chapters/page"):
        return self.write(f"{slug}.md", HEADER + body)

    def set_address(self, url):
        text = re.sub(r'(?m)^  url: ""$', f'  url: "{url}"', self.read("_config.yml"))
        assert url in text
        self.write("_config.yml", text)

    def read(self, name):
        return (self.root / name).read_text("utf-8")

    def notebook(self, slug="chapters/page"):
        """The notebook of a page, not executed."""
        book = Book(self.root)
        page = book.pages[slug]
        return Lowering(book, page, solutions=page.folder != "homework").notebook()

    def markdown(self, body, slug="chapters/page"):
        """The Markdown that a page without code cells becomes."""
        self.page(body, slug)
        return "\n\n".join(cell.source for cell in self.notebook(slug).cells)

    def run(self, *arguments):
        return make_notebooks.main(list(arguments), root=self.root)


@pytest.fixture
def shelf(tmp_path):
    return Bookshelf(tmp_path)


def sources(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


# -- constructs --------------------------------------------------------------------------------

EQUATION = "$$\na = b\n$$ (eq-one)\n\n"
FIGURE = """\
```{code-cell} ipython3
---
mystnb:
  image:
    alt: "A curve with $5 and a [star]*."
  figure:
    name: fig-one
    caption: |
      A curve, see {eq}`eq-one`.

      More of it.
tags: [hide-input]
---
draw()
```

"""


@pytest.mark.parametrize(
    ("myst", "markdown"),
    [
        ("Plain *text*,\nin two lines.", "Plain *text*,\nin two lines."),
        ("- one\n- two\n\n  ```python\n  x = 1\n  ```", None),
        ("| a | b |\n|---|--:|\n| $x$ | `y` |", None),
        ("> a quotation", None),
        ("```python\n{eq}`stays` $x\n```", None),
        ("Code `{eq}`, `` `a` ``, \\$5 and $x_1$ stay.", None),
        ("A formula $a +\nb$ on one line", "A formula $a + b$ on one line"),
        ("(sec-a)=\n## Title\n\n{ref}`sec-a`, {ref}`this <sec-a>`", "## Title\n\nTitle, this"),
        ("text\n\n% a remark\n\nmore", "text\n\nmore"),
        ("$$\nx\n$$", "$$\nx\n$$"),
        (EQUATION + "By {eq}`eq-one`", "$$\na = b\n\\tag{1}\n$$\n\nBy (1)"),
        ("```{math}\n:label: eq-m\na\n```\n\n[](#eq-m)", "$$\na\n\\tag{1}\n$$\n\n(1)"),
        ("$$\na \\\\ b\n$$", "$$\n\\begin{split}a \\\\ b\\end{split}\n$$"),
        ("- item\n\n  $$\n  x\n  $$", None),
        (":::{note}\nText.\n:::", "> **Note**\n>\n> Text."),
        (":::{note} Begins\nhere.\n:::", "> **Note**\n>\n> Begins\n>\n> here."),
        (":::{seealso}\nText.\n:::", "> **See also**\n>\n> Text."),
        (
            ":::{admonition} You *will*\n:class: tip\n- a\n- b\n\nAnd $c$.\n:::",
            "> **You *will***\n>\n> - a\n> - b\n>\n> And $c$.",
        ),
        (":::{tip}\n$$\na\n$$\n:::", "> **Tip**\n>\n> $$ a $$"),
        (":::{note}\n:class: page-only\nGone.\n:::\n\nrest", "rest"),
        (
            ":::{dropdown} Answer to `a` & $b$\n:open:\nBody.\n:::",
            "<details open>\n<summary>Answer to <code>a</code> &amp; $b$</summary>\n\nBody.\n\n"
            "</details>",
        ),
        (
            ":::{hint}\n:class: dropdown\nLook.\n:::",
            "<details>\n<summary>Hint</summary>\n\nLook.\n\n</details>",
        ),
        (
            "::::{exercise} Title\n:label: ex-a\nDo.\n\n:::{hint}\nHow.\n:::\n::::\n\n{ref}`ex-a`",
            "**Exercise 1 (Title).**\n\nDo.\n\n> **Hint**\n>\n> How.\n\nExercise 1",
        ),
        (
            ":::{exercise}\n:label: ex-a\nDo.\n:::\n\n:::{solution} ex-a\nDone.\n:::",
            "**Exercise 1.**\n\nDo.\n\n<details>\n<summary>Solution to Exercise 1</summary>\n\n"
            "Done.\n\n</details>",
        ),
        (
            ":::{prf:algorithm} EM\n:label: alg-a\n1. E\n2. M\n:::\n\n{prf:ref}`alg-a`",
            "**Algorithm 1 (EM).**\n\n1. E\n2. M\n\nAlgorithm 1",
        ),
        ("The {term}`bound` and {term}`two\nwords <bound>`", "The bound and two words"),
        ("[out](https://a.org/x_(y) \"t\"), <https://b.org>", None),
        ("[](page.md), [here](page.md), {doc}`page`", None),
        (
            "Now {move}`put $q$\n*there* <elbo-2:mean=0.4,model=linear>`.",
            "Now put $q$ *there* (`mean=0.4, model=linear`).",
        ),
        (
            ":::{predict} Which of $a$, $b$?\n- [ ] only\n  $a$\n\n  $$\n  a\n  $$\n"
            "- [x] *both*\n\nBecause.\n\n- of this\n:::",
            "> **Predict first**\n>\n> Which of $a$, $b$?\n>\n> - only $a$\n> - *both*\n\n"
            "<details>\n<summary>Answer</summary>\n\n***both***\n\nBecause.\n\n- of this\n\n"
            "*only $a$*\n\n$$\na\n$$\n\n</details>",
        ),
    ],
)  # fmt: skip
def test_each_construct(shelf, myst, markdown):
    expected = myst if markdown is None else markdown
    if "page.md" in myst:
        link = "[{}](page.ipynb)"
        expected = ", ".join(link.format(text) for text in ("Page", "here", "Page"))
    assert shelf.markdown(f"# Page\n\n{myst}\n") == f"# Page\n\n{expected}"


def test_how_long_a_set_takes_is_the_sum_over_its_tasks(shelf):
    text = "# Homework: Jensen\n\n**Level:** 1.\n"
    text += "\n**Predict, 5 minutes.** Which?\n\n**Derive, 20 minutes.** Why?\n"
    role = "# Page\n\n{timed}`Jensen's\ninequality <homework/set>` takes {timed}`homework/set`."
    for minutes in (25, 60):
        shelf.page(text.replace("5 minutes", f"{minutes - 20} minutes", 1), "homework/set")
        link = "[Jensen's inequality](../homework/set.ipynb)"
        shown = f"# Page\n\n{link} ({minutes} minutes) takes {minutes} minutes."
        assert shelf.markdown(role) == shown


def test_citations_name_author_and_year_and_are_listed_in_full(shelf):
    text = shelf.markdown(
        "{cite:t}`kingma2014` and {cite:t}`muller1999`. Many {cite:p}`three2001, kingma2014`, "
        "{cite}`muller1999`."
    )
    first, references = text.split("\n\n", 1)
    assert first == (
        "Kingma and Welling (2014) and Müller (1999). Many (One et al., 2001; Kingma and "
        "Welling, 2014), (Müller, 1999)."
    )
    assert references.startswith("**References**\n\n- ")
    assert "- Anna Müller. *Bells*. Press, 1999." in references
    assert references.count("\n- ") == 3


def test_a_figure_gets_its_caption_and_its_words_in_the_cell_after_it(shelf):
    shelf.page(EQUATION + FIGURE + "{numref}`fig-one`, {numref}`Figure %s <fig-one>`")
    _, _, *cells = shelf.notebook().cells
    assert [cell.cell_type for cell in cells] == ["code", "markdown", "markdown"]
    assert cells[0].source == "draw()"
    assert cells[0].metadata == {
        "tags": ["hide-input"],
        "cellView": "form",
        "jupyter": {"source_hidden": True},
    }
    assert cells[1].source == (
        "**Fig. 1.** A curve, see (1).\n\nMore of it.\n\n"
        "<details>\n<summary>The picture in words</summary>\n\n"
        "A curve with \\$5 and a \\[star]\\*.\n\n</details>"
    )
    assert cells[2].source == "Fig. 1, Figure 1"


def test_numbers_begin_with_the_chapter_as_in_the_book(shelf):
    shelf.write(
        "_toc.yml",
        "root: index\nparts:\n- {numbered: true, chapters: [{file: chapters/other}]}\n"
        "- {numbered: true, chapters: [{file: chapters/page}]}\n",
    )
    shelf.page("# Other\n", "chapters/other")
    assert "\\tag{2.1}" in shelf.markdown("# Page\n\n" + EQUATION)


def test_deeper_pages_have_notebooks_and_go_on_with_the_numbers_of_their_chapter(shelf):
    shelf.write(
        "_toc.yml",
        "root: index\nparts:\n- numbered: true\n  chapters:\n  - file: chapters/page\n"
        "    sections: [{file: deeper/z}, {file: deeper/a}]\n  - file: chapters/other\n",
    )
    shelf.page("# Page\n\n$$\na\n$$ (eq-page)\n")
    shelf.page("# A\n\n" + EQUATION, "deeper/a")
    shelf.page("# Z\n\n$$\na\n$$ (eq-z)\n", "deeper/z")
    shelf.page("# Other\n\n$$\na\n$$ (eq-other)\n", "chapters/other")
    for slug, number in [("deeper/z", "1.2"), ("deeper/a", "1.3"), ("chapters/other", "2.1")]:
        assert f"\\tag{{{number}}}" in sources(shelf.notebook(slug))


def test_a_check_cell_is_a_folded_form_that_counts_its_numbers(shelf):
    code = "assert a == 1\nfor b in c:\n    np.testing.assert_allclose(b, 2)"
    shelf.page(f"# Page\n\n```{{code-cell}} ipython3\n:tags: [check]\n\n{code}\n```\n")
    cell = shelf.notebook().cells[-1]
    assert cell.source == f"# @title ✓ 2 numbers checked\n{code}"
    assert cell.metadata["cellView"] == "form"
    assert cell.metadata["jupyter"] == {"source_hidden": True}


def test_references_to_other_pages_become_links(shelf):
    shelf.page("# The other\n\n(sec-far)=\n## Far\n\n" + EQUATION, "homework/other")
    shelf.write("appendix/notation.md", "(sec-notation)=\n# Notation\n")
    text = (
        "{eq}`eq-one`, {ref}`sec-far`, {ref}`there <sec-far>`, [](../homework/other.md), "
        "[set](../homework/other.md#sec-far), {doc}`/appendix/notation`, {ref}`sec-notation`"
    )
    other = "../homework/other.ipynb"
    assert shelf.markdown(text) == (
        f"(1) of [The other]({other}), [Far]({other}), [there]({other}), [The other]({other}), "
        f"[set]({other}), Notation, Notation"
    )
    shelf.set_address("https://github.com/Some-One/vaebook")
    site = "https://some-one.github.io/vaebook"
    assert sources(shelf.notebook()).endswith(
        f"(1) of [The other]({site}/homework/other.html#equation-eq-one), "
        f"[Far]({site}/homework/other.html#sec-far), [there]({site}/homework/other.html#sec-far), "
        f"[The other]({site}/homework/other.html), [set]({site}/homework/other.html#sec-far), "
        f"[Notation]({site}/appendix/notation.html), "
        f"[Notation]({site}/appendix/notation.html#sec-notation)"
    )


# -- what is left out --------------------------------------------------------------------------

WITH_SOLUTIONS = """\
# Page

:::{exercise}
:label: ex-a
Task.
:::

:::{dropdown} Solution
SECRET one.
:::

:::{solution} ex-a
SECRET two.
:::

::::{exercise}
Second.

:::{hint}
Help.
:::

:::{dropdown} Solution: in full
SECRET three.
:::
::::
"""


def test_solutions_stay_in_chapters_and_leave_homework(shelf):
    assert shelf.markdown(WITH_SOLUTIONS).count("SECRET") == 3
    (shelf.root / "chapters/page.md").unlink()
    text = shelf.markdown(WITH_SOLUTIONS, "homework/page")
    assert "SECRET" not in text
    assert "olution" not in text
    assert all(word in text for word in ("Task.", "Second.", "Help.", "Exercise 2"))


def test_page_only_cells_go_with_their_caption_and_live_cells_stay(shelf):
    live = "```{code-cell} ipython3\n:tags: [live-only, remove-output]\n\nalive = 1\n```\n\n"
    hidden = FIGURE.replace("[hide-input]", "[page-only]")
    shelf.page("# Page\n\n" + hidden + EQUATION + live)
    notebook = shelf.notebook()
    assert "draw()" not in sources(notebook)
    assert "A curve" not in sources(notebook)
    assert [c.source for c in notebook.cells if c.metadata.get("tags")] == ["alive = 1"]
    with pytest.raises(Refusal, match="'fig-one' is on the page only"):
        shelf.markdown(EQUATION + hidden + "{numref}`fig-one`")


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("myst", "line", "name"),
    [
        ("text\n\n:::{tab-set}\nx\n:::", 3, "{tab-set}"),
        ("```{figure} a.png\n```", 1, "{figure}"),
        ("a\n{sub}`2`", 2, "{sub}"),
        (":::{note}\na\n\n{kbd}`x`\n:::", 4, "{kbd}"),
        (":::{note}\n:icon: star\na\n:::", 1, "'icon'"),
        (":::{note}\n:class: [a\nb\n:::", 1, "YAML"),
        ("<div>x</div>", 1, "html block"),
        ("a <b>x</b>", 1, "html inline"),
        ("![alt](a.png)", 1, "image"),
        ("foot[^1]\n\n[^1]: note", 1, "footnote ref"),
        ("a\n\n[x]: https://a.org", 3, "lost"),
        ("a\n\n[x]: https://a.org\n\nb", 3, "lost"),
        ("term\n: meaning", 1, "dl"),
        ("\\begin{align}\na\n\\end{align}", 1, "amsmath"),
        ("    indented", 1, "code block"),
        ("[a]{.big}", 1, "span"),
        ("`a`{.big}", 1, "attributes"),
        ("- item\n\n  :::{note}\n  x\n  :::", 3, "colon fence"),
        ("- item\n\n  ```{note}\n  x\n  ```", 3, "{note}"),
        ("- item\n\n  $$\n  x\n  $$ (eq-l)", 3, "math block label"),
        ("a $$x$$ b", 1, "formula"),
        ("```{raw-cell}\nx\n```", 1, "{raw-cell}"),
        (":::{note}\n```{code-cell}\nx\n```\n:::", 2, "{code-cell}"),
        ("```{code-cell} ipython3\n:tags: [hide-inptu]\nx\n```", 1, "'hide-inptu'"),
        ("```{code-cell} ipython3\n:label: x\nx\n```", 1, "'label'"),
        ("```{code-cell} julia\nx\n```", 1, "'julia'"),
        ("```{code-cell} ipython3\n---\nmystnb: {image: {allt: x}}\n---\nx\n```", 1, "'allt'"),
        ("$$\na\n\n b\n$$", 1, "blank line"),
        ("$$\na % why\n$$", 1, "comment"),
        ("$$\n\\begin{align}a\\end{align}\n$$", 1, "aligned"),
        ("{eq}`eq-none`", 1, "'eq-none'"),
        ("a\n{move}`put it there`", 2, "'put it there'"),
        ("a\n{timed}`a set <homework/none>`", 2, "'/homework/none'"),
        (":::{predict} Q\n- [ ] a\n- [ ] b\n\nwhy\n:::", 1, "- [x]"),
        (":::{predict} Q\n- [x] a\n- [ ] b\n:::", 1, "reason"),
        ("```{code-cell} ipython3\n:tags: [check]\nx\n```", 1, "asserts nothing"),
        ("[](#none)", 1, "'none'"),
        ("[x](other.md)", 1, "'other.md'"),
        ("a\n\n{cite}`nobody`", 3, "'nobody'"),
        ("(here)=\ntext\n\n{ref}`here`", 4, "no title"),
        ("(a)=\n## A\n\n(a)=\n## B", 5, "'a' is used twice"),
    ],
)
def test_anything_else_is_refused_by_file_line_and_name(shelf, myst, line, name):
    with pytest.raises(Refusal) as refusal:
        shelf.markdown(myst)
    place, _, message = str(refusal.value).partition(": ")
    assert place == f"chapters/page.md:{HEADER_LINES + line}"
    assert name in message


def test_a_page_without_a_header_or_with_another_pages_label_is_refused(shelf):
    shelf.write("chapters/page.md", "# Page\n")
    with pytest.raises(Refusal, match=r"chapters/page.md:1: .* jupytext header"):
        shelf.notebook()
    shelf.page("(same)=\n# Page\n")
    shelf.page("(same)=\n# Other\n", "chapters/other")
    with pytest.raises(Refusal, match=r"page.md: the label 'same' is also in chapters/other.md"):
        shelf.notebook()


# -- nothing is lost ---------------------------------------------------------------------------

CELL = re.compile(
    r"(?ms)^```\{code-cell\}[^\n]*\n(?:---\n(?P<yaml>.*?)^---\n|(?P<tags>(?::[^\n]*\n)*))(?P<code>.*?)^```$"
)
PAGE_ONLY = re.compile(r"(?ms)^(:{3,})\{[^\n]*\n:class: page-only\n.*?^\1$")
NOT_SHOWN = [
    r"(?m)^\s*- \[[x ]\]",  # which answer is right
    r"(?s)\A---\n.*?\n---\n",  # front matter
    r"(?m)^[:`]{3,}(\{[\w:-]+\})?",  # fences and names of directives; their titles stay
    r"(?m)^:[\w-]+:.*$",  # options
    r"(?m)^\(.*\)=$",  # targets
    r"(?m)^%.*$",  # comments
    r"(?m)\(eq-[\w-]+\)$",  # labels of equations
    r"\]\([^)]*\)",  # where links go
]
ROLE = re.compile(r"\{([\w:]+)\}`([^`<]*)(<[^`>]*>)?`")  # its text is shown, its target is not


def page_words(text):
    """The words that a page shows and the lines of its code, found without a Markdown parser."""
    words, code = [], []

    def take(cell):
        options = yaml.safe_load(cell["yaml"] or "") or {}
        if "page-only" not in f"{options.get('tags')}{cell['tags']}":
            figure = options.get("mystnb") or {}
            words.extend([figure["image"]["alt"], figure["figure"]["caption"]] if figure else [])
            code.extend(cell["code"].split("\n"))
        return ""

    shown = "\n".join([PAGE_ONLY.sub("", CELL.sub(take, text)), *words])
    shown = ROLE.sub(lambda role: role[2] if role[3] or role[1] == "term" else " ", shown)
    for pattern in NOT_SHOWN:
        shown = re.sub(pattern, " ", shown)
    lines = Counter(line.strip() for line in code if line.strip())
    return Counter(re.findall(r"\w+", shown)), lines


@pytest.mark.parametrize("path", pages_in("chapters"), ids=lambda path: path.stem)
def test_no_word_and_no_code_line_of_a_chapter_is_lost(path):
    words, code = page_words(path.read_text("utf-8"))
    notebook = nbformat.read(path.with_suffix(".ipynb"), 4)
    assert sum(words.values()) > 1000
    text = "\n".join(cell.source for cell in notebook.cells)
    lost = words - Counter(re.findall(r"\w+", text))
    assert not lost
    lost = code - Counter(line.strip() for line in text.split("\n"))
    assert not lost


def prose(depth):
    """A strategy for MyST blocks in which every word is the placeholder WORD."""
    leaf = st.sampled_from(
        [
            "WORD *WORD* `WORD`\nWORD $WORD$",
            "- WORD\n- WORD\n\n  WORD",
            "1. WORD\n2. WORD",
            "| WORD | WORD |\n|---|---|\n| WORD | WORD |",
            "> WORD",
            "$$\nWORD\n$$",
            "```{math}\nWORD\n```",
            "```python\nWORD\n```",
        ]
    )
    if not depth:
        return leaf
    names = [
        "{note}", "{tip} WORD", "{admonition} WORD", "{dropdown} WORD", "{exercise}",
        "{exercise} WORD", "{prf:algorithm} WORD", "{warning}\n:class: dropdown\n",
    ]  # fmt: skip
    colons = ":" * (3 + depth)
    inside = st.lists(prose(depth - 1), min_size=1, max_size=3).map("\n\n".join)
    nested = st.builds(
        lambda name, body: f"{colons}{name}\n{body}\n{colons}", st.sampled_from(names), inside
    )
    return leaf | nested


@settings(max_examples=25, deadline=None)
@given(st.lists(prose(2), min_size=1, max_size=5))
def test_every_word_of_any_nesting_arrives_once_and_in_order(tmp_path_factory, blocks):
    numbers = iter(range(10_000))
    body = re.sub("WORD", lambda _: f"w{next(numbers):04d}", "\n\n".join(blocks))
    written = re.findall(r"w\d{4}", body)
    shelf = Bookshelf(tmp_path_factory.mktemp("book"))
    assert re.findall(r"w\d{4}", shelf.markdown(body)) == written


# -- stable files ------------------------------------------------------------------------------

TWO_SECTIONS = """\
(sec-a)=
# Alpha

One paragraph
in two lines.

```{code-cell} ipython3
x = 1
```

## Beta with $x$

Another paragraph.

```{code-cell} ipython3
y = 2
```

## Beta with $x$

The end.
"""


def written(shelf, body):
    shelf.page(body)
    return make_notebooks.to_text(shelf.notebook())


def test_ids_follow_the_section_and_are_valid_and_unique(shelf):
    long = "## " + "long title " * 12
    shelf.page(TWO_SECTIONS + f"\n{long}\n\na\n\n{long}\n\nb\n\n## Überschrift\n\nc\n\n## ∞\n\nd\n")
    ids = [cell.id for cell in shelf.notebook().cells]
    assert ids[:6] == [
        "sec-a_1",
        "install_1",
        "sec-a_2",
        "beta-with-x_1",
        "beta-with-x_2",
        "beta-with-x-2_1",
    ]
    assert len(set(ids)) == len(ids) == 10
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in ids)


@pytest.mark.parametrize(
    ("old", "new"),
    [("One paragraph", "Some paragraph"), ("Another", "A different"), ("y = 2", "y = 3")],
)
def test_one_word_changes_one_line(shelf, old, new):
    before = written(shelf, TWO_SECTIONS).split("\n")
    after = written(shelf, TWO_SECTIONS.replace(old, new)).split("\n")
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_a_new_cell_changes_ids_in_its_section_only(shelf):
    cell = "```{code-cell} ipython3\nnew = 0\n```\n\n"
    shelf.page(TWO_SECTIONS)
    before = {cell.source: cell.id for cell in shelf.notebook().cells}
    shelf.page(TWO_SECTIONS.replace("Another", cell + "Another"))
    after = {cell.source: cell.id for cell in shelf.notebook().cells}
    moved = {before[source] for source in before if after.get(source) != before[source]}
    assert moved
    assert all(name.startswith("beta-with-x_") for name in moved)


STORING = """\
# Page

```{code-cell} ipython3
:tags: [nbval-check-output]

from time import sleep

print("one", flush=True)
sleep(0.3)  # the kernel sends two messages; one text is stored all the same
print("two")
```

```{code-cell} ipython3
:tags: [nbval-check-output]

1 / 4
```

```{code-cell} ipython3
import os
print(os.getcwd())
raise RuntimeError("not reached: no tagged cell follows")
```
"""


def test_only_the_text_of_tagged_cells_is_stored_and_twice_gives_the_same_bytes(shelf, capsys):
    shelf.page(STORING)
    assert shelf.run() == 0
    first = shelf.read("chapters/page.ipynb")
    assert "1 written" in capsys.readouterr().out
    cells = json.loads(first)["cells"]
    outputs = {cell["id"]: cell["outputs"] for cell in cells if cell["cell_type"] == "code"}
    assert outputs == {
        "install_1": [],
        "page_2": [{"name": "stdout", "output_type": "stream", "text": ["one\n", "two\n"]}],
        "page_3": [
            {
                "data": {"text/plain": ["0.25"]},
                "execution_count": 1,
                "metadata": {},
                "output_type": "execute_result",
            }
        ],
        "page_4": [],
    }
    assert json.loads(first)["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert str(shelf.root) not in first
    shutil.rmtree(shelf.root / "chapters")
    shelf.page(STORING)
    assert shelf.run(str(shelf.root / "chapters")) == 0
    assert shelf.read("chapters/page.ipynb") == first
    capsys.readouterr()
    assert shelf.run("--check") == 0
    assert "1 up to date; 5 cells, 2 with stored output" in capsys.readouterr().out
    drop_outputs(shelf)
    assert shelf.run("--check") == 1
    assert "the cell page_2 has no stored output" in capsys.readouterr().err


def tagged(code):
    return f"# Page\n\n```{{code-cell}} ipython3\n:tags: [nbval-check-output]\n\n{code}\n```\n"


def test_a_tagged_cell_must_run(shelf, capsys):
    shelf.page(tagged("x = 1\n1 / 0"))
    assert shelf.run() == 1
    message = "chapters/page.md: the cell page_2 does not run.*ZeroDivisionError"
    assert re.search(f"(?s){message}", capsys.readouterr().err)
    assert not (shelf.root / "chapters/page.ipynb").exists()


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([], "let it print"),
        ([nbformat.v4.new_output("stream", name="stderr", text="no")], "gives stderr"),
        (
            [nbformat.v4.new_output("execute_result", data={"text/plain": "", "text/html": ""})],
            "gives .*text/html",
        ),
    ],
)
def test_a_tagged_cell_must_print_text(shelf, capsys, monkeypatch, outputs, message):
    def execute(_page, run, *_):
        run.cells[-1].outputs = outputs

    monkeypatch.setattr(make_notebooks, "execute", execute)
    shelf.page(tagged("x = 1"))
    assert shelf.run() == 1
    assert re.search(f"chapters/page.md: the cell page_2 .*{message}", capsys.readouterr().err)
    assert not (shelf.root / "chapters/page.ipynb").exists()


PLAIN = "# Page\n\nSome text.\n\n```{code-cell} ipython3\nx = 1\n```\n"


def drop_outputs(shelf):
    notebook = json.loads(shelf.read("chapters/page.ipynb"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    shelf.write("chapters/page.ipynb", text)


def store_output(shelf):
    text = shelf.read("chapters/page.ipynb")
    output = '"outputs": [{"name": "stdout", "output_type": "stream", "text": ["1"]}]'
    shelf.write("chapters/page.ipynb", text.replace('"outputs": []', output))


def edit_notebook(shelf):
    text = shelf.read("chapters/page.ipynb")
    shelf.write("chapters/page.ipynb", text.replace("Some text", "My text"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda shelf: shelf.page(PLAIN + "More.\n"), r"page.ipynb: differs.*\+.*More\."),
        (edit_notebook, r"page.ipynb: differs.*-.*My text.*\+.*Some text"),
        (store_output, r"page.ipynb: differs"),
        (lambda shelf: (shelf.root / "chapters/page.md").unlink(), "has no source page.md"),
        (lambda shelf: (shelf.root / "chapters/page.ipynb").unlink(), "ipynb: missing"),
        (lambda shelf: shelf.write("chapters/page.ipynb", "{"), "not a notebook"),
        (
            lambda shelf: shelf.write(
                "chapters/page.ipynb", json.dumps(json.loads(shelf.read("chapters/page.ipynb")))
            ),
            "not written by this program",
        ),
        (lambda shelf: shelf.page(PLAIN + "{sub}`x`"), r"page.md:\d+: the role \{sub\}"),
    ],
)
def test_check_sees_drift_and_writes_nothing(shelf, capsys, change, message):
    shelf.page(PLAIN)
    assert shelf.run() == 0
    assert shelf.run("--check") == 0
    change(shelf)
    files = {path: path.read_bytes() for path in shelf.root.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert shelf.run("--check") == 1
    errors = capsys.readouterr().err
    assert re.search(message, errors, re.DOTALL)
    assert "make notebooks" in errors
    assert {path: path.read_bytes() for path in shelf.root.rglob("*") if path.is_file()} == files


def test_one_broken_page_does_not_stop_the_others(shelf, capsys):
    shelf.page("# Good\n", "chapters/good")
    shelf.page("{sub}`x`\n", "chapters/bad")
    assert shelf.run() == 1
    assert (shelf.root / "chapters/good.ipynb").exists()
    assert "1 written, 1 refused" in capsys.readouterr().out
    assert shelf.run(str(shelf.root / "chapters/good.md")) == 0
    assert shelf.run(str(shelf.root / "chapters/none.md")) == 1


def test_the_notebooks_of_the_book_are_what_its_sources_give(capsys, monkeypatch):
    monkeypatch.setattr(make_notebooks, "Book", lambda _root: whole_book())
    assert make_notebooks.main(["--check"]) == 0, capsys.readouterr().err


# -- the address of the repository -------------------------------------------------------------


def install_cell(notebook):
    return next(cell for cell in notebook.cells if cell.id == "install_1")


def test_without_an_address_the_first_cell_installs_the_wheel_beside_it_or_asks_for_it(
    shelf, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shelf.page(PLAIN)
    notebook = shelf.notebook()
    assert notebook.cells[0].id == "page_1"
    assert "http" not in sources(notebook)
    cell = install_cell(notebook)
    assert cell.metadata == {"cellView": "form", "jupyter": {"source_hidden": True}}
    installed = []
    source = cell.source.replace("%pip install --quiet {wheel}", "installed.append(wheel)")
    exec(source, {"installed": installed})  # vaebook is there: nothing happens
    missing = source.replace("import vaebook", "import vaebook_is_not_here")
    with pytest.raises(ImportError, match=f"upload {WHEEL} beside this notebook"):
        exec(missing, {"installed": installed})
    assert installed == []
    (tmp_path / WHEEL).touch()
    exec(missing, {"installed": installed})
    assert installed == [WHEEL]


def test_with_an_address_there_are_a_badge_a_link_and_an_install_from_the_tag(shelf):
    shelf.page(PLAIN)
    shelf.set_address("https://github.com/owner/vaebook.git")
    notebook = shelf.notebook()
    assert notebook.cells[0].id == "book_1"
    colab = "https://colab.research.google.com"
    target = f"{colab}/github/owner/vaebook/blob/main/chapters/page.ipynb"
    assert notebook.cells[0].source == (
        f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({target}) "
        "[Read this page in the book](https://owner.github.io/vaebook/chapters/page.html)"
    )
    import vaebook

    cell = install_cell(notebook)
    tag = f"git+https://github.com/owner/vaebook@v{vaebook.__version__}"
    commands = [line for line in cell.source.split("\n") if "%pip" in line]
    assert commands == [f'    %pip install --quiet "vaebook @ {tag}"']
    assert cell.source.startswith("# @title ")


def test_an_address_elsewhere_has_no_colab_badge(shelf):
    shelf.page(PLAIN)
    shelf.set_address("https://git.example.org/owner/vaebook")
    text = sources(shelf.notebook())
    assert "colab" not in text
    assert "git+https://git.example.org/owner/vaebook@v" in text
