"""The pages of the book as all its tools and tests read them: order, cells, labels, numbers.

Pages are parsed with the parser and the extensions of the book build.  `Book` reads all of them
first, because a reference may point at any page.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml
from docutils.nodes import make_id
from docutils.parsers.rst import Directive as RstDirective
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser
from pybtex.database import parse_file

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK_FOLDERS = ("chapters", "deeper", "homework")
PAGE_FOLDERS = ("appendix", *NOTEBOOK_FOLDERS)

ADMONITIONS = ("note", "tip", "important", "warning", "seealso", "hint", "caution", "admonition")
NUMBERED = {"exercise": "Exercise", "prf:algorithm": "Algorithm"}
PROSE_DIRECTIVES = {*ADMONITIONS, *NUMBERED, "dropdown", "predict", "solution"}


def pages_in(folder: str, root: Path = ROOT) -> list[Path]:
    """The pages in a folder of the book: its Markdown files but for the README."""
    return sorted(set(root.glob(f"{folder}/*.md")) - {root / folder / "README.md"})


class Refusal(Exception):
    """A page cannot become a notebook; the message says where, what and how to mend it."""


@dataclass
class Page:
    """A source page: `slug` is its path without suffix, `prefix` its chapter number and a dot.

    `numbers` holds the number of each equation, figure, exercise and algorithm by its line.
    """

    slug: str
    text: str
    prefix: str = ""
    title: str = ""
    blocks: list[Block] = field(default_factory=list)
    numbers: dict[tuple[str, int], str] = field(default_factory=dict)
    problem: Refusal | None = None

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.slug)

    @property
    def has_notebook(self) -> bool:
        return self.folder in NOTEBOOK_FOLDERS

    def refusal(self, line: int, message: str) -> Refusal:
        return Refusal(f"{self.slug}.md:{line + 1}: {message}")

    @contextmanager
    def refusing(self, line: int) -> Iterator[None]:
        """Turn a ValueError of a construct's reader into a refusal of the page."""
        try:
            yield
        except ValueError as error:
            raise self.refusal(line, str(error)) from None


@dataclass
class Directive:
    """A MyST directive taken apart; `line`, from 0, is that of the first line of its body."""

    name: str
    argument: str
    options: dict
    body: str
    line: int

    @property
    def label(self) -> str:
        return str(self.options.get("label") or self.options.get("name") or "")

    @property
    def classes(self) -> list[str]:
        return str(self.options.get("class") or "").split()

    @property
    def page_only(self) -> bool:
        return "page-only" in [*self.classes, *(self.options.get("tags") or [])]


@dataclass
class Block:
    """A top-level block of a page or of a directive's body; `line` counts from 0."""

    kind: str
    line: int
    source: str
    tokens: list[Token]
    directive: Directive | None = None


@dataclass
class Target:
    """What a label points at: a section, equation, figure, exercise, algorithm or other place."""

    page: Page
    kind: str
    number: str = ""
    title: str = ""
    page_only: bool = False


class _AnyDirective(RstDirective):
    """Tells the parser of directives that options and a body may come."""

    option_spec = {"any": str}  # noqa: RUF012  # docutils' own way to declare it
    optional_arguments = 1
    has_content = True


def _read_directive(page: Page, token: Token, line: int) -> Directive:
    """Take a fence such as ``{note}`` apart with the rules of the book build."""
    name, _, argument = token.info.strip()[1:].partition("}")
    # A fence on the first line would be taken for options; the book build sets it apart likewise.
    apart = int(token.content.startswith(":::"))
    content = "\n" * apart + token.content
    parsed = parse_directive_text(_AnyDirective, "", content, validate_options=False)
    if parsed.warnings:
        raise page.refusal(line, f"the options of {{{name}}} are not valid YAML")
    body_line = line + 1 + parsed.body_offset - apart
    return Directive(name, argument.strip(), parsed.options, "\n".join(parsed.body), body_line)


def split_blocks(page: Page, text: str, parser: MarkdownIt, first_line: int = 0) -> list[Block]:
    """Cut MyST text into its top-level blocks; a line that none of them owns is refused."""
    lines = text.split("\n")
    tokens = parser.parse(text)
    blocks: list[Block] = []
    unclaimed = 0
    start = 0
    while start < len(tokens):
        end = start
        while tokens[end].level or tokens[end].nesting == 1:
            end += 1
        head = tokens[start]
        first, last = head.map
        if head.type == "amsmath":  # whose token claims its first line only
            last = first + len(head.content.splitlines())
        _refuse_lost_lines(page, lines, unclaimed, first, first_line)
        unclaimed = last
        source = "\n".join(lines[first:last]).rstrip()
        block = Block(head.type, first_line + first, source, tokens[start : end + 1])
        if head.type in ("fence", "colon_fence") and head.info.strip().startswith("{"):
            block.kind = "directive"
            block.directive = _read_directive(page, head, block.line)
        blocks.append(block)
        start = end + 1
    _refuse_lost_lines(page, lines, unclaimed, len(lines), first_line)
    return blocks


