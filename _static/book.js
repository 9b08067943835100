// Comfort for readers. Everything here is an addition: without JavaScript the page reads as before.
(() => {
  "use strict";
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

  // A page opened as a file may not fetch others: the search then lists titles without excerpts.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  // ---- formulas that cannot be set: their TeX shows ---------------------------------------------

  const plain = () => document.documentElement.classList.add("vb-plain");
  addEventListener("error", ({ target }) => { if (target.src?.includes("mathjax")) plain(); }, true);

  // ---- what is read first is set first, when its fonts are there: nothing is set twice ----------

  const FONTS = new URL("mathjax/fonts/mathjax-newcm-font/chtml/woff2/", document.currentScript.src);

  function fonts() {
    if (location.protocol === "file:") return null;
    return Promise.all(["n", "zero", "brk"].map((name) => new Promise((done) => {
      const href = new URL(`mjx-ncm-${name}.woff2`, FONTS);
      const link = make("link", { rel: "preload", as: "font", href, crossOrigin: "", onload: done, onerror: done });
      document.head.append(link);
    })));
  }
  const painted = () => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); });
  const near = (formula) => {
    const { top, bottom } = formula.getBoundingClientRect();
    return bottom > -innerHeight && top < 2 * innerHeight;
  };
  if (window.MathJax) {
    MathJax.startup = {
      async pageReady() {
        await fonts();
        await MathJax.typesetPromise([...document.querySelectorAll(".math")].filter(near));
        await painted();
        return MathJax.startup.defaultPageReady();
      },
    };
  }

  // ---- formulas: broken anew for a new width; what is still wider scrolls, by keyboard too ------

  function formulas() {
    const typeset = MathJax.startup.document;
    let [width, wait] = [innerWidth];
    const settle = () => {
      for (const formula of document.querySelectorAll('mjx-container[display="true"]')) {
        formula.toggleAttribute("tabindex", false);
        if (formula.scrollWidth > formula.clientWidth) formula.setAttribute("tabindex", "0");
      }
    };
    addEventListener("resize", () => {
      if (innerWidth === width) return;
      width = innerWidth;
      clearTimeout(wait);
      wait = setTimeout(() => typeset.rerenderPromise(110).then(settle), 200);
    });
    settle();
  }

  // ---- equation numbers show their equation -----------------------------------------------------

  function previews() {
    const tip = make("div", { id: "vb-preview", className: "vb-preview tex2jax_process", hidden: true });
    let link = null;
    let wait;

    function hide() {
      clearTimeout(wait);
      tip.hidden = true;
      link?.removeAttribute("aria-describedby");
      link = null;
    }
    async function show(next) {
      hide();
      const anchor = decodeURIComponent(next.hash.slice(1));
      const here = document.getElementById(anchor)?.querySelector("mjx-container");
      const tex = typeof vaebookEquations === "undefined" ? null : vaebookEquations[anchor];
      if (!here && !tex) return;
      link = next;
      tip.hidden = false;
      if (here) tip.replaceChildren(here.cloneNode(true));
      else {
        tip.textContent = `\\[\\begin{split}${tex}\\end{split}\\]`;
        await MathJax.typesetPromise([tip]);
        MathJax.typesetClear([tip]); // no formula of the page's own
        if (link !== next) return;
      }
      tip.querySelector("mjx-container").removeAttribute("tabindex");
      link.setAttribute("aria-describedby", tip.id);
      // Under the link, or above it where the window ends; never beyond the sides.
      const [box, size] = [link.getBoundingClientRect(), tip.getBoundingClientRect()];
      const left = Math.min(box.left, document.documentElement.clientWidth - size.width - 8);
      const below = box.bottom + size.height + 8 < innerHeight;
      tip.style.left = `${Math.max(8, left) + scrollX}px`;
      tip.style.top = `${(below ? box.bottom : box.top - size.height) + scrollY}px`;
    }
    // It stays while the pointer rests on it, and Escape dismisses it (WCAG 1.4.13).
    const later = (milliseconds, act) => { clearTimeout(wait); wait = setTimeout(act, milliseconds); };
    for (const found of document.querySelectorAll('article a.internal[href*="#equation-"]')) {
      found.addEventListener("mouseenter", () => later(150, () => show(found)));
      found.addEventListener("focus", () => show(found));
      found.addEventListener("mouseleave", () => later(250, hide));
      found.addEventListener("blur", hide);
    }
    tip.addEventListener("mouseenter", () => clearTimeout(wait));
    tip.addEventListener("mouseleave", () => later(250, hide));
    addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
    document.querySelector("main")?.append(tip);
  }

  // ---- figures open larger ----------------------------------------------------------------------

  const CORNERS = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M10 2h4v4M6 14H2v-4M14 2 9.5 6.5M2 14l4.5-4.5"/></svg>';

  function enlarging() {
    const dialog = make("dialog", { className: "vb-large" });
    const close = make("button", { type: "button", className: "vb-close", textContent: "Close" });
    const place = document.createComment("figure");
    dialog.append(close);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => { if (event.target !== close) dialog.close(); });
    dialog.addEventListener("close", () => place.replaceWith(dialog.querySelector("svg.vb-figure")));
    for (const caption of document.querySelectorAll("article figure > figcaption")) {
      const figure = caption.parentElement;
      const picture = figure.querySelector("svg.vb-figure");
      if (!picture) continue;
      const number = caption.querySelector(".caption-number")?.textContent.trim() ?? "the figure";
      const corner = make("button", {
        type: "button", className: "vb-enlarge", title: `Show ${number} larger`, innerHTML: CORNERS,
      });
      corner.setAttribute("aria-label", corner.title);
      const open = () => {
        dialog.setAttribute("aria-label", number);
        // The picture itself moves, so that no id of it is there twice; its place keeps its height.
        figure.style.minHeight = `${figure.offsetHeight}px`;
        picture.replaceWith(place);
        dialog.prepend(picture);
        corner.focus({ preventScroll: true }); // to which the focus comes back
        dialog.showModal();
      };
      corner.addEventListener("click", open);
      picture.addEventListener("click", () => { if (!dialog.open) open(); });
      caption.before(corner);
    }
    document.body.append(dialog);
  }

  // ---- notebooks: a page opened as a file would show them; it saves them from a script -----------

  function notebooks() {
    for (const link of document.querySelectorAll('a[href*="_notebooks/"]')) {
      const name = link.href.split("/").pop();
      link.download = name;
      link.removeAttribute("target");
      if (location.protocol !== "file:" || !name.endsWith(".ipynb")) continue;
      link.addEventListener("click", (event) => {
        if (link.href.startsWith("blob:")) return;
        event.preventDefault();
        const script = make("script", { src: link.href.replace(/ipynb$/, "js") });
        script.addEventListener("load", () => {
          link.href = URL.createObjectURL(new Blob([vaebookNotebook], { type: "application/x-ipynb+json" }));
          link.click();
        });
        document.head.append(script);
      });
    }
  }

  // ---- paper: light, and with the code that is folded on the screen ---------------------------

  function printing() {
    const root = document.documentElement;
    let theme, folded;
    addEventListener("beforeprint", () => {
      theme = root.dataset.theme;
      root.dataset.theme = "light";
      folded = [...document.querySelectorAll("details:is(.hide, .vb-code):not([open])")];
      for (const code of folded) code.open = true;
    });
    addEventListener("afterprint", () => {
      root.dataset.theme = theme;
      for (const code of folded) code.open = false;
    });
  }

  addEventListener("DOMContentLoaded", () => {
    for (const add of [previews, enlarging, notebooks, printing]) add();
    window.MathJax?.startup?.promise?.then(formulas, plain);
  });
})();
