"""What chapters can do, on a small book: moves, choices, folded checks, deeper pages."""

import re

import pytest
import small_book
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def small_site(tmp_path_factory):
    """Address of the built small book, whose build had nothing to say of its pages."""
    with small_book.shared(tmp_path_factory) as folder:
        said = (folder / "said.txt").read_text("utf-8")
    about_pages = re.findall(r"^.*\.md:.*(?:WARNING|ERROR).*$", said, re.M)
    assert about_pages == []
    return (folder / "_build" / "html").as_uri()


def open_chapter(page, small_site, hash_=""):
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{small_site}/chapters/first.html{hash_}", wait_until="load")
    page.wait_for_function("document.querySelector('[data-explorer]').vaebook")


def values(page, number):
    """Return the values of one explorer of the page."""
    return page.locator("[data-explorer=elbo]").nth(number).evaluate("e => e.vaebook.values()")


def test_a_move_sets_the_nearest_explorer_and_the_page_stays(page, small_site):
    open_chapter(page, small_site)
    far = values(page, 1)
    move = page.get_by_role("button", name="widen the")
    move.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    move.click()
    page.wait_for_function(
        "document.querySelector('[data-explorer]').vaebook.values().std === 0.75"
    )
    assert values(page, 0)["model"] == "nonlinear"
    assert values(page, 1) == far
    assert page.evaluate("scrollY") == place
    expect(move).to_be_focused()
    expect(page.locator("[data-explorer]").first.get_by_role("status")).to_contain_text("ELBO")
    expect(page.get_by_role("button", name="Back to the text")).to_have_count(0)


def test_a_move_far_off_scrolls_to_its_explorer_and_leads_back_by_keyboard(page, small_site):
    open_chapter(page, small_site)
    near = values(page, 0)
    move = page.get_by_role("button", name="the far one")
    move.focus()
    place = page.evaluate("scrollY")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelectorAll('[data-explorer]')[1].vaebook.values().phi === 1.2"
    )
    assert values(page, 0) == near
    expect(page.locator("[data-explorer]").nth(1)).to_be_in_viewport()
    expect(move).to_be_focused()
    back = page.get_by_role("button", name="Back to the text")
    expect(back).to_be_visible()
    page.keyboard.press("Tab")
    expect(back).to_be_focused()
    page.keyboard.press("Enter")
    expect(move).to_be_focused()
    expect(move).to_be_in_viewport()
    expect(back).to_have_count(0)
    assert abs(page.evaluate("scrollY") - place) < 800


def test_moves_are_words_and_answers_closed_without_javascript(new_page, small_site):
    page = new_page(java_script_enabled=False)
    page.goto(f"{small_site}/chapters/first.html")
    for button in page.locator("button[data-move], .vb-predict button").all():
        assert button.is_disabled()
    assert not page.get_by_text("Because b is right").is_visible()
    page.get_by_text("Answer", exact=True).click()
    assert page.get_by_text("Because b is right").is_visible()
    assert page.get_by_text("It is too early").is_visible()


@pytest.mark.parametrize(
    ("option", "verdict", "reply"), [("the answer a", "No", 1), ("the answer b", "Yes", 0)]
)
def test_the_first_answer_stays_and_opens_the_reason(page, small_site, option, verdict, reply):
    open_chapter(page, small_site)
    page.evaluate("window.MathJax && MathJax.startup.promise")
    options = page.locator(".vb-predict button")
    chosen = options.nth(0 if option.endswith("a") else 1)
    assert not page.get_by_text("Because b is right").is_visible()
    chosen.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".vb-predict [role=status]")).to_contain_text(verdict)
    expect(page.get_by_text("Because b is right")).to_be_visible()
    assert page.get_by_text("It is too early").is_visible() == bool(reply)
    expect(chosen).to_be_focused()
    options.nth(2).click(force=True)
    assert options.nth(2).get_attribute("aria-pressed") is None
    assert chosen.get_attribute("aria-pressed") == "true"
    expect(page.locator(".vb-predict [role=status]")).to_contain_text(verdict)


def test_a_check_is_one_line_that_opens_and_the_setup_comes_before_visible_code(page, small_site):
    open_chapter(page, small_site)
    code = page.get_by_text("assert x == 1")
    assert not code.is_visible()
    page.get_by_text("✓ 2 numbers checked").click()
    assert code.is_visible()
    cells = page.locator(".cell:has(.cell_input)").evaluate_all(
        "all => all.map((e) => e.className)"
    )
    assert [re.findall("tag_(setup|check)|$", one)[0] for one in cells] == ["setup", "", "check"]


def test_deeper_pages_have_no_section_numbers_and_next_passes_them_by(page, small_site):
    page.goto(f"{small_site}/deeper/first.html")
    heading = page.locator("article h1")
    expect(heading).to_have_text(re.compile("^Deeper into first"))
    expect(page.locator(".bd-links a", has_text="Deeper into first")).to_have_text(
        "Deeper into first"
    )
    expect(page.locator("article .eqno")).to_contain_text("(1.2)")
    ways = {}
    for name in ["chapters/first", "deeper/first", "chapters/second"]:
        page.goto(f"{small_site}/{name}.html")
        for way in ["left-prev", "right-next"]:
            found = page.locator(f"a.{way} .prev-next-title")
            ways[name, way] = found.text_content() if found.count() else None
    assert ways == {
        ("chapters/first", "left-prev"): "Index",
        ("chapters/first", "right-next"): "2. Second",
        ("deeper/first", "left-prev"): "1. First",
        ("deeper/first", "right-next"): "2. Second",
        ("chapters/second", "left-prev"): "1. First",
        ("chapters/second", "right-next"): None,
    }


def test_old_addresses_lead_on_to_the_deeper_page(page, small_site):
    for anchor in ["old-place", "a-section-that-moved", "equation-eq-deeper"]:
        page.goto(f"{small_site}/chapters/first.html#{anchor}")
        page.wait_for_url(f"{small_site}/deeper/first.html#{anchor}")
    page.goto(f"{small_site}/chapters/first.html#visible-code")
    page.wait_for_timeout(300)
    assert page.url.endswith("chapters/first.html#visible-code")


@pytest.mark.slow
def test_mistakes_in_a_page_are_named_by_the_build(tmp_path):
    text = """# Second

{move}`too far <elbo:phi=99>`, {move}`nowhere <jensen:x=1>`, {move}`third <elbo-3:phi=1>`

:::{predict} Q
- [ ] a
- [ ] b

why
:::

```{code-cell} ipython3
:tags: [check]

print(1)
```
"""
    others = {"chapters/second": "# Third\n", "deeper/first": "# Deeper\n"}
    folder = small_book.write(tmp_path, **{"chapters/first": text}, **others)
    _, said = small_book.build(folder)
    for message in [
        "phi = 99 is not possible",
        "Jensen has no control 'x'",
        "the move 'third' sets explorer 'elbo' number 3, but the page has 0",
        "one of them '- [x]'",
        "a cell tagged check asserts nothing",
    ]:
        assert re.search(f"first.*WARNING.*{re.escape(message)}", said), message
