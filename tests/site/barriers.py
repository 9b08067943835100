"""What axe-core finds in a page that keeps somebody out.

It runs the rules of WCAG 2.0 to 2.2, levels A and AA, and its best practices.
"""

from importlib import resources

#: Themes and widths of the window.
VARIANTS = [("light", 320), ("dark", 320), ("dark", 1280), ("light", 1280)]

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async ({ tags, all, within }) => {
  const options = {
    runOnly: { type: "tag", values: tags },
    rules: {
      "label-content-name-mismatch": { enabled: true },  // WCAG 2.5.3, still experimental
      "color-contrast": { enabled: all },
    },
    resultTypes: ["violations"],
    preload: false,  // would fetch the style sheets once more, from addresses of its own
  };
  const { violations } = await axe.run({ include: [[within]] }, options);
  if (!all) {
    options.runOnly = { type: "rule", values: ["color-contrast"] };
    delete options.rules;
    const texts = await axe.run({ include: [[`${within} [data-look]`]] }, options);
    violations.push(...texts.violations);
  }
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 200)} (${node.failureSummary})`));
}"""

# Two thirds of its time go to the contrast of each text. Of texts that look alike on the same
# grounds, one is marked.
LOOKS = """() => {
  const seen = new Set();
  for (const one of document.querySelectorAll("body *")) {
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const { color, fontSize, fontWeight, textShadow } = getComputedStyle(one);
    const look = [color, fontSize, fontWeight, textShadow, one.localName === "text"];
    for (let around = one; around; around = around.parentElement) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(around);
      look.push([backgroundColor, backgroundImage, opacity].join());
    }
    const key = look.filter((part, place) => part !== look[place - 1]).join(";");
    if (!seen.has(key)) one.dataset.look = "";
    seen.add(key);
  }
}"""

# Thousands of elements that say nothing of their own cost axe a minute a page: the strokes inside a
# picture (which has a name), the glyphs of a formula (hidden from screen readers, which get MathML;
# they hold no text of their own), the parts of that MathML after the first, and every further token
# of a kind that a page of code has.
THIN = """() => {
  for (const picture of document.querySelectorAll("svg.vb-figure")) picture.replaceChildren();
  for (const formula of document.querySelectorAll("mjx-math")) {
    const { width, height } = formula.getBoundingClientRect();
    formula.replaceChildren();
    formula.style.cssText = `display: inline-block; width: ${width}px; height: ${height}px`;
  }
  const [, ...spoken] = document.querySelectorAll("mjx-assistive-mml > math");
  for (const formula of spoken) formula.textContent = formula.textContent;
  const seen = new Set();
  for (const token of document.querySelectorAll("pre span")) {
    const style = getComputedStyle(token);
    const look = [token.className, style.color, style.backgroundColor, style.fontWeight].join();
    if (seen.has(look) && !token.querySelector("span")) token.replaceWith(token.textContent);
    seen.add(look);
  }
  document.querySelectorAll("pre").forEach((block) => block.normalize());
}"""

# What a reader does: unfold everything, move every control, press every button.
USE = """() => {
  for (const folded of document.querySelectorAll("article details")) folded.open = true;
  for (const form of document.querySelectorAll("form.vb-explorer")) {
    for (const slider of form.querySelectorAll("input[type=range]")) {
      slider.value = Number(slider.min) + 0.7 * (slider.max - slider.min);
      slider.dispatchEvent(new Event("input"));
    }
    for (const list of form.querySelectorAll("select")) {
      list.selectedIndex = list.options.length - 1;
      list.dispatchEvent(new Event("change"));
    }
    const press = "button:not([name=reset]), input[type=checkbox], input[type=radio]";
    for (const button of form.querySelectorAll(press)) button.click();
  }
}"""


def faults(page, *, all_texts=True, within="html"):
    """Return what axe-core finds wrong with a page as it stands, one sentence each."""
    if within == "html":
        page.evaluate(THIN)
    if not all_texts:
        page.evaluate(LOOKS)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(RUN, {"tags": TAGS, "all": all_texts, "within": within})
