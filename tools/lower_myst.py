"""MyST to the Markdown that Colab and JupyterLab show: one page to the cells of its notebook.

Everything in the lists below is lowered; anything else on a page is refused by name, so that no
text can be lost unseen.
"""

from __future__ import annotations

import html
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from book_pages import ADMONITIONS, NUMBERED, Block, Book, Directive, Page, Target, split_blocks
from docutils.nodes import make_id
from markdown_it.token import Token
from pybtex.backends.markdown import Backend as MarkdownBackend
from pybtex.style.formatting.plain import Style as PlainStyle

import vaebook

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from _ext.checks import check_title
from _ext.choices import read_choice
from _ext.download import WHEEL
from _ext.homework import minutes_of, read_timed
from _ext.moves import read_move
from _ext.pages import colab_url

STORED = "nbval-check-output"
FOLDING_TAGS = {"hide-input", "hide-cell", "remove-input", "remove-cell", "check"}
# A misspelt tag would silently switch off what it asks for.
TAGS = {*FOLDING_TAGS, "hide-output", "remove-output"}
TAGS |= {"setup", "explorer", "full-width", "live-only", "page-only", "solution", STORED}
MYSTNB_KEYS = {
    "image": {"alt", "width", "height", "align", "classes"},
    "figure": {"caption", "name", "align", "classes"},
}

OPTIONS = {
    **{name: {"class", "name", "open"} for name in ADMONITIONS},
    "dropdown": {"class", "name", "open", "color", "icon", "animate"},
    "exercise": {"class", "label", "nonumber"},
    "prf:algorithm": {"class", "label", "nonumber"},
    "solution": {"class", "label"},
    "math": {"class", "label", "name"},
    "predict": set(),
    "code-cell": {"tags", "mystnb"},
}
OWN_TITLES = {"seealso": "See also"} | {
    name: name.capitalize() for name in ADMONITIONS if name not in ("seealso", "admonition")
}

# Blocks that go to the notebook as they are written, and what may stand in them.
PLAIN = ("paragraph", "heading", "bullet_list", "ordered_list", "table", "blockquote")
INSIDE = {*PLAIN, "list_item", "thead", "tbody", "tr", "th", "td", "em", "strong", "link"}
INSIDE = {f"{name}_{end}" for name in INSIDE for end in ("open", "close")}
INSIDE |= {"hr", "fence", "math_block", "inline", "text", "softbreak", "hardbreak"}
INSIDE |= {"code_inline", "math_inline", "myst_role"}
PLAIN_BLOCKS = {"hr", "fence", *(f"{name}_open" for name in PLAIN)}
PLAIN_ATTRIBUTES = {"href", "title", "start", "style"}

ROLE = re.compile(r"\{([A-Za-z][\w:.-]*)\}(`+)(?!`)(.+?)(?<!`)\2(?!`)", re.DOTALL)
CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
MATH = re.compile(r"(\$\$?)((?:\\.|[^$\\])+?)\1", re.DOTALL)
ESCAPE_OR_AUTOLINK = re.compile(r"\\.|<[A-Za-z][\w+.-]*:[^\s<>]*>", re.DOTALL)
DESTINATION = re.compile(r"\]\(\s*<?((?:[^\s()<>]|\([^\s()]*\))*)>?(\s+\"[^\"]*\")?\s*\)")
WITH_TEXT = re.compile(r"(.+?)\s*<([^<>]+)>", re.DOTALL)


