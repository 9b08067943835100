"""The link check tells an address that answers from one that does not, and knows where to look."""

import http.server
import threading

import check_links
import pytest


class Host(http.server.BaseHTTPRequestHandler):
    """A host with a page, a moved page, a page that HEAD may not see, and a busy one."""

    busy_answers = 0

    def do_GET(self):  # the name that the base class asks for
        status = {"/page": 200, "/get-only": 200, "/moved": 301}.get(self.path, 404)
        if self.path == "/get-only" and self.command == "HEAD":
            status = 405
        if self.path == "/busy":
            type(self).busy_answers += 1
            status = 503 if self.busy_answers <= 2 else 200
        self.send_response(status)
        if status == 301:
            self.send_header("Location", "/page")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setattr(check_links, "WAITS", [0.0])
    monkeypatch.setattr(check_links, "TIMEOUT", 5.0)
    monkeypatch.setattr(Host, "busy_answers", 0)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/page", "/moved", "/get-only", "/busy"])
def test_addresses_that_answer(host, path):
    assert check_links.answer(host + path) is None


def test_addresses_that_do_not_answer(host):
    assert check_links.answer(host + "/nowhere") == "answers 404 Not Found"
    assert "does not answer" in check_links.answer("http://127.0.0.1:1/")


def test_addresses_come_from_pages_texts_and_downloads(tmp_path, monkeypatch):
    links = ["https://a.example/b#c", "other.html", "mailto:x@y.example"]
    page = "".join(f'<a href="{link}">{link}</a>' for link in links)
    (tmp_path / "page.html").write_text(page, "utf-8")
    monkeypatch.setattr(check_links, "SITE", tmp_path)
    found = check_links.addresses()
    assert found["https://a.example/b"] == "page.html"
    assert "https://keepachangelog.com/en/1.1.0/" in found
    assert sum(where == "vaebook/data.py" for where in found.values()) == 2 * 4 + 2 * 3
    assert not any("127.0.0.1" in address or "other.html" in address for address in found)


def test_a_broken_address_is_named_with_its_place(host, monkeypatch, capsys):
    found = {host + "/page": "a.html", host + "/nowhere": "b.html"}
    monkeypatch.setattr(check_links, "addresses", lambda: found)
    assert check_links.main() == 1
    shown = capsys.readouterr()
    assert shown.err == f"b.html: {host}/nowhere answers 404 Not Found\n"
    assert shown.out == "2 addresses outside the book, 1 of them broken.\n"
    del found[host + "/nowhere"]
    assert check_links.main() == 0
