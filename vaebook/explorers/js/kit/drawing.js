// Strokes on a chart, by mouse, pen or finger.
//
// draw(kind, x, y) is told each: "begin", "go" and "end"; a finger draws while fingers() says so, and
// otherwise scrolls the page, and its "tap" is told.
vaebook.makeDrawing = (picture, at, draw, fingers) => {
  "use strict";
  let held = null;
  const draws = (event) => (event.pointerType === "touch" ? fingers() : event.button === 0);
  picture.classList.add("vb-pickable");
  picture.addEventListener("pointerdown", (event) => {
    if (held !== null || !draws(event)) return;
    held = event.pointerId;
    picture.setPointerCapture(held);
    draw("begin", ...at(event));
  });
  picture.addEventListener("pointermove", (event) => {
    if (event.pointerId !== held) return;
    const way = event.getCoalescedEvents?.() ?? [];
    for (const one of way.length ? way : [event]) draw("go", ...at(one));
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    picture.addEventListener(end, (event) => {
      if (event.pointerId !== held) return;
      held = null;
      draw("end", ...at(event));
    });
  }
  picture.addEventListener("click", (event) => {
    if (event.pointerType === "touch" && !fingers()) draw("tap", ...at(event));
  });
  // In SVG the style's touch-action is not heeded everywhere.
  picture.addEventListener("touchstart", (event) => {
    if (fingers() && event.cancelable) event.preventDefault();
  }, { passive: false });
  // Say after each move whether a finger draws now.
  return () => picture.classList.toggle("vb-drawn-on", fingers());
};
