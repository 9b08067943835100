"""Ask every address that the book points to outside itself whether it still answers.

    .venv/bin/python tools/check_links.py

It reads the links of the built pages, those of the texts at the root of the repository, and the
places from which ``vaebook.data`` downloads.  It needs a network; the exit status is 0 only if
every address answered.
"""

import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError, URLError
from urllib.parse import urldefrag, urlsplit
from urllib.request import Request, urlopen

from build_book import SITE, read_page
from environment import ROOT

from vaebook import data

TEXTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE-TEXT", "CITATION.cff"]
#: Waits before a second and a third try, in seconds: most hosts are only busy.
WAITS = [5.0, 30.0]
#: Answers that no waiting changes.
GONE = {404, 410}
TIMEOUT = 30.0
#: Some hosts answer a program only if it says who asks.
HEADERS = {"User-Agent": "Mozilla/5.0 (link check of the vaebook book)"}


def is_outside(address):
    """Return whether an address lies on another machine."""
    url = urlsplit(address)
    return url.scheme in {"http", "https"} and url.hostname not in {None, "127.0.0.1", "localhost"}


def addresses():
    """Return address -> where it is named, without the part after ``#``."""
    found = {}
    for path in sorted(SITE.rglob("*.html")):
        for address in read_page(path).links:
            found.setdefault(urldefrag(address).url, path.relative_to(SITE).as_posix())
    for name in TEXTS:
        for address in re.findall(r"https?://[^\s<>\")\]`]+", (ROOT / name).read_text("utf-8")):
            found.setdefault(urldefrag(address).url, name)
    for dataset, mirrors in data.MIRRORS.items():
        for mirror in mirrors:
            for file in data.SHA256:
                if file.endswith({"mnist": ".gz", "mnist-static": ".amat"}[dataset]):
                    found[mirror + file] = "vaebook/data.py"
    return {address: where for address, where in found.items() if is_outside(address)}


def answer(address):
    """Return None if the address answers, else what went wrong."""
    fault = None
    for wait in [0.0, *WAITS]:
        time.sleep(wait)
        # Some hosts answer HEAD with an error; of what GET brings nothing is read.
        for method in ["HEAD", "GET"]:
            try:
                with urlopen(Request(address, headers=HEADERS, method=method), timeout=TIMEOUT):
                    return None
            except HTTPError as error:
                error.close()
                fault = f"answers {error.code} {error.reason}"
                if method == "GET" and error.code in GONE:
                    return fault
            except (URLError, TimeoutError, ConnectionError) as error:
                fault = f"does not answer: {getattr(error, 'reason', error)}"
    return fault


def main():
    """Ask all addresses and print those that fail with the place that names them."""
    found = addresses()
    with ThreadPoolExecutor(8) as pool:
        faults = dict(zip(found, pool.map(answer, found), strict=True))
    broken = {address: fault for address, fault in faults.items() if fault}
    for address, fault in broken.items():
        print(f"{found[address]}: {address} {fault}", file=sys.stderr)
    print(f"{len(found)} addresses outside the book, {len(broken)} of them broken.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
