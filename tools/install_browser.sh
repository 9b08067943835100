#!/bin/sh
# Find a Chromium for the browser tests, or install one: Debian's package, else Playwright's own.
# The one without windows comes first: it is smaller, and the tests take a fifth less time.
set -u
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
found=$(.venv/bin/python -c 'from playwright.sync_api import sync_playwright as s
with s() as p: print(p.chromium.executable_path)' 2>/dev/null)
[ -n "$found" ] && [ -x "$found" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Chromium for the browser tests (Debian's package) ..."
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null && exit 0
fi
echo "Installing Chromium for the browser tests (Playwright's download) ..."
.venv/bin/python -m playwright install chromium && exit 0
echo "No Chromium found and none could be installed: install one so that 'chromium' is on the PATH, then run make test again." >&2
exit 1
