"""What the build adds to the pages: themed figures, the cache key, the Colab address."""

import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT

from _ext import pages
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


def test_two_pictures_of_one_page_share_no_id_and_no_style(svg):
    ids = [set(re.findall(r'id="([^"]+)"', inline_svg(svg, alt="", prefix=p))) for p in "ab"]
    assert ids[0]
    assert not ids[0] & ids[1]
    page = inline_svg(svg, alt="", prefix="a")
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', page))
    assert used
    assert used <= ids[0]
    assert "<style" not in page


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


def test_colab_address_is_the_notebook_beside_the_page():
    address = "https://github.com/owner/book/"
    url = pages.colab_url(address, "main", "chapters/jensens-inequality")
    assert url == (
        "https://colab.research.google.com/github/owner/book/blob/main/"
        "chapters/jensens-inequality.ipynb"
    )