def _refuse_lost_lines(page: Page, lines: list[str], first: int, last: int, offset: int) -> None:
    """Markdown parsers swallow some lines, for example link definitions: they would be lost."""
    for number in range(first, last):
        if lines[number].strip():
            message = f"this line would be lost: {lines[number].strip()!r}"
            raise page.refusal(offset + number, message)


class Cell(NamedTuple):
    """A code cell of a page: `section` is the heading above it, `lines` are those of its fence."""

    code: str
    options: dict
    section: str
    lines: range

    @property
    def tags(self) -> list[str]:
        return self.options.get("tags") or []


@cache
def code_cells(text: str) -> tuple[Cell, ...]:
    """The code cells of a page, or of a part of one, in their order."""
    cells, section = [], ""
    tokens = make_parser().parse(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open":
            section = following.content
        elif token.type == "fence" and token.info.strip().startswith("{code-cell}"):
            directive = _read_directive(Page("page", text), token, token.map[0])
            code = directive.body.strip("\n")
            cells.append(Cell(code, directive.options, section, range(*token.map)))
    return tuple(cells)


def plain_python(code: str) -> str:
    """The code of a cell as Python reads it: a line for the kernel alone does nothing."""
    return re.sub(r"(?m)^( *)[%!].*$", r"\1pass", code)


def without_cells(text: str) -> str:
    """The text of a page, or of a part of one, without its code cells."""
    inside = {number for cell in code_cells(text) for number in cell.lines}
    return "".join(
        line for number, line in enumerate(text.splitlines(True)) if number not in inside
    )


def toc_pages(root: Path = ROOT) -> list[str]:
    """The page names of the contents in their order, the root first."""
    toc = _read_yaml(root / "_toc.yml")
    return [toc["root"], *_files(toc)]


def toc_parts(root: Path = ROOT) -> list[tuple[str, list[tuple[str, int]]]]:
    """The parts of the contents by caption, each with its pages and how deep each is in it."""
    toc = _read_yaml(root / "_toc.yml")
    parts = [
        (
            part["caption"],
            [
                (page, min(1, place))
                for chapter in part["chapters"]
                if "file" in chapter
                for place, page in enumerate(_files({"chapters": [chapter]}))
            ],
        )
        for part in toc.get("parts") or []
    ]
    return [("", [(toc["root"], 0)]), *parts]


def _files(entry: dict) -> Iterator[str]:
    for part in ("parts", "chapters", "sections"):
        for one in entry.get(part) or []:
            if "file" in one:
                yield one["file"].removesuffix(".md")
            yield from _files(one)


def make_parser(extensions: Iterable[str] = ("colon_fence", "dollarmath")) -> MarkdownIt:
    """The parser of the book build, with these extensions of MyST."""
    return create_md_parser(MdParserConfig(enable_extensions=set(extensions)), RendererHTML)


class _Survey:
    """Walks through one page, numbers what the book numbers and notes what the labels point at.

    `counters` says how far the numbers are; a page nested under a chapter continues the chapter's.
    """

    def __init__(self, page: Page, parser: MarkdownIt, counters: Counter[str]):
        self.page = page
        self.parser = parser
        self.targets: dict[str, Target] = {}
        self.counters = counters
        self.waiting: list[str] = []  # labels written above the thing that they name

    def visit(self, blocks: list[Block], *, page_only: bool = False) -> None:
        for block in blocks:
            directive = block.directive
            hidden = page_only or (directive is not None and directive.page_only)
            if block.kind == "myst_target":
                self.waiting.append(block.tokens[0].content)
            elif block.kind == "heading_open":
                title = block.tokens[1].content
                self.page.title = self.page.title or title
                self.note("", Target(self.page, "section", title=title), block.line)
            else:
                label, target = self.describe(block)
                target.page_only = hidden
                self.note(label, target, block.line)
            if directive is not None and directive.name in PROSE_DIRECTIVES:
                body = split_blocks(self.page, directive.body, self.parser, directive.line)
                self.visit(body, page_only=hidden)

    def describe(self, block: Block) -> tuple[str, Target]:
        """The label that a block carries itself, and what it is."""
        directive = block.directive
        if block.kind == "math_block_label":
            return block.tokens[0].info, self.numbered("equation", block.line)
        if directive is None:
            return "", Target(self.page, "place")
        if directive.name == "math" and directive.label:
            return directive.label, self.numbered("equation", block.line)
        if directive.name == "code-cell":
            figure = (directive.options.get("mystnb") or {}).get("figure") or {}
            if figure.get("caption"):
                return figure.get("name") or "", self.numbered("figure", block.line)
        if directive.name in NUMBERED and "nonumber" not in directive.options:
            kind = directive.name.removeprefix("prf:")
            return directive.label, self.numbered(kind, block.line, directive.argument)
        return directive.label, Target(self.page, "place", title=directive.argument)

    def numbered(self, kind: str, line: int, title: str = "") -> Target:
        self.counters[kind] += 1
        number = f"{self.page.prefix}{self.counters[kind]}"
        self.page.numbers[kind, line] = number
        return Target(self.page, kind, number, title)

    def note(self, label: str, target: Target, line: int) -> None:
        for name in filter(None, [*self.waiting, label]):
            if name in self.targets:
                raise self.page.refusal(line, f"the label {name!r} is used twice")
            self.targets[name] = target
        self.waiting.clear()


def site_address(baseurl: str | None, repository: str | None) -> str:
    """Where the built book lies: `baseurl`, else the Pages of a repository on GitHub, else ""."""
    parts = urlsplit((repository or "").strip().rstrip("/").removesuffix(".git"))
    owner, _, name = parts.path.strip("/").partition("/")
    on_pages = parts.hostname == "github.com" and name
    pages = f"https://{owner.lower()}.github.io/{name}" if on_pages else ""
    return (baseurl or "").rstrip("/") or pages


class Book:
    """The book's settings, its pages, and every label of them."""

    def __init__(self, root: Path):
        self.root = root
        config = _read_yaml(root / "_config.yml")
        repository = config.get("repository") or {}
        self.address = (repository.get("url") or "").strip().rstrip("/").removesuffix(".git")
        self.branch = repository.get("branch") or "main"
        self.site = site_address((config.get("html") or {}).get("baseurl"), self.address)
        formats = ((config.get("sphinx") or {}).get("config") or {}).get("numfig_format") or {}
        self.figure_format = formats.get("figure", "Fig. %s")
        extensions = (config.get("parse") or {}).get("myst_enable_extensions")
        self.parser = make_parser(extensions) if extensions else make_parser()
        path = root / "references.bib"
        self.bibliography = dict(parse_file(path, "bibtex").entries) if path.exists() else {}
        self.pages: dict[str, Page] = {}
        self.targets: dict[str, Target] = {}
        numbering = _numbering(_read_yaml(root / "_toc.yml"))
        listed = [root / f"{slug}.md" for slug in toc_pages(root)]
        others = [root / "index.md", root / "homework.md"]
        others += [path for folder in PAGE_FOLDERS for path in pages_in(folder, root)]
        for path in filter(Path.exists, dict.fromkeys([*listed, *others])):
            slug = path.relative_to(root).with_suffix("").as_posix()
            prefix, counters = numbering.get(slug, ("", Counter()))
            self.pages[slug] = Page(slug, path.read_text("utf-8"), prefix)
            self._survey(self.pages[slug], counters)

    def _survey(self, page: Page, counters: Counter[str]) -> None:
        survey = _Survey(page, self.parser, counters)
        try:
            page.blocks = split_blocks(page, page.text, self.parser)
            survey.visit(page.blocks)
            for label in survey.targets.keys() & self.targets.keys():
                other = self.targets[label].page.slug
                raise Refusal(f"{page.slug}.md: the label {label!r} is also in {other}.md")
        except Refusal as problem:
            # Stops this page alone; pages without a notebook may use all of MyST.
            page.problem = problem
        self.targets = survey.targets | self.targets

    def url(self, target: Target, label: str, start: str) -> str | None:
        """Where a link from the notebook in folder `start` goes: the site, or the next notebook."""
        page = target.page
        if self.site and self.address:
            anchor = make_id(label) if label else ""
            if target.kind == "equation":
                anchor = f"equation-{anchor}"
            return f"{self.site}/{page.slug}.html" + (f"#{anchor}" if anchor else "")
        if page.has_notebook:
            return posixpath.relpath(f"{page.slug}.ipynb", start)
        return None

    def page_at(self, path: str, start: str) -> Page | None:
        """The page that a path in a link or a {doc} role names, seen from folder `start`."""
        base = "" if path.startswith("/") else start
        slug = posixpath.normpath(posixpath.join(base, path.lstrip("/")))
        return self.pages.get(re.sub(r"\.(md|ipynb)$", "", slug))


def _read_yaml(path: Path) -> dict:
    return (yaml.safe_load(path.read_text("utf-8")) or {}) if path.exists() else {}


def _numbering(toc: dict) -> dict[str, tuple[str, Counter[str]]]:
    """Slug -> "3." and the chapter's counters, for a numbered chapter and the pages under it."""
    parts = [part for part in toc.get("parts") or [] if part.get("numbered")]
    chapters = [chapter for part in parts for chapter in part["chapters"] if "file" in chapter]
    return {
        slug: place
        for number, chapter in enumerate(chapters, 1)
        for place in [(f"{number}.", Counter())]
        for slug in _files({"chapters": [chapter]})
    }
