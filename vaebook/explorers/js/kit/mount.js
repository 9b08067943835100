// One explorer: its controls, charts and numbers, kept in step.
//
// mount(el, props, onchange) builds explorer `props.name` inside `el`. `props` comes from Python
// (class Explorer) and is the only source of names, ranges, defaults, tables and words.
// `onchange(values)` is called after each move by the reader. What it returns is also `el.vaebook`.
vaebook.mount = (el, props, onchange) => {
  "use strict";
  const { html, quiet, write } = vaebook.dom;
  const { makeControl, makeReadout } = vaebook.controls;
  const { along, ease, run, straight } = vaebook.motion;
  const { toLink, toPython } = vaebook.share;
  const SECONDS = 0.38; // a jump is over after it
  const SWEEP = 6; // seconds through the whole range
  const AT_ONCE = 1e-3; // seconds through the whole range: as fast as it goes
  const ONE_MOVE = 700; // milliseconds within which moves of one control count as one

  let values = { ...props.start, ...props.values };
  let stop = () => {}; // ends the motion that runs
  let playing = {}; // the slider that runs through its range, and what says so
  let result, announcing;
  const past = []; // values before each move
  const last = { key: "", time: 0 };
  const live = html("p", { class: "vb-live vb-hidden", role: "status" });
  const words = vaebook.numbers.wordsOf(props);

  const host = {
    words, commit, charts: [], handles: [],
    visible: (name) => !props.only || props.only.includes(name),
    values: () => values,
  };
  const explorer = vaebook.explorers[props.name](vaebook.makeApi(props, host));
  const sliders = explorer.glides ?? props.controls.filter((spec) => spec.kind === "range" && !spec.values).map((spec) => spec.name);
  const controls = props.controls.filter((spec) => spec.kind === "hidden" || host.visible(spec.name))
    .map((spec) => ({ spec, ...makeControl(spec, (value) => commit({ [spec.name]: value }), (value) => slide(spec, value), play, words) }));
  const readouts = props.readouts.map((spec) => ({ spec, ...makeReadout(spec) }));

  const pressed = (node, action) => {
    node.addEventListener("click", action);
    return node;
  };
  const press = (name, action) => pressed(html("button", { ...quiet, type: "button", name }, words(name)), action);
  const buttons = props.buttons.filter(host.visible).map((name) => press(name, () => {
    last.key = ""; // a move of its own, also after its slider
    // changes, or {to: changes, path: (part) => values}, or {sweep: the slider that runs through its range}
    const move = explorer.actions[name](values);
    if (move.sweep) play(props.controls.find((spec) => spec.name === move.sweep), () => {}, SWEEP, true);
    else go(move.to ?? move, false, move.path);
  }));
  const undo = pressed(vaebook.card.makeTool("undo", words("undo")), back);
  const reset = pressed(vaebook.card.makeTool("reset", words("reset")), () => go(props.start, true));
  const full = vaebook.card.makeTool("full", words("full"));
  const copying = (name, text) => press(name, async () => {
    await vaebook.share.copy(text(props, values));
    clearTimeout(announcing); // what the press before this one has to say would wipe it out
    live.textContent = words("copied");
  });
  const { form, tableBody, view } = vaebook.card.makeCard({
    props, words, controls, readouts, buttons, tools: [undo, reset, full], charts: host.charts,
    sharing: [...(props.id ? [copying("link", toLink)] : []), copying("python", toPython)],
  });
  form.append(live);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    back();
  });
  tableBody.closest("details").addEventListener("toggle", fillTable);
  el.append(form);

  function fillTable() { if (tableBody.closest("details").open) vaebook.card.fillTable(tableBody, result.table()); }
  function refresh(now) {
    result = explorer.update(now);
    for (const { chart } of host.charts) chart.settle();
    for (const { spec, show } of readouts) show(result.readouts[spec.key]);
    for (const { spec, show } of controls) show(now[spec.name], result.consequence);
    for (const handle of host.handles) handle.show(now, result.consequence);
    if (result.note) write(form.querySelector(".vb-note"), result.note); // else the one of its text
    undo.disabled = !past.length;
    fillTable();
  }
  // A slider says its consequence itself (aria-valuetext); the live region speaks for buttons only.
  function announce() {
    clearTimeout(announcing);
    announcing = setTimeout(() => { live.textContent = result.consequence; }, 150);
  }
  function remember(changes) {
    const [key, now] = [Object.keys(changes).join(), performance.now()];
    if (key !== last.key || now - last.time > ONE_MOVE) past.push(values);
    Object.assign(last, { key, time: now });
  }

  function put(changes, exact = false, later = false) {
    const next = { ...values, ...changes };
    values = explorer.constrain && !exact ? explorer.constrain(next, Object.keys(changes), values) : next;
    if (!later) refresh(values);
    onchange?.({ ...values });
  }
  // A move by hand: at once. It ends what runs, but not a training that goes on from there, whose
  // next frame shows the move.
  function commit(changes, exact = false) {
    const goesOn = Boolean(explorer.advance && playing.name) && !(playing.name in changes);
    if (!goesOn) stop();
    remember(changes);
    put(changes, exact, goesOn);
    last.time = performance.now(); // the picture may have taken its time
  }
  // A slider through its range in so many seconds, from where it stands or, from its end, once more;
  // pressed while it runs, or by any other move, it stops. show(true or false) says whether it runs;
  // anew: from the start of its range.
  function play(spec, show, seconds, anew = false) {
    const { name, min, max } = spec, again = playing.show === show;
    stop();
    if (again) return announce();
    const from = anew || values[name] === max ? min : values[name];
    last.key = "";
    remember({ [name]: from });
    put({ [name]: from });
    last.key = "";
    proceed(spec, max, seconds, show, announce);
  }
  function proceed(spec, to, seconds, show, done = () => {}) {
    const { name } = spec, mine = { name, show };
    playing = mine;
    show(true);
    const end = () => { playing = {}; show(false); refresh(values); };
    const train = explorer.advance && ((...how) => explorer.advance(values, ...how));
    const ways = { train, now: () => values[name], put: (value) => put({ [name]: value }) };
    const halt = along(spec, ways, to, seconds, () => { end(); done(); });
    stop = () => { halt(); if (playing === mine) end(); };
  }
  // A slider by hand; one that trains comes after the hand, frame by frame.
  function slide(spec, value) {
    const { name } = spec;
    if (!explorer.advance || !spec.play) return commit({ [name]: value });
    stop();
    remember({ [name]: value });
    proceed(spec, value, AT_ONCE, () => {});
  }
  // A jump: the values are there at once, and the picture runs after them.
  function go(changes, exact = false, path = undefined) {
    const from = values;
    stop();
    last.key = "";
    commit(changes, exact);
    last.key = "";
    return follow(from, path);
  }
  function follow(from, way = straight(from, values, sliders)) {
    return new Promise((done) => {
      stop = run(SECONDS, (part) => refresh(part < 1 ? way(ease(part)) : values), () => { announce(); done(); });
    });
  }
  function back() {
    if (!past.length) return;
    const from = values;
    stop();
    values = past.pop();
    last.key = "";
    onchange?.({ ...values });
    follow(from);
  }
  refresh(values);

  const resize = (scale) => host.charts.forEach(({ chart }) => chart.resize(scale));
  const unfit = vaebook.makeFull(form, full, resize);
  resize(1);
  const handle = {
    id: props.id,
    picture: view,
    values: () => ({ ...values }),
    // set(changes, {animate}): a move from outside; done when the motion is.
    async set(changes, { animate = false } = {}) {
      vaebook.checked(props, changes);
      return animate ? go(changes) : commit(changes);
    },
    // open(changes): the state of a link, which lists what is not as at the start.
    async open(changes) {
      vaebook.checked(props, changes);
      commit(props.start, true);
      put(changes);
    },
    // show(values): what Python has set; it is not reported back.
    show(next) {
      if (Object.keys(next).every((name) => next[name] === values[name])) return;
      stop();
      values = { ...values, ...next };
      refresh(values);
    },
    destroy() {
      stop();
      clearTimeout(announcing);
      unfit();
      form.remove();
    },
  };
  el.vaebook = handle;
  return handle;
};
