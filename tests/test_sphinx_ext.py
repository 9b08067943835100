"""What the build adds to the pages: themed figures, the cache key, the Colab address."""

import base64
import io
import re
import shutil

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tinycss2
from conftest import ROOT
from PIL import Image

from vaebook import sphinx_ext
from vaebook.explorers.svg import inline_svg
from vaebook.figures import COLOURS


@pytest.fixture
def svg():
    """Return the SVG of a small figure in the book's look, with a role's colour and another."""
    with plt.style.context("vaebook.book"):
        figure, ax = plt.subplots()
        ax.plot([0, 1], [0, 1], color=COLOURS["q"])
        ax.plot([0, 1], [1, 0], color="#123456")
        ax.set_xlabel("x")
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg")
        plt.close(figure)
    return buffer.getvalue()


def test_colours_of_roles_become_variables_and_other_colours_stay(svg):
    page = inline_svg(svg, alt="Two lines.", prefix="fig1")
    assert "var(--vb-q, #b54708)" in page
    assert "var(--vb-ink, #1f2328)" in page
    assert "#123456" in page
    bare = re.sub(r"var\([^)]*\)", "", page)
    assert not any(colour in bare for colour in COLOURS.values())


def test_picture_has_its_alt_text_as_name(svg):
    page = inline_svg(svg, alt='A "quoted" & plain text', prefix="fig1")
    assert page.count("<svg") == 1
    assert 'role="img" aria-label="A &quot;quoted&quot; &amp; plain text"' in page


def test_lines_become_steps_that_stay_within_half_a_tenth_of_a_point():
    x = np.linspace(0, 1, 300)
    fig, ax = plt.subplots()
    ax.plot(x, np.sin(7 * x), gid="wave")
    ax.add_patch(plt.Polygon([[0, 0], [0.5, 0.2], [0.1, 0.7]], gid="three"))
    file = io.StringIO()
    fig.savefig(file, format="svg")
    plt.close(fig)

    def points(text, name):
        data = re.search(rf'id="(?:a-)?{name}">\s*<path\b[^>]*?\bd="([^"]*)"', text)[1]
        path, here = [], np.zeros(2)
        for command, *numbers in re.findall(r"([MLl])\s*(-?[\d.]+) (-?[\d.]+)", data):
            here = np.array(numbers, float) + (here if command == "l" else 0)
            path.append(here)
        return np.array(path), len(data), data.count("z")

    page = inline_svg(file.getvalue(), alt="", prefix="a")
    for name in ("wave", "three"):
        (before, long, closed), (after, short, closed_after) = (
            points(text, name) for text in (file.getvalue(), page)
        )
        assert len(before) > 2
        assert abs(before - after).max() <= 0.05 + 1e-9
        assert closed == closed_after
        assert short < 0.7 * long


@pytest.mark.parametrize(("cmap", "few"), [("Greys", True), ("viridis", False)])
def test_grey_bitmaps_get_few_shades_close_to_their_own_and_others_stay(cmap, few):
    shades = np.linspace(0, 1, 400).reshape(20, 20)
    file = io.StringIO()
    fig, ax = plt.subplots()
    ax.imshow(shades, cmap=cmap, vmin=0, vmax=1, interpolation="none")
    fig.savefig(file, format="svg")
    plt.close(fig)

    def bitmap(text):
        data = re.search(r"data:image/png;base64,([^\"]+)", text)[1]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), int)

    before, after = bitmap(file.getvalue()), bitmap(inline_svg(file.getvalue(), alt="", prefix="a"))
    assert (len(np.unique(after[..., 0])) <= 12) == few
    assert abs(after - before).max() <= (40 if few else 0)


def test_two_pictures_of_one_page_share_no_id_and_no_style(svg):
    ids = [set(re.findall(r'id="([^"]+)"', inline_svg(svg, alt="", prefix=p))) for p in "ab"]
    assert ids[0]
    assert not ids[0] & ids[1]
    page = inline_svg(svg, alt="", prefix="a")
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', page))
    assert used
    assert used <= ids[0]
    assert "<style" not in page


