"""What makes reading pleasant: search, previews, larger figures, paper, a fast first page."""

import re
from types import SimpleNamespace

import pytest
import yaml
from book_pages import ROOT
from browsing import open_page
from build_book import SITE
from docutils.utils import new_document
from test_live_explorers import EXPLORERS, READ, assert_same
from test_pages import assert_cited_equations_show, of_pages, slow_but_for

from _ext import pages

CHAPTER = "chapters/jensens-inequality.html"


@pytest.mark.parametrize(
    ("query", "wanted", "place"),
    [
        ("theta", "appendix/notation.html", 15),
        ("lambda", "appendix/notation.html", 15),
        ("σ", "appendix/notation.html", 3),
        ("responsibility", "chapters/mixture-of-gaussians.html", 5),
        ("nat", "appendix/glossary.html", 3),
        ("ELBO", "chapters/evidence-lower-bound.html", 5),
        ("evidence lower bound", "chapters/evidence-lower-bound.html", 3),
        ("jensen", CHAPTER, 4),
        ("ancestral sampling", "chapters/nonlinear-latent-variable-models.html", 5),
    ],
)
def test_search_finds_symbols_and_terms(page, site, query, wanted, place):
    page.goto(f"{site}search.html?q={query}")
    results = page.locator("#search-results li > a")
    results.first.wait_for()
    page.wait_for_function("document.querySelector('#search-results h2')")
    found = results.evaluate_all("all => all.map((a) => new URL(a.href).pathname.slice(1))")
    assert wanted in found[:place]


def test_search_works_from_a_file(page, file_site):
    page.goto(f"{file_site}search.html?q=posterior")
    page.locator("#search-results li > a").first.wait_for()
    page.wait_for_timeout(500)  # the page fixture fails on whatever the console has to say


@of_pages([CHAPTER])
def test_equation_number_shows_its_equation_to_pointer_and_keyboard(opened):
    opened.show()
    page = opened.page
    link = page.locator('article a.internal[href^="#equation-"]').first
    shown = page.locator(".vb-preview")
    target = page.locator("[id='" + link.get_attribute("href")[1:] + "'] mjx-assistive-mml")
    for act, leave in [
        (link.hover, lambda: page.mouse.move(0, 0)),
        (link.focus, lambda: page.keyboard.press("Escape")),
    ]:
        act()
        shown.wait_for()
        assert shown.locator("mjx-assistive-mml").text_content() == target.text_content()
        assert link.get_attribute("aria-describedby") == shown.get_attribute("id")
        leave()
        shown.wait_for(state="hidden")
    # Whoever moves onto the preview keeps it.
    link.hover()
    shown.hover()
    page.wait_for_timeout(500)
    assert shown.is_visible()


#: Chapters with explorers of several kinds that cite equations of others.
AS_FILES = [f"chapters/{name}.html" for name in ["evidence-lower-bound", "training-a-vae"]]


@slow_but_for(AS_FILES)
def test_page_works_as_a_file_and_shows_the_equations_that_it_cites(page, file_site, name):
    open_page(page, f"{file_site}{name}")
    assert_cited_equations_show(page, name)
    for case in EXPLORERS:
        if case.page == name:
            root = page.locator(f'[data-explorer="{case.explorer.name}"]').first
            now = root.evaluate(READ)
            assert_same(now["numbers"], case.explorer(**now["values"]).readouts())


@of_pages(["chapters/mixture-of-gaussians.html"])
def test_figures_take_the_ink_of_the_theme(opened):
    axis = 'svg.vb-figure path[style*="stroke: var(--vb-ink"]'
    strokes = f"[...document.querySelectorAll('{axis}')].map((a) => getComputedStyle(a).stroke)"
    for theme, ink in [("light", "rgb(31, 35, 40)"), ("dark", "rgb(230, 230, 230)")]:
        opened.fit(1280, theme=theme)
        assert set(opened.page.evaluate(strokes)) == {ink}


@of_pages([CHAPTER])
def test_paper_is_light_and_holds_all_code_and_no_controls(opened):
    opened.show(theme="dark")
    page = opened.page
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.locator("details:is(.hide, .vb-code):not([open])").count() == 0
    for gone in ["#pst-primary-sidebar", ".bd-header-article", ".vb-enlarge", ".vb-buttons"]:
        assert not any(one.is_visible() for one in page.locator(gone).all()), gone
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator("details.vb-code:not([open])").count() > 0
    page.emulate_media(media="null")


def test_explorer_of_the_first_page_is_painted_within_a_second(first_visit, site):
    page = first_visit
    page.add_init_script("""new MutationObserver((_, watch) => {
      if (!document.querySelector("form.vb-explorer")) return;
      watch.disconnect();
      const painted = () => { window.painted = performance.now(); };
      requestAnimationFrame(() => requestAnimationFrame(painted));
    }).observe(document, { childList: true, subtree: true })""")
    times = []
    for _ in range(3):
        page.goto(f"{site}index.html")
        page.wait_for_function("window.painted")
        times.append(page.evaluate("window.painted"))
    assert sorted(times)[1] < 1000


def test_pages_describe_themselves_to_those_who_link_to_them():
    text = (SITE / CHAPTER).read_text("utf-8")
    assert 'property="og:title" content="' in text
    assert re.search(r'name="description" content="[A-Z].{40,200}"', text)
    address = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]["url"]
    assert ('property="og:image"' in text) == bool(address)
    assert (SITE / "_static/social-card.png").stat().st_size < 100_000


@pytest.mark.parametrize(
    ("baseurl", "repository", "site"),
    [
        ("", "https://github.com/Owner/book/", "https://owner.github.io/book/"),
        ("", "https://github.com/owner/book.git", "https://owner.github.io/book/"),
        ("", "https://git.example.org/owner/book", ""),
        ("", "", ""),
        ("https://example.org/vae", "https://github.com/owner/book", "https://example.org/vae/"),
        ("https://example.org/vae/", "", "https://example.org/vae/"),
    ],
)
def test_a_page_tells_its_address_where_it_has_one(baseurl, repository, site):
    options = {"repository_url": repository}
    config = SimpleNamespace(html_baseurl=baseurl, html_theme_options=options, html_title="Book")
    context = {"title": "One", "metatags": ""}
    app = SimpleNamespace(config=config)
    pages.social_tags(app, "chapters/one", "page.html", context, new_document("one"))
    told = re.findall('property="og:(?:url|image)" content="([^"]*)"', context["metatags"])
    expected = [f"{site}chapters/one.html", f"{site}_static/social-card.png"] if site else []
    assert told == expected


def test_report_button_leads_to_a_form_that_takes_the_page():
    url = pages.issue_url("https://github.com/owner/book", "chapters/a")
    assert url.startswith("https://github.com/owner/book/issues/new?")
    form = ROOT / ".github/ISSUE_TEMPLATE" / re.search("template=([^&]+)", url)[1]
    fields = {part.get("id") for part in yaml.safe_load(form.read_text("utf-8"))["body"]}
    assert re.findall("[?&]([a-z]+)=", url) == ["template", "page"]
    assert "page" in fields


def test_citation_says_what_the_citation_file_says():
    facts = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    block = (ROOT / "appendix/about.md").read_text("utf-8").partition("```bibtex")[2]
    assert f"{{{facts['title']}}}" in block
    assert f"{{{facts['version']}}}" in block
    assert facts["authors"][0]["name"] in block