class Lowering:
    """Lowers one page; without `solutions` its solutions are left out."""

    def __init__(self, book: Book, page: Page, *, solutions: bool):
        self.book = book
        self.page = page
        self.solutions = solutions
        self.cited: set[str] = set()

    # -- text ----------------------------------------------------------------------------------

    def inline(self, text: str, line: int, tokens: list[Token] | None = None) -> str:
        """Replace the roles and links in Markdown text; code stays as it is.

        `tokens` are the parser's for the same text: what is found here must be what it found.
        """
        out: list[str] = []
        brackets: list[int] = []
        found: Counter = Counter()
        at = 0
        while at < len(text):
            here = line + text.count("\n", 0, at)
            piece = text[at]
            if match := ESCAPE_OR_AUTOLINK.match(text, at):
                piece = match[0]
            elif match := ROLE.match(text, at):
                content = " ".join(match[3].split())
                found["role", match[1], content] += 1
                piece = self.role(match[1], content, here)
            elif match := CODE.match(text, at):
                # A fenced block inside a list looks like code in the text, but is none.
                found["code"] += len(match[1]) < 3 or "\n" not in match[0]
                piece = match[0]
            elif match := MATH.match(text, at):
                found["equation" if match[1] == "$$" else "formula"] += 1
                piece = self.mathematics(match, here)
            elif piece == "[":
                brackets.append(len(out))
            elif piece == "]" and brackets:
                opened = brackets.pop()
                if match := DESTINATION.match(text, at):
                    found["link"] += 1
                    shown = "".join(out[opened + 1 :])
                    del out[opened:]
                    piece = self.link(shown, match[1], match[2] or "", here)
            out.append(piece)
            at = match.end() if match else at + 1
        if tokens is not None:
            expected = _census(tokens)
            for one in (expected - found) or (+found - expected):
                what = one if isinstance(one, str) else f"{{{one[1]}}}`{one[2]}`"
                message = (
                    f"cannot tell where the {what} of this block begins or ends: "
                    "put `$$` on lines of its own, escape a lone `$`, `[` or backtick"
                )
                raise self.page.refusal(line, message)
        return "".join(out)

    def mathematics(self, match: re.Match, line: int) -> str:
        if match[1] == "$$":
            return f"$${self.equation_body(match[2], line)}$$"
        # A line break would put the ">" of a quotation into the formula.
        return re.sub(r"\s*\n\s*", " ", match[0])

    def role(self, name: str, content: str, line: int) -> str:
        explicit = WITH_TEXT.fullmatch(content)
        text, target = (explicit[1], explicit[2].strip()) if explicit else ("", content)
        if name == "term":
            return text or content
        if name in ("eq", "ref", "numref", "prf:ref"):
            return self.reference(target, text, line)
        if name == "doc":
            return self.page_link(target, text, "", line)
        if name in ("cite", "cite:t", "cite:p"):
            return self.citation(content, name == "cite:t", line)
        if name == "timed":
            words, slug = read_timed(content)
            link = self.page_link(f"/{slug}", words, "", line)
            minutes = f"{minutes_of(self.book.pages[slug].text)} minutes"
            return f"{link} ({minutes})" if words else minutes
        if name == "move":
            with self.page.refusing(line):
                move = read_move(content)
            return f"{self.inline(move.words, line)} (`{move.shown}`)"
        raise self.page.refusal(line, f"the role {{{name}}} is not in the list of constructs")

    def link(self, text: str, destination: str, tooltip: str, line: int) -> str:
        if re.match(r"(https?|mailto):", destination):
            return f"[{text}]({destination}{tooltip})"
        path, _, anchor = destination.partition("#")
        if path:
            return self.page_link(path, text, anchor, line)
        return self.reference(anchor, text, line)

    def reference(self, label: str, text: str, line: int) -> str:
        """Text for a label, with a link where the label is on another page."""
        target = self.book.targets.get(label)
        if target is None:
            raise self.page.refusal(line, f"no page of the book has the label {label!r}")
        if target.page_only:
            raise self.page.refusal(line, f"{label!r} is on the page only, not in the notebook")
        title = self.title(target)
        form = {"equation": "(%s)", "figure": self.book.figure_format}
        if text:
            shown = text.replace("{number}", "%s").replace("%s", target.number)
            shown = shown.replace("{name}", title)
        elif target.number:
            shown = form.get(target.kind, f"{target.kind.capitalize()} %s") % target.number
        else:
            shown = title
        if not shown:
            raise self.page.refusal(line, f"{label!r} has no title: write {{ref}}`text <{label}>`")
        if target.page is self.page:
            return shown
        url = self.book.url(target, label, self.page.folder)
        if target.number and not text:
            chapter = self.title(Target(target.page, "section", title=target.page.title))
            return f"{shown} of " + (f"[{chapter}]({url})" if url else f"*{chapter}*")
        return f"[{shown}]({url})" if url else shown

    def page_link(self, path: str, text: str, anchor: str, line: int) -> str:
        """A link to a page of the book, by its path as {doc} or a Markdown link gives it."""
        page = self.book.page_at(path, self.page.folder)
        if page is None:
            raise self.page.refusal(line, f"the book has no page {path!r}")
        if anchor in self.book.targets:
            return self.reference(anchor, text, line)
        target = Target(page, "section", title=page.title)
        url = self.book.url(target, anchor, self.page.folder)
        shown = text or self.title(target)
        return f"[{shown}]({url})" if url else shown

    def title(self, target: Target) -> str:
        """A heading or the title of a directive, itself lowered."""
        return Lowering(self.book, target.page, solutions=True).inline(target.title, 0)

    def citation(self, keys: str, textual: bool, line: int) -> str:
        """Give "Kingma and Welling (2014)" in a sentence, "(Kingma and Welling, 2014)" beside."""
        shown = []
        for key in re.split(r"\s*,\s*", keys):
            entry = self.book.bibliography.get(key)
            if entry is None:
                raise self.page.refusal(line, f"references.bib has no entry {key!r}")
            self.cited.add(key)
            people = entry.persons.get("author") or entry.persons.get("editor") or []
            names = [" ".join(map(str, person.rich_last_names)) for person in people]
            names = names or [entry.fields.get("title", key)]
            who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
            year = entry.fields.get("year", "no year")
            shown.append(f"{who} ({year})" if textual else f"{who}, {year}")
        return "; ".join(shown) if textual else f"({'; '.join(shown)})"

    # -- blocks --------------------------------------------------------------------------------

    def block(self, block: Block) -> str:
        """One block as Markdown; the empty string where nothing of it is shown."""
        head = block.tokens[0]
        if block.kind in ("myst_target", "myst_line_comment"):
            return ""
        if block.kind in ("math_block", "math_block_label"):
            return self.equation(head.content, block)
        if block.directive is not None:
            return self.directive(block)
        if block.kind not in PLAIN_BLOCKS:
            raise self.page.refusal(block.line, _not_listed(head))
        line = block.line
        for token in _flat(block.tokens):
            line = block.line + token.map[0] - head.map[0] if token.map else line
            if token.type not in INSIDE:
                raise self.page.refusal(line, _not_listed(token))
            if token.type == "fence" and token.info.startswith("{"):
                message = f"{token.info} inside a list or quotation: move it out"
                raise self.page.refusal(line, message)
            if set(token.attrs) - PLAIN_ATTRIBUTES:
                message = f"the attributes {token.attrs} are not in the list of constructs"
                raise self.page.refusal(line, message)
        if block.kind == "fence":
            return block.source
        return self.inline(block.source, block.line, block.tokens)

    def markdown(self, text: str, line: int) -> list[str]:
        """The lowered blocks of a directive's body or of a caption."""
        blocks = split_blocks(self.page, text, self.book.parser, line)
        return [lowered for block in blocks if (lowered := self.block(block))]

    def directive(self, block: Block) -> str:
        directive, line = block.directive, block.line
        name, argument, body = directive.name, directive.argument, directive.body
        if name not in OPTIONS or name == "code-cell":
            where = " inside another block" if name == "code-cell" else ""
            message = f"the directive {{{name}}}{where} is not in the list of constructs"
            raise self.page.refusal(line, message)
        self.check_keys(directive.options, OPTIONS[name], f"{{{name}}} takes no option", line)
        if directive.page_only:
            return ""
        if name == "math":
            return self.equation(f"{argument}\n{body}", block)
        if name == "predict":
            return self.choice(directive, line)
        folds = name in ("dropdown", "solution") or "dropdown" in directive.classes
        if name in OWN_TITLES:
            # These have no argument: what stands on their first line begins the text.
            title = OWN_TITLES[name]
            text = self.markdown(argument, line) + self.markdown(body, directive.line)
            return _details(title, text, directive) if folds else _quotation(title, text)
        if name == "solution":
            title = f"Solution to {self.reference(argument, '', line)}"
        else:
            title = self.inline(argument, line)
        if folds and not self.solutions and title.lower().startswith("solution"):
            return ""
        text = self.markdown(body, directive.line)
        if name in NUMBERED:
            number = self.page.numbers.get((name.removeprefix("prf:"), line), "")
            heading = f"{NUMBERED[name]} {number}".strip() + (f" ({title})" if title else "")
            return "\n\n".join([f"**{heading}.**", *text])
        return _details(title or "More", text, directive) if folds else _quotation(title, text)

    def choice(self, directive: Directive, line: int) -> str:
        """A question with its options, and a folded answer with the reason and the replies."""
        with self.page.refusing(line):
            options, reason = read_choice(directive.body.split("\n"))
        texts = [self.inline(option.text, directive.line + option.start) for option in options]
        answer, replies = [], []
        for option, text in zip(options, texts, strict=True):
            reply = self.markdown(
                "\n".join(option.reply.lines), directive.line + option.reply.start
            )
            if option.right:
                answer, replies = [f"**{text}**"], [*reply, *replies]
            elif reply:
                replies += [f"*{text}*", *reply]
        answer += self.markdown("\n".join(reason.lines), directive.line + reason.start)
        question = [self.inline(directive.argument, line), "\n".join(f"- {text}" for text in texts)]
        details = _details("Answer", [*answer, *replies])
        return f"{_quotation('Predict first', question)}\n\n{details}"

    def check_keys(self, given, allowed: set[str], message: str, line: int) -> None:
        for key in given:
            if key not in allowed:
                raise self.page.refusal(line, f"{message} {key!r}; known are {sorted(allowed)}")

    def equation(self, body: str, block: Block) -> str:
        lines = [self.equation_body(body.strip(), block.line)]
        if number := self.page.numbers.get(("equation", block.line)):
            lines.append(rf"\tag{{{number}}}")
        return "\n".join(["$$", *lines, "$$"])

    def equation_body(self, body: str, line: int) -> str:
        """What stands between the dollar signs, in the environment that Sphinx puts round it."""
        if re.search(r"\n\s*\n", body):
            raise self.page.refusal(line, "a blank line in an equation: use aligned")
        if re.search(r"(?<!\\)%", body):
            raise self.page.refusal(line, "a TeX comment in an equation: write it outside")
        if re.search(r"\\begin\{(align|equation|gather|multline)\*?\}", body):
            raise self.page.refusal(line, "a display environment in an equation: use aligned")
        if r"\\" in body and r"\begin{" not in body:
            return rf"\begin{{split}}{body}\end{{split}}"
        return body

    # -- cells ---------------------------------------------------------------------------------

    def notebook(self) -> nbformat.NotebookNode:
        """The page as a notebook without outputs; its cells are named after their sections."""
        if self.page.problem:
            raise self.page.problem
        blocks = self.page.blocks
        if not blocks or blocks[0].kind != "front_matter":
            raise self.page.refusal(0, "the page does not begin with its jupytext header")
        cells: list[nbformat.NotebookNode] = []
        counts: Counter[str] = Counter()
        sections = {"book", "install", "references"}
        section = _unused("top", sections)
        text: list[str] = []
        targets: list[str] = []

        def add(new_cell, source: str, section: str, **metadata) -> None:
            counts[section] += 1
            name = f"{section}_{counts[section]}"
            cells.append(new_cell(source, id=name, metadata=metadata))

        def flush() -> None:
            if text:
                add(nbformat.v4.new_markdown_cell, "\n\n".join(text), section)
                text.clear()

        if links := self.links_to_the_book():
            add(nbformat.v4.new_markdown_cell, links, "book")
        for block in blocks[1:]:
            if block.kind == "myst_target":
                targets.append(block.tokens[0].content)
                continue
            if block.kind == "heading_open":
                flush()
                section = _unused(targets[0] if targets else block.tokens[1].content, sections)
            targets.clear()
            directive = block.directive
            if block.kind == "myst_block_break":
                flush()
            elif directive is not None and directive.name == "code-cell":
                tags, caption = self.code_cell(block)
                if directive.page_only or ("solution" in tags and not self.solutions):
                    continue
                flush()
                if not counts["install"]:
                    add(nbformat.v4.new_code_cell, self.install(), "install", **FOLDED)
                metadata: dict[str, Any] = {"tags": tags} if tags else {}
                metadata |= FOLDED if FOLDING_TAGS & set(tags) else {}
                source = directive.body.strip("\n")
                if "check" in tags:
                    with self.page.refusing(block.line):
                        source = f"# @title {check_title(source)}\n{source}"
                add(nbformat.v4.new_code_cell, source, section, **metadata)
                if caption:
                    add(nbformat.v4.new_markdown_cell, caption, section)
            elif lowered := self.block(block):
                text.append(lowered)
        flush()
        if self.cited:
            add(nbformat.v4.new_markdown_cell, self.reference_list(), "references")
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        about = {"kernelspec": kernel, "language_info": {"name": "python"}}
        return nbformat.v4.new_notebook(cells=cells, metadata=about)

    def code_cell(self, block: Block) -> tuple[list[str], str]:
        """The tags of a code cell, and the caption and words of its figure as Markdown."""
        directive, line = block.directive, block.line
        if directive.argument not in ("", "ipython3", "python"):
            raise self.page.refusal(line, f"a code cell in {directive.argument!r}")
        options = directive.options
        self.check_keys(options, OPTIONS["code-cell"], "a code cell takes no option", line)
        tags = list(options.get("tags") or [])
        self.check_keys(tags, TAGS, "there is no tag", line)
        mystnb = options.get("mystnb") or {}
        self.check_keys(mystnb, set(MYSTNB_KEYS), "mystnb takes no key", line)
        for part, keys in mystnb.items():
            self.check_keys(keys, MYSTNB_KEYS[part], f"mystnb {part} takes no key", line)
        parts = []
        if caption := (mystnb.get("figure") or {}).get("caption"):
            name = self.book.figure_format % self.page.numbers["figure", line]
            first, *rest = self.markdown(caption, line)
            parts += [f"**{name}.** {first}", *rest]
        if alt := (mystnb.get("image") or {}).get("alt"):
            words = re.sub(r"([\\`*_$<\[])", r"\\\1", " ".join(alt.split()))
            parts.append(_details("The picture in words", [words]))
        return tags, "\n\n".join(parts)

    def links_to_the_book(self) -> str:
        links = []
        if colab := colab_url(self.book.address, self.book.branch, self.page.slug):
            badge = "https://colab.research.google.com/assets/colab-badge.svg"
            links.append(f"[![Open in Colab]({badge})]({colab})")
        url = self.book.url(Target(self.page, "section"), "", self.page.folder)
        if url.startswith("http"):
            links.append(f"[Read this page in the book]({url})")
        return " ".join(links)

    def install(self) -> str:
        """A cell that installs the package where it is missing and keeps all that is there."""
        if not self.book.address:
            return IMPORT + FROM_WHEEL
        where = f"git+{self.book.address}@v{vaebook.__version__}"
        return f'{IMPORT}    %pip install --quiet "vaebook @ {where}"'

    def reference_list(self) -> str:
        """The works that the page cites, in full."""
        entries = [self.book.bibliography[key] for key in sorted(self.cited)]
        backend = MarkdownBackend("utf-8")
        works = [work.text.render(backend) for work in PlainStyle().format_entries(entries)]
        # The backend escapes every stop and hyphen, which Markdown does not ask for.
        works = [re.sub(r"\\([.-])", r"\1", " ".join(work.split())) for work in works]
        return "\n".join(["**References**", "", *(f"- {work}" for work in works)])


