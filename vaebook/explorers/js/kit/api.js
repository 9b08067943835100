// What an explorer's script is given: its tables and words, charts, handles, and a way to move.
vaebook.makeApi = (props, host) => {
  "use strict";
  const { clamp, niceCeiling, snap, valueAt } = vaebook.scales;
  const specs = Object.fromEntries(props.controls.map((spec) => [spec.name, spec]));
  const each = (values, change) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(specs[name], value)]));

  return {
    forms: vaebook.forms,
    tables: vaebook.numbers.decode(props.tables),
    text: host.words,
    format: vaebook.numbers.format,
    niceCeiling,
    spec: (name) => specs[name],
    // Whether this control or button is there: a small instance has only some.
    shows: host.visible,
    // The nearest value that a slider can take; values, by name, within their sliders' ranges.
    snap: (name, value) => snap(specs[name], value),
    inside: (values) => each(values, clamp),
    set: (changes) => host.commit(changes),
    // frame(part) with part from 0 to 1 in so many seconds; returns a function that stops it.
    animate: (seconds, frame) => vaebook.motion.run(seconds, frame, host.announce),

    // A slider that sweeps its range in so many seconds: start() begins, also anew; changes(value) are
    // what moves along; heed(value), in every update, lets whoever moves the slider by hand take over.
    sweep(name, seconds, changes = (value) => ({ [name]: value })) {
      const { min, max } = specs[name];
      let stop = null; // ends the sweep that runs
      let at = null; // where that sweep has put the slider
      return {
        start: () => {
          if (stop) stop();
          at = null;
          const end = this.animate(seconds, (part) => {
            at = snap(specs[name], min + part * (max - min));
            host.commit(changes(at));
            if (part === 1) stop = null;
          });
          stop = at === max ? null : () => { end(); stop = null; };
        },
        heed: (value) => {
          if (stop && value !== at) stop();
        },
      };
    },

    chart(options) {
      const tight = (node) => Boolean(props.only) || node.closest("form").clientWidth < 640;
      const chart = vaebook.chart.makeChart({ ...options, tight });
      host.charts.push({ chart, ...options });
      return chart;
    },

    // A chart to draw on: see pad.js.
    pad(options, drawing) {
      return vaebook.makePad(this.chart(options), options.x.domain, drawing);
    },

    // A handle for the sliders named: to(x, y, values) says what they become where the hand is; with
    // `pick`, also where the chart is clicked or dragged beside it. A small instance has the handle if
    // it has one of the sliders.
    handle(chart, { moves, role, upright, pick, to }) {
      const drag = (x, y) => host.commit(each(to(x, y, host.values()), (spec, value) => (spec.values ? value : snap(spec, value))));
      if (pick) chart.onpick(drag);
      if (!moves.some(host.visible)) return { set() {}, clear() {} };
      const names = moves.map((name) => `${specs[name].label} ${specs[name].symbol}`.trim());
      const handle = chart.handle({
        specs: moves.map((name) => specs[name]), role, upright, cue: host.words("drag"),
        label: `${names.join(", ")} ${host.words("on_picture")}`, drag,
        move: (name, value) => host.commit({ [name]: valueAt(specs[name], value) }),
      });
      host.handles.push(handle);
      return handle;
    },
  };
};

// Throws an error that names what an explorer cannot take of these changes.
vaebook.checked = ({ name, controls }, changes) => {
  for (const [key, value] of Object.entries(changes)) {
    const spec = controls.find((one) => one.name === key);
    if (!spec) throw new TypeError(`${name} has no control ${key}`);
    const possible = spec.values ? spec.values.includes(value)
      : spec.kind === "range" ? value >= spec.min && value <= spec.max
      : spec.kind !== "choice" || spec.options.some((option) => option.value === value);
    if (!possible) throw new RangeError(`${name}: ${key} = ${JSON.stringify(value)} is not possible`);
  }
};
