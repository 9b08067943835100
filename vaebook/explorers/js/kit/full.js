// The full screen, for a lecture: the card fills it, text and handles grow.
vaebook.makeFull = (form, button, resize) => {
  "use strict";
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else form.requestFullscreen().catch(() => {}); // the browser may refuse: the card stays as it is
  });
  let height = 1;
  const fit = () => {
    const on = form.matches(":fullscreen");
    if (!on) height = form.offsetHeight || 1;
    const scale = on ? Math.max(1, Math.min(innerWidth / 960, innerHeight / height)) : 1;
    form.style.setProperty("--vb-scale", scale);
    button.setAttribute("aria-pressed", String(on));
    resize(scale);
  };
  const observer = new ResizeObserver(fit);
  observer.observe(form);
  form.addEventListener("fullscreenchange", fit);
  return () => observer.disconnect();
};
