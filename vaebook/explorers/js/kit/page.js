// A page's way in: every [data-explorer] holds its numbers in a JSON script and a still picture,
// which the live explorer replaces. Should an explorer fail to start, its picture stays.
(() => {
  "use strict";
  const boot = () => {
    for (const root of document.querySelectorAll("[data-explorer]")) {
      const data = root.querySelector('script[type="application/json"]');
      if (!data) continue;
      const live = document.createElement("div");
      try {
        vaebook.mount(live, JSON.parse(data.textContent));
      } catch (error) {
        console.error(error);
        continue;
      }
      data.remove();
      root.querySelector(".vb-still").replaceWith(live);
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", boot);
  else boot();
})();
