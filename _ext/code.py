"""Code whose long lines wrap, each with a sign where it goes on (``_static/book.css``)."""

import re

BLOCK = re.compile(r'(?<=<div class="highlight"><pre>)(?:<span></span>)?(.*?)\n?(?=</pre>)', re.S)


def wrap_lines(html):
    """Return a page in which each line of code is an element that can wrap by itself."""
    return BLOCK.sub(
        lambda block: "".join(f"<span>{line}\n</span>" for line in block[1].split("\n")), html
    )


def mend_code(app, pagename, templatename, context, doctree):
    """Let the lines of code on a page wrap."""
    if "body" in context:
        context["body"] = wrap_lines(context["body"])


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", mend_code)
