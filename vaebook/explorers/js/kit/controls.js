// Native controls and read-outs. Each is {row, show}: its element, and what writes a value into it.
vaebook.controls = (() => {
  "use strict";
  const { attribute, html, newId, quiet, svg, write } = vaebook.dom;
  const { fixed, format } = vaebook.numbers;
  const { decimals, keyStep, onGrid, placeOf, valueAt } = vaebook.scales;

  const symbol = (words) => html("span", { class: "vb-symbol" }, words);
  const caption = (spec) => (spec.symbol ? [`${spec.label} `, symbol(spec.symbol)] : [spec.label]);

  // What runs a slider through its range, or as fast as it goes, and stops it.
  const FACES = { play: "M4 2.5V13.5L13.5 8Z", pause: "M4.5 3V13M11.5 3V13", fast: "M2 3V13L8.5 8ZM8.5 3V13L15 8Z" };
  function makePlay(spec, play, words, kind) {
    const face = svg("path");
    const icon = svg("svg", { class: "vb-icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, face);
    const button = html("button", { ...quiet, type: "button", class: "vb-play", name: `${kind}_${spec.name}` }, icon);
    const show = (running) => {
      const now = running ? "pause" : kind;
      attribute(face, "d", FACES[now]);
      for (const name of ["aria-label", "title"]) attribute(button, name, `${words(now)}: ${spec.label}`);
    };
    button.addEventListener("click", () => play(spec, show, spec[kind]));
    show(false);
    return button;
  }

  function makeRange(spec, move, slide, play, words) {
    const id = newId("control");
    const digits = (value) => decimals(spec.values ? value : spec.fine);
    const input = html("input", {
      ...quiet, type: "range", id, name: spec.name, min: spec.min, max: spec.max, step: spec.fine,
      "data-values": spec.values && JSON.stringify(spec.values),
    });
    const number = html("span", { class: "vb-value", "data-readout": spec.name });
    const label = html("label", { for: id }, ...caption(spec));
    const plays = ["play", "fast"].filter((kind) => spec[kind]).map((kind) => makePlay(spec, play, words, kind));
    const head = plays.length ? html("span", { class: "vb-played" }, ...plays, label) : label;
    const row = html("div", { class: `vb-control ${spec.role ? `vb-${spec.role}` : ""}` }, head, number, input);

    input.addEventListener("input", () => slide(valueAt(spec, input.valueAsNumber)));
    input.addEventListener("keydown", (event) => {
      const wanted = keyStep(spec, placeOf(spec, control.value), event);
      if (wanted === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      move(valueAt(spec, wanted));
    });

    const control = {
      row,
      show(value, consequence) {
        const place = placeOf(spec, value);
        if (value !== control.value) {
          control.value = value;
          // A value set from Python may lie between two steps; the input shows it all the same.
          attribute(input, "step", onGrid(spec, place) ? String(spec.fine) : "any");
          input.style.setProperty("--vb-part", (place - spec.min) / (spec.max - spec.min));
          write(number, format(value, digits(value)) + (spec.unit ? ` ${spec.unit}` : ""));
          attribute(number, "data-number", String(value));
        }
        if (input.valueAsNumber !== place) input.value = place;
        attribute(input, "aria-valuetext", `${spec.symbol || ""} ${number.textContent}: ${consequence}`.trim());
      },
    };
    return control;
  }

  // Up to four options: radio buttons; more: a select.
  function makeChoice(spec, move) {
    if (spec.options.length > 4) {
      const id = newId("control");
      const select = html("select", { ...quiet, id, name: spec.name },
        ...spec.options.map((o) => html("option", { value: o.value }, o.label)));
      select.addEventListener("change", () => move(select.value));
      return {
        row: html("div", { class: "vb-control vb-inline" }, html("label", { for: id }, ...caption(spec)), select),
        show(value) { select.value = value; },
      };
    }
    const radios = spec.options.map((o) =>
      html("input", { ...quiet, type: "radio", name: spec.name, value: o.value }));
    radios.forEach((radio) => radio.addEventListener("change", () => move(radio.value)));
    return {
      row: html("fieldset", { class: "vb-control vb-radios" }, html("legend", {}, ...caption(spec)),
        ...radios.map((radio, i) => html("label", {}, radio, ` ${spec.options[i].label}`))),
      show(value) { radios.forEach((radio) => { radio.checked = radio.value === value; }); },
    };
  }

  // A value that only buttons and Python move, such as a seed.
  function makeHidden(spec) {
    const input = html("input", { type: "hidden", name: spec.name });
    return { row: input, show(value) { input.value = JSON.stringify(value); } };
  }

  const KINDS = { range: makeRange, choice: makeChoice, hidden: makeHidden };
  const makeControl = (spec, ...ways) => KINDS[spec.kind](spec, ...ways);

  // A read-out with `bar: [low, high]` draws its number as a bar, too.
  function makeReadout(spec) {
    const number = html("span", { class: "vb-value", "data-readout": spec.key });
    const part = spec.bar && html("span", { class: "vb-bar-fill" });
    const track = part ? [html("span", { class: "vb-bar-track", "aria-hidden": "true" }, part)] : [];
    const unit = spec.unit ? ` ${spec.unit}` : "";
    return {
      row: html("div", { class: `${part ? "vb-bar" : "vb-readout"} ${spec.role ? `vb-${spec.role}` : ""}` },
        html("dt", {}, ...caption(spec)), html("dd", {}, ...track, number, unit)),
      show(value) {
        // Numbers beside bars keep one width, so that the bars stay comparable.
        write(number, part ? fixed(value, spec.digits) : format(value, spec.digits));
        attribute(number, "data-number", String(value));
        if (!part) return;
        const [low, high] = spec.bar;
        part.style.width = `${100 * Math.min(1, Math.max(0, (value - low) / (high - low)))}%`;
      },
    };
  }

  return { makeControl, makeReadout };
})();
