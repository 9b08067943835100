// Handles: what has a place in a picture is taken by hand there, by mouse, finger, pen or keys.
vaebook.handles = (() => {
  "use strict";
  const { attribute, fill, quiet, svg } = vaebook.dom;
  const { invert, keyStep, clamp, placeOf } = vaebook.scales;

  const ARROWS = ["M-12 -4L-16.5 0L-12 4M12 -4L16.5 0L12 4", "M-4 -12L0 -16.5L4 -12M-4 12L0 16.5L4 12"];

  // The layer over a chart that holds its handles. It lets everything else through, and only a
  // handle keeps a finger from scrolling the page: a swipe that starts beside one moves nothing.
  function makeLayer(frame, x, y) {
    const layer = svg("svg", { class: "vb-handles" });
    const handles = [];
    const grabs = new Map();
    const local = (event) => {
      const box = layer.getBoundingClientRect();
      return [(event.clientX - box.left) / frame.scale, (event.clientY - box.top) / frame.scale];
    };

    layer.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const at = local(event);
      const far = ({ place }) => Math.hypot(place[0] - at[0], place[1] - at[1]);
      // Where two lie close together, the nearer one is meant.
      const handle = handles.reduce((best, one) => (far(one) < far(best) ? one : best));
      event.preventDefault();
      handle.node.focus({ preventScroll: true });
      layer.setPointerCapture(event.pointerId);
      layer.classList.add("vb-held");
      grabs.set(event.pointerId, { handle, offset: [0, 1].map((k) => handle.place[k] - at[k]) });
    });
    // In SVG the style's touch-action is not heeded everywhere.
    layer.addEventListener("touchstart", (event) => {
      if (event.cancelable) event.preventDefault(); // a page that scrolls already is not stopped
    }, { passive: false });
    layer.addEventListener("pointermove", (event) => {
      const grab = grabs.get(event.pointerId);
      if (!grab) return;
      const [px, py] = local(event).map((pixel, k) => pixel + grab.offset[k]);
      grab.handle.drag(invert(x, frame.left, frame.right)(px), invert(y, frame.bottom, frame.top)(py));
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      layer.addEventListener(end, (event) => {
        grabs.delete(event.pointerId);
        if (!grabs.size) layer.classList.remove("vb-held");
      });
    }

    // One handle: `specs` are those of the sliders that it moves, the first one sideways (or,
    // `upright`, up and down); drag(x, y)
    // is told where the hand is, move(name, value) what a key asks for.
    function add({ specs, role, label, cue, upright, drag, move }) {
      const across = specs.length > 1 ? ARROWS.join("") : ARROWS[upright ? 1 : 0];
      const grip = svg("path", { class: "vb-arrows", d: across });
      const word = svg("text", { class: "vb-cue", y: -14, "text-anchor": "middle", "aria-hidden": "true" }, cue);
      const node = svg("g", {
        ...quiet, class: `vb-handle vb-${role}`, "data-handle": specs.map((spec) => spec.name).join(" "),
        role: "slider", tabindex: 0, "aria-label": label,
        "aria-valuemin": specs[0].min, "aria-valuemax": specs[0].max,
      }, svg("circle", { class: "vb-target", r: 16 }), grip, svg("circle", { class: "vb-grip", r: 6.5 }), word);
      layer.append(node);
      let values = {};
      const handle = {
        node,
        place: [0, 0],
        drag(...at) {
          layer.closest(".vb-explorer")?.classList.add("vb-handled");
          drag(...at);
        },
        hide() {
          handle.place = [Infinity, Infinity];
          node.remove();
        },
        set(px, py) {
          if (!node.parentNode) layer.append(node);
          // A handle stays where a hand can reach it.
          const inside = (value, min, max) => Math.round(10 * clamp({ min, max }, value)) / 10;
          handle.place = [inside(frame.sx(px), 8, frame.width - 8), inside(frame.sy(py), 8, frame.height - 8)];
          attribute(node, "transform", `translate(${handle.place.join(" ")})`);
        },
        show(now, consequence) {
          values = now;
          const value = placeOf(specs[0], now[specs[0].name]); // an exponent, as of 1e-17, is no number in ARIA
          attribute(node, "aria-valuenow", String(Math.abs(value) < 1e-6 ? 0 : value));
          attribute(node, "aria-valuetext", consequence);
        },
      };
      node.addEventListener("keydown", (event) => {
        const upwards = specs[1] && ["ArrowUp", "ArrowDown"].includes(event.key);
        const spec = upwards ? specs[1] : specs[0];
        const wanted = keyStep(spec, placeOf(spec, values[spec.name]), event);
        if (wanted === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        move(spec.name, wanted);
      });
      handles.push(handle);
      return handle;
    }

    const resize = () => fill(layer, { width: frame.width * frame.scale, height: frame.height * frame.scale, viewBox: `0 0 ${frame.width} ${frame.height}` });
    return { node: layer, add, resize };
  }

  return { makeLayer };
})();