IMPORT = """\
# @title Install the book's package where it is missing
# Its requirements are floors: the numpy and torch of this machine stay as they are.
try:
    import vaebook
except ImportError:
"""
# The rest of the set-up cell while there is no address to install the package from.
FROM_WHEEL = f"""\
    from pathlib import Path

    wheel = "{WHEEL}"
    if not Path(wheel).exists():
        raise ImportError(
            f"vaebook is missing: upload {{wheel}} beside this notebook (Colab: Files, "
            "on the left) and run this cell again. Each page of the book offers it for download."
        ) from None
    %pip install --quiet {{wheel}}"""

# How Jupyter and Colab are told that the code of a cell is folded away.
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


def _census(tokens: list[Token]) -> Counter:
    """What the parser found in a block, counted as `Lowering.inline` counts it."""
    found: Counter = Counter()
    names = {"math_inline": "formula", "math_block": "equation", "code_inline": "code"}
    for token in _flat(tokens):
        if token.type == "myst_role":
            found["role", token.meta["name"], " ".join(token.content.split())] += 1
        elif token.type == "link_open":
            found["link"] += token.info != "auto"
        elif token.type in names:
            found[names[token.type]] += 1
    return +found


def _not_listed(token: Token) -> str:
    words = (token.content or token.info).strip().split("\n")[0]
    name = token.type.removesuffix("_open").replace("_", " ")
    return f"{name} is not in the list of constructs" + (f": {words!r}" if words else "")


