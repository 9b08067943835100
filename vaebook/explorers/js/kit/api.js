// What an explorer's script is given: its tables and words, charts, handles, and a way to move.
vaebook.makeApi = (props, host) => {
  "use strict";
  const { clamp, niceCeiling, snap, valueAt } = vaebook.scales;
  const specs = Object.fromEntries(props.controls.map((spec) => [spec.name, spec]));
  const each = (values, change) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(specs[name], value)]));

  // A move by hand: of the sliders that are there, to values that they can take.
  const set = (changes) => {
    const there = Object.entries(changes).filter(([name]) => specs[name].kind === "hidden" || host.visible(name));
    if (!there.length) return;
    host.commit(each(Object.fromEntries(there), (spec, value) => (spec.kind !== "range" || spec.values ? value : snap(spec, value))));
  };

  return {
    forms: vaebook.forms,
    tables: vaebook.numbers.decode(props.tables),
    text: host.words,
    format: vaebook.numbers.format,
    niceCeiling,
    spec: (name) => specs[name],
    // Whether this control or button is there: a small instance has only some.
    shows: host.visible,
    // Values, by name, within their sliders' ranges.
    inside: (values) => each(values, clamp),
    set,

    chart(options) {
      const tight = (node) => Boolean(props.only) || node.closest("form").clientWidth < 640;
      const chart = vaebook.chart.makeChart({ ...options, tight });
      host.charts.push({ chart, ...options });
      return chart;
    },

    // A handle for the sliders named: to(x, y, values) says what they become where the hand is; with
    // `pick`, also where the chart is clicked or dragged beside it. A small instance has the handle if
    // it has one of the sliders.
    handle(chart, { moves, role, upright, pick, to }) {
      if (!moves.some(host.visible)) return { set() {}, clear() {} };
      const drag = (x, y) => set(to(x, y, host.values()));
      if (pick) chart.onpick(drag);
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
