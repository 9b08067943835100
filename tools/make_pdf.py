"""Print the built book as one PDF, ``_build/vaebook.pdf``.

    .venv/bin/python tools/make_pdf.py

All pages of the contents, in their order and under their parts, become one document, which the
browser of the tests prints: outline, links from page to page and alt texts come from there. The
contents can name a page number only when all is printed, so they are printed again by themselves
and take the place of the first ones. Explorers stand as their still pictures, solutions and answers
are open, and what the pages fold away of code (of figures, of checks) is left to the site.
"""

import io
import posixpath
import re
import sys
import time
from functools import partial
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from book_pages import ROOT, toc_parts
from browser import open_chromium
from environment import adopt
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject

CSS = (Path(__file__).parent / "make_pdf.css").read_text("utf-8")
HOST = "http://book/"
#: The width of the text in CSS pixels, for which formulas are broken: A4 less margins of 18 mm.
WIDTH = 658
#: What belongs to the site alone.
DROPPED = r'(?s)<script\b.*?</script>|<a class="headerlink".*?</a>|<nav\b.*?</nav>'
NAMES = r'(?<=\s)(id|for|aria-labelledby|aria-describedby|aria-controls)="([^"]+)"'
FILL = """(pages) => {
  for (const number of document.querySelectorAll(".contents [data-of]"))
    number.textContent = pages[number.dataset.of];
  for (const page of document.querySelectorAll(".page")) page.remove();
}"""


def anchor(page, name=""):
    """Return the id, in the document, of a page or of a place in it."""
    return page.replace("/", "-") + (f"--{name}" if name else "")


def move_addresses(text, page, pages):
    """Point what a page loads at the site, and its links to other pages into the document."""

    def moved(match):
        attribute, url = match[1], urlsplit(unescape(match[2]))
        if url.scheme:
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(url.path)))
        if attribute == "src" or target.startswith("_static"):
            return f'{attribute}="{HOST}{target}"'
        target = target.removesuffix(".html") if url.path else page
        # A page that is not printed, such as the search: the words stay, the link goes.
        return f'{attribute}="#{anchor(target, url.fragment)}"' if target in pages else ""

    return re.sub(r'\b((?:xlink:)?href|src)="([^"]*)"', moved, text)


def article(text, page, pages, level):
    """Return what a built page says, its headings ``level`` steps lower and its ids its own."""

    def renamed(match):
        return f'{match[1]}="{" ".join(anchor(page, name) for name in match[2].split())}"'

    text = re.search(r'(?s)<article class="bd-article">(.*)</article>', text)[1]
    text = move_addresses(re.sub(DROPPED, "", text), page, pages)
    text = re.sub(NAMES, renamed, text)
    text = re.sub(r"url\(#([^)]+)\)", lambda match: f"url(#{anchor(page, match[1])})", text)
    text = re.sub(r"(</?h)(\d)\b", lambda match: f"{match[1]}{int(match[2]) + level}", text)
    return re.sub(r"<details\b", "<details open", text)


def document(root):
    """Return the whole book as one HTML document."""
    parts = toc_parts(root)
    pages = {page for _, entries in parts for page, _ in entries}
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    title, author = escape(config["title"]), escape(config["author"])
    head, contents, body = {}, "", ""
    for caption, entries in parts:
        part = f"<h1>{escape(caption)}</h1>" if caption else ""
        contents += f'<li class="part">{escape(caption)}</li>' if caption else ""
        for page, depth in entries:
            text = (root / "_build" / "html" / f"{page}.html").read_text("utf-8")
            start = move_addresses(text[: text.index("</head>")], page, pages)
            loads = re.findall(r"<link [^>]*stylesheet[^>]*>|<script\b[^>]*>.*?</script>", start)
            head |= dict.fromkeys(
                tag for tag in loads if re.search("stylesheet|MathJax", tag, re.I)
            )
            here = article(text, page, pages, depth + bool(caption))
            name = re.search(r"(?s)<h(\d)>(.*?)</h\1>", here)[2]
            contents += f'<li class="depth-{depth}"><a href="#{anchor(page)}">{name}</a>'
            contents += f'<span data-of="{anchor(page)}">000</span></li>'
            body += f'<section class="page" id="{anchor(page)}">{part}{here}</section>'
            part = ""
    date = re.search(r'docbuild:last-update" content="([^"]*)"', text)[1]
    return f"""<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<title>{title}</title>{"".join(head)}<style>{CSS}</style></head><body>
<main class="bd-content"><div class="bd-article-container"><article class="bd-article">
<section class="title-page"><p class="title">{title}</p><p>{author}</p><p>{date}</p>
<p>On paper the explorers stand still, and code that only draws or checks is left out. The book’s
pages and notebooks have both.</p></section>
<section class="contents"><h1>Contents</h1><ul>{contents}</ul></section>
{body}</article></div></main></body></html>"""


def answer(route, site, text):
    """Answer the browser: with the document, else from the built site."""
    if route.request.url == HOST:
        route.fulfill(body=text, content_type="text/html; charset=utf-8")
    else:
        path = site / unquote(urlsplit(route.request.url).path).lstrip("/")
        route.fulfill(**({"path": path} if path.is_file() else {"status": 404}))


def page_numbers(path):
    """Return the page number of each place that a link leads to."""
    reader = PdfReader(path)
    places = reader.named_destinations
    number = reader.get_destination_page_number
    return {name.lstrip("/"): number(place) + 1 for name, place in places.items()}


def replace_first_pages(path, printed):
    """Let the first pages of a PDF show what those of another do; their links stay."""
    book = PdfWriter(path, incremental=True)
    for old, new in zip(book.pages, PdfReader(io.BytesIO(printed)).pages, strict=False):
        for part in ("/Contents", "/Resources"):
            old[NameObject(part)] = new.raw_get(part).clone(book)
    book.write(path)


def make_pdf(root=ROOT):
    """Print the built book of a folder; return the path of the PDF."""
    started = time.perf_counter()

    def say(words):
        print(f"[{time.perf_counter() - started:3.0f} s] {words}", flush=True)

    site, path = root / "_build" / "html", root / "_build" / "vaebook.pdf"
    if not (site / "index.html").exists():
        sys.exit("Nothing built yet: run 'make book' first.")
    text = document(root)
    with sync_playwright() as playwright:
        browser = open_chromium(playwright)
        page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
        page.set_default_timeout(600_000)
        page.emulate_media(media="print", reduced_motion="reduce")
        page.route("**/*", partial(answer, site=site, text=text))
        say("1/3 Setting the formulas ...")
        page.goto(HOST)
        page.evaluate("async () => { await window.MathJax?.startup?.promise; }")
        say("2/3 Printing ...")
        wanted = {"prefer_css_page_size": True, "tagged": True, "outline": True}
        page.pdf(path=path, **wanted)
        say("3/3 Writing the page numbers into the contents ...")
        page.evaluate(FILL, page_numbers(path))
        replace_first_pages(path, page.pdf(**wanted))
        browser.close()
    count = len(PdfReader(path).pages)
    say(f"Printed {count} pages, {path.stat().st_size / 1e6:.1f} MB.\nOpen {path.as_uri()}")
    return path


if __name__ == "__main__":
    adopt()
    make_pdf()
