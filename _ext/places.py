"""The place that a formula will take, kept free until MathJax has set it: the page does not jump.

Inline formulas are as wide as an estimate from their TeX says (within a tenth of an em as a rule),
displayed ones as high. ``_static/book.css`` makes the places, ``_static/book.js`` gives them up
should MathJax fail: the TeX is read then.
"""

import re
from html import unescape
from string import ascii_letters

TOKEN = re.compile(r"\\operatorname\*?\{[A-Za-z\\,]*\}|\\(?:text\w*)\{[^{}]*\}|\\[A-Za-z]+|\\.|\S")
INLINE = re.compile(r'<span class="math notranslate nohighlight">\\\((.*?)\\\)</span>', re.S)
DISPLAY = re.compile(r'<div class="math notranslate nohighlight"(?=[^>]*>(.*?)</div>)', re.S)
TALL = re.compile(r"\\(?:d?frac|int|sum|prod|binom|under|over)")

#: MathJax enlarges its font so that its small letters are as high as the text's.
ENLARGED = 1.273
#: Widths in em of the formula's font: the letters a to z and A to Z in thousandths, then others.
LETTERS = """
529 429 433 520 466 490 477 576 345 412 521 298 878 600 485 503 446 451 469 361 572 485 716 572 490
465 750 759 715 828 738 643 786 831 440 555 849 681 970 803 763 642 791 759 613 584 683 583 944 828
581 683
"""
OTHERS = {
    0.278: r". [ ] | ! : \vert",
    0.389: r"( ) \lbrace \rbrace \langle \rangle",
    0.5: r"0 1 2 3 4 5 6 7 8 9 / \{ \}",
    0.834: r"\mid",
    1: r"\infty \quad \ln",
    1.222: r"+ - \pm \times \sum \in",
    1.333: r"= < > \le \ge \ne \approx \sim \equiv \propto \ldots \dots \cdots",
    1.45: r"\log \sin \cos \to \mapsto \Rightarrow \leftarrow \det",
    1.7: r"\exp \max \min \cosh \tanh",
    0.445: ", ;", 0.275: "'", 0.167: r"\,", 0.25: r"\: \; ~", -0.167: r"\!", 2: r"\qquad",
    0.722: r"\cdot", 0.8: r"\int \sqrt \nabla", 0.6: r"\phi \mu", 0.47: r"\theta",
}  # fmt: skip
WIDTHS = dict(zip(ascii_letters, (int(width) / 1000 for width in LETTERS.split()), strict=True))
WIDTHS |= {token: width for width, tokens in OTHERS.items() for token in tokens.split()}
ELSE = 0.57
#: Operators that stand closer where nothing is before them.
UNARY = {"+": 0.778, "-": 0.778, r"\cdot": 0.278}
UNARY_AFTER = {None, "(", "[", ",", "=", "^", r"\,", r"\le", r"\ge", r"\approx", r"\pm"}
#: Commands that only change how the next thing looks.
CHANGES = re.compile(
    r"\\(?:mathbf|boldsymbol|mathrm|mathcal|mathbb|hat|bar|tilde|dot|vec|left|right|[Bb]igg?[lr]?"
    r"|displaystyle|limits)$"
)


def width(tex):
    """Return about how wide an inline formula is, in em of the text around it."""
    return ENLARGED * _width(TOKEN.findall(tex))


def _width(tokens):
    """Use tokens up to the end of their group; return their width."""
    total, scripts, before = 0.0, [], None
    while tokens and tokens[0] not in {"}", "&"}:
        token = tokens.pop(0)
        if token in "_^":
            scripts.append(0.7 * _one(tokens))
            continue
        total += max(scripts, default=0)
        scripts = []
        if token in {r"\frac", r"\tfrac", r"\dfrac"}:
            total += 0.24 + 0.7 * max(_one(tokens), _one(tokens))
        elif token in UNARY and before in UNARY_AFTER:
            total += UNARY[token]
        elif not CHANGES.match(token):
            tokens.insert(0, token)
            total += _one(tokens)
        before = token
    return total + max(scripts, default=0)


def _one(tokens):
    """Use the next token or group; return its width."""
    if not tokens:
        return 0.0
    token = tokens.pop(0)
    if token == "{":
        total = _width(tokens)
        del tokens[:1]
        return total
    if CHANGES.match(token):
        return _one(tokens)
    if token.startswith((r"\operatorname", r"\text")):
        return 0.1 + 0.49 * len(re.sub(r"^.*?\{|\}$", "", token))
    return WIDTHS.get(token, ELSE)


def height(tex):
    """Return about how high a displayed formula is, in em of the text around it."""
    rows = re.split(r"\\\\", re.sub(r"\\end\{.*", "", tex, flags=re.S))
    return 2.5 + sum(3.2 if TALL.search(row) else 1.6 for row in rows) - 0.4


def keep_places(app, pagename, templatename, context, doctree):
    """Say how large the formulas of a page will be."""
    if "body" not in context:
        return
    body = INLINE.sub(
        lambda found: found[0].replace(
            " nohighlight", f' nohighlight" style="--vb-wide: {width(unescape(found[1])):.2f}em', 1
        ),
        context["body"],
    )
    context["body"] = DISPLAY.sub(
        lambda found: f'{found[0]} style="--vb-high: {height(unescape(found[1])):.1f}em"', body
    )


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", keep_places)