def test_style_sheets_lose_rules_for_classes_that_nobody_uses_and_nothing_else():
    css = """@charset "utf-8";/*! licence */:root{--a:1}
    .used, .unused > p{color:red} .used.unused::before{content:"\\f078"} p:not(.unused){top:0}
    :is(.unused, .used) p{left:0} [class*="unused"]{right:0}
    @media (width > 5px){.unused{bottom:0} .used{bottom:1px}} @keyframes unused{50%{top:1px}}
    @font-face{font-family:unused} .tip-left, .tap-left{margin:0}"""

    def is_used(name):
        return name in ("used", "tip-left")

    kept = tinycss2.serialize(sphinx_ext.needed_rules(tinycss2.parse_stylesheet(css), is_used))
    gone = [
        ", .unused > p",
        '.used.unused::before{content:"\\f078"}',
        ".unused{bottom:0}",
        ", .tap-left",
    ]
    expected = css
    for part in gone:
        assert part in css
        expected = expected.replace(part, "")
    assert kept.split() == expected.split()


def test_rules_stay_whose_class_a_page_or_a_script_names_or_puts_together(tmp_path):
    static = tmp_path / "_static"
    static.mkdir()
    (tmp_path / "index.html").write_text('<p class="on-page"></p>', "utf-8")
    script = """tip.className = "bs-tooltip-" + side; list.add(`rank-${n}`, 'from-script')"""
    (static / "theme.js").write_text(script, "utf-8")
    names = ["on-page", "from-script", "bs-tooltip-top", "rank-2", "rankless", "tooltip-top"]
    sheet = static / "theme.css"
    sheet.write_text("".join(f".{name}{{top:0}}" for name in names), "utf-8")
    sphinx_ext.drop_unused_rules(static)
    kept = [name for name in names if f".{name}{{" in sheet.read_text("utf-8")]
    assert kept == ["on-page", "from-script", "bs-tooltip-top", "rank-2"]


def test_stylesheet_has_every_role_in_both_themes():
    css = (ROOT / "vaebook/explorers/js/kit.css").read_text("utf-8")
    blocks = re.findall(r"\{([^}]*--vb-ink: [^}]*)\}", css)
    light, dark = (dict(re.findall(r"--vb-([\w]+): (#\w{6})", block)) for block in blocks)
    assert light == COLOURS
    assert dark.keys() == COLOURS.keys()


def luminance(colour):
    """Return the relative luminance of a colour, by WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_role_reads_on_its_paper(theme):
    css = (ROOT / "vaebook/explorers/js/kit.css").read_text("utf-8")
    block = re.findall(r"\{([^}]*--vb-ink: [^}]*)\}", css)[theme]
    colours = dict(re.findall(r"--vb-(\w+): (#\w{6})", block))
    paper = luminance(colours.pop("paper"))
    for role, colour in colours.items():
        light, dark = sorted([paper, luminance(colour)], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, role


def test_cache_key_follows_the_package_but_not_what_no_page_runs(tmp_path, monkeypatch):
    copy = tmp_path / "vaebook"
    shutil.copytree(sphinx_ext.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sphinx_ext, "PACKAGE", copy)
    before = sphinx_ext.package_hash()
    for name in ["sphinx_ext.py", "explorers/js/kit/dom.js"]:
        (copy / name).write_text("changed", "utf-8")
        assert sphinx_ext.package_hash() == before, name
    for name in ["gaussians.py", "checks/core.py", "explorers/base.py", "book.mplstyle"]:
        (copy / name).write_text("changed", "utf-8")
        after = sphinx_ext.package_hash()
        assert after != before, name
        before = after


def test_colab_address_is_the_notebook_beside_the_page():
    address = "https://github.com/owner/book/"
    url = sphinx_ext.colab_url(address, "main", "chapters/jensens-inequality")
    assert url == (
        "https://colab.research.google.com/github/owner/book/blob/main/"
        "chapters/jensens-inequality.ipynb"
    )
