// What a chapter's text does: moves set an explorer, choices take an answer, old addresses lead on.
// Without JavaScript the moves and options read as plain words, and the answers stay closed.
(() => {
  "use strict";
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

  // ---- moves: button[data-move] sets an explorer to the values in data-set ----------------------

  const HEADER = 60; // the site's header covers so much of the window's top
  const rectangle = (node) => node.getBoundingClientRect();
  const distance = (a, b) => Math.hypot(
    Math.max(0, a.left - b.right, b.left - a.right), Math.max(0, a.top - b.bottom, b.top - a.bottom));

  // The explorer that a move sets: the one it counts, else the nearest of that name.
  function explorerOf(button) {
    const { move, instance } = button.dataset;
    const all = [...document.querySelectorAll(`[data-explorer="${move}"]`)];
    if (instance) return all[instance - 1];
    const here = rectangle(button);
    const far = (root) => distance(rectangle(root), here);
    return all.reduce((best, root) => (best && far(best) <= far(root) ? best : root), null);
  }

  function press(button) {
    const { picture, set: setTo } = explorerOf(button).vaebook;
    const { top, bottom } = rectangle(picture);
    const set = () => setTo(JSON.parse(button.dataset.set), { animate: true });
    button.focus({ preventScroll: true }); // Safari gives a clicked button no focus
    if (bottom > HEADER && top < innerHeight) {
      set();
      return;
    }
    // Out of view: the motion waits until the picture is there.
    const arrival = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      arrival.disconnect();
      wayBack(button, picture);
      set();
    }, { threshold: 0.25, rootMargin: `${-HEADER}px 0px 0px` });
    arrival.observe(picture);
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    picture.scrollIntoView({ block: "nearest", behavior });
  }

  // After a scroll that took the sentence out of view: a button back to it. It goes when it was
  // used, or when the reader scrolls back to the sentence or away from the picture.
  function wayBack(button, picture) {
    document.querySelector(".vb-back")?.remove();
    const back = make("button", {
      type: "button", className: "vb-back", textContent: "Back to the text", hidden: true,
    });
    const leave = () => { watch.disconnect(); back.remove(); };
    const watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting === (target === button) && !back.hidden) leave();
        else if (target === button) back.hidden = isIntersecting;
      }
    }, { rootMargin: `${-HEADER}px 0px 0px` });
    back.addEventListener("click", () => {
      leave();
      button.focus({ preventScroll: true });
      button.scrollIntoView({ block: "center", behavior: "instant" });
    });
    button.after(back); // so that the next Tab reaches it
    watch.observe(button);
    watch.observe(picture);
  }

  function moves() {
    const buttons = [...document.querySelectorAll("button[data-move]")];
    // An explorer that failed to start takes no move.
    const enable = () => { for (const button of buttons) button.disabled = !explorerOf(button)?.vaebook; };
    for (const button of buttons) button.addEventListener("click", () => press(button));
    document.addEventListener("vaebook:ready", enable);
    enable();
  }

  // ---- choices: the first answer stays, then the reply and the reason show ----------------------

  // Keep a value under a name in this browser, or give what is kept: nothing, if it refuses.
  function keep(name, value) {
    try {
      if (value !== undefined) localStorage.setItem(name, value);
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  function choices() {
    for (const box of document.querySelectorAll(".vb-predict")) {
      const options = [...box.querySelectorAll("button")];
      const name = box.dataset.keep && `vaebook:${box.dataset.keep}`; // of a homework task
      const answer = box.querySelector("details");
      const verdict = make("p", { role: "status" });
      answer.before(verdict);
      const right = options.find((option) => "right" in option.dataset);
      const choose = (chosen) => {
        if (verdict.textContent) return;
        for (const option of options) option.setAttribute("aria-disabled", "true");
        chosen.setAttribute("aria-pressed", "true");
        right.classList.add("vb-right");
        verdict.textContent = chosen === right ? "Yes." : "No: the answer with the tick is right.";
        if (name && keep(name, options.indexOf(chosen))) {
          verdict.textContent += " This browser keeps your first answer.";
        }
        for (const reply of answer.querySelectorAll("[data-reply]")) {
          if (reply.dataset.reply === String(options.indexOf(chosen))) verdict.after(reply);
          else reply.hidden = true;
        }
        answer.open = true;
      };
      for (const option of options) {
        option.disabled = false;
        option.addEventListener("click", () => choose(option));
      }
      const before = options[(name && keep(name)) ?? ""];
      if (before) choose(before);
    }
  }

  // ---- old addresses: what moved to a deeper page is found there --------------------------------

  function leadOn() {
    const anchor = location.hash.slice(1);
    if (!anchor || document.getElementById(anchor)) return;
    for (const [page, anchors] of Object.entries(vaebookMoved)) {
      if (anchors.includes(anchor)) location.replace(`${page}#${anchor}`);
    }
  }

  addEventListener("DOMContentLoaded", () => {
    moves();
    choices();
    // The sidebar's mark that opens a chapter's deeper pages has no words.
    const marks = document.querySelectorAll("summary:has(> .toctree-toggle)");
    for (const mark of marks) mark.setAttribute("aria-label", "Deeper pages");
    if (typeof vaebookMoved === "undefined") return;
    leadOn();
    addEventListener("hashchange", leadOn);
  });
})();
