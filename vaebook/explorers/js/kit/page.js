// A page's way in: every [data-explorer] holds its numbers in JSON scripts and a still picture,
// which the live explorer replaces as soon as the page has been read so far. What all instances of
// an explorer have in common stands once on a page. Should one fail to start, its picture stays.
(() => {
  "use strict";
  const common = {};
  const count = {};

  function boot(root) {
    const [own] = [...root.querySelectorAll('script[type="application/json"]')].slice(-1);
    const name = root.dataset.explorer;
    const number = (count[name] = (count[name] ?? 0) + 1);
    const still = root.querySelector(".vb-still");
    try {
      const props = JSON.parse(own.textContent);
      const shared = document.querySelector(`script[data-common="${props.common}"]`);
      common[props.common] ??= JSON.parse(shared.textContent);
      root.dataset.mounted = "";
      const id = number > 1 ? `${name}-${number}` : name;
      vaebook.mount(root, { ...common[props.common], ...props, id });
      own.remove();
      still.remove();
      follow(root);
      root.dispatchEvent(new CustomEvent("vaebook:ready", { bubbles: true }));
    } catch (error) {
      root.dataset.mounted = "failed";
      console.error(error);
    }
  }

  // A link that holds a state: #elbo-2:mean=0.44
  function follow(root) {
    const [id, changes] = vaebook.share.fromHash(location.hash) ?? [];
    if (!id || root.vaebook?.id !== id) return;
    root.vaebook.open(changes).then(() => root.scrollIntoView({ block: "center" }), console.warn);
  }

  // A root has been read whole when something follows it.
  const followed = (node) => node !== null && (node.nextSibling !== null || followed(node.parentNode));
  function scan() {
    for (const root of document.querySelectorAll("[data-explorer]:not([data-mounted])")) {
      if (document.readyState === "loading" && !followed(root)) return;
      boot(root);
    }
  }
  const watch = new MutationObserver(scan);
  watch.observe(document, { childList: true, subtree: true });
  addEventListener("DOMContentLoaded", () => {
    watch.disconnect();
    scan();
  });
  addEventListener("hashchange", () => document.querySelectorAll("[data-mounted]").forEach(follow));
})();