def _unused(name: str, taken: set[str]) -> str:
    """A name for a section, valid in the id of a cell and not taken yet."""
    base = (make_id(name) or "section")[:50].strip("-")
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}-{count}"
    taken.add(name)
    return name


def _quotation(title: str, blocks: list[str]) -> str:
    """A block quotation; displayed equations go on one line, lest ">" gets into them."""
    parts = [f"**{title}**"] if title else []
    for text in blocks:
        if not text.startswith("```"):
            text = re.sub(r"\$\$.+?\$\$", lambda m: " ".join(m[0].split()), text, flags=re.DOTALL)
        parts.append(text)
    return "\n".join(f"> {line}".rstrip() for line in "\n\n".join(parts).split("\n"))


def _details(title: str, body: list[str], directive: Directive | None = None) -> str:
    """A part that folds; its title is HTML, so Markdown's code, bold and italic are spelt out."""
    summary = html.escape(title, quote=False)
    for mark, tag in (("`", "code"), (r"\*\*", "strong"), (r"\*", "em")):
        summary = re.sub(rf"{mark}([^$]+?){mark}", rf"<{tag}>\1</{tag}>", summary)
    is_open = directive is not None and "open" in directive.options
    start = "<details open>" if is_open else "<details>"
    return "\n\n".join([f"{start}\n<summary>{summary}</summary>", *body, "</details>"])
