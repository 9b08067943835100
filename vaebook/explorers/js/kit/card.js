// The card of an explorer: picture and main controls side by side, or one under the other, and all
// that is not needed at once folded away below.
vaebook.card = (() => {
  "use strict";
  const { html, quiet, svg } = vaebook.dom;

  const ICONS = {
    undo: "M3 6.5H10A4 4 0 0 1 10 14.5H6M6 3L2.5 6.5L6 10",
    reset: "M13.5 8A5.5 5.5 0 1 1 11.5 3.75M11.8 0.8V4.2H8.4",
    full: "M2 6V2H6M10 2H14V6M14 10V14H10M6 14H2V10",
  };
  function makeTool(name, words) {
    const icon = svg("svg", { class: "vb-icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
    return html("button", { ...quiet, type: "button", name, class: "vb-tool", "aria-label": words, title: words }, icon);
  }

  // Rows by their group, in the order in which the groups come up.
  function grouped(items) {
    const groups = new Map();
    for (const { spec, row } of items) {
      if (!groups.has(spec.group)) groups.set(spec.group, { role: spec.role, rows: [] });
      groups.get(spec.group).rows.push(row);
    }
    return [...groups];
  }
  const swatch = (role) => svg("svg", { class: "vb-swatch", viewBox: "0 0 28 8", "aria-hidden": "true" },
    svg("path", { class: `vb-line vb-${role}`, d: "M1 4H27", "stroke-width": 2.25 }));
  const panels = (items) => html("div", { class: "vb-groups" }, ...grouped(items).map(([name, { rows, role }]) => name
    ? html("fieldset", { class: "vb-group" }, html("legend", {}, ...(role ? [swatch(role), " "] : []), name), ...rows)
    : html("div", { class: "vb-group" }, ...rows)));
  const lists = (items) => html("div", { class: "vb-results" }, ...grouped(items).map(([name, { rows }]) =>
    html("div", { class: "vb-result" }, ...(name ? [html("p", { class: "vb-result-title" }, name)] : []), html("dl", {}, ...rows))));

  const some = (condition, make) => (condition ? [make()] : []);
  const fold = (words, ...content) => html("details", { class: "vb-fold" },
    html("summary", { ...quiet }, words), html("div", { class: "vb-folded" }, ...content));

  function makeCard({ props, words, controls, readouts, buttons, tools, charts, sharing }) {
    // A small instance folds nothing away that it was asked to show.
    const seen = controls.filter(({ spec }) => props.only || !spec.more);
    const more = controls.filter((one) => !seen.includes(one));
    const axis = seen.filter(({ spec }) => spec.group === "axis");
    const first = readouts.filter(({ spec }) => !spec.more);
    // A chart stands in the view; `below` the sliders of its axis; or, `aside`, under the view where
    // there is room and after the controls on a phone; or, a `pad`, under the buttons. Charts with a `part` of the width stand side
    // by side everywhere.
    const figures = (chosen) => {
      const parts = chosen.filter(({ part }) => part).map(({ part }) => `minmax(0, ${part}fr)`);
      return html("div", { class: "vb-figures", style: parts.length > 0 && `grid-template-columns: ${parts.join(" ")}` },
        ...chosen.map(({ chart }) => chart.node));
    };
    const at = (place) => charts.filter((one) => one[place]);
    const [over, below, aside, pads] = [charts.filter((one) => !one.below && !one.aside && !one.pad), ...["below", "aside", "pad"].map(at)];
    // Each of several instances on a page has a name of its own.
    const [count] = props.id?.match(/\d+$/) ?? [];
    const label = count ? `${props.title} (${count})` : props.title;
    const tableBody = html("div", { class: "vb-table", tabindex: 0, role: "region", "aria-label": `${label}: ${words("table")}` });

    const head = html("div", { class: "vb-head" }, html("p", { class: "vb-title" }, props.title),
      html("div", { class: "vb-tools" }, ...tools));
    const view = html("div", { class: "vb-view" }, figures(over),
      ...some(axis.length, () => html("div", { class: "vb-axis-controls" }, ...axis.map(({ row }) => row))),
      ...some(below.length, () => figures(below)));
    const panel = html("div", { class: "vb-panel" },
      ...some(props.text.note, () => html("p", { class: "vb-note" }, (props.only && props.text.note_small) || props.text.note)),
      // Three numbers stand side by side, more of them in a list.
      first.length > 3 ? lists(first) : html("div", { class: "vb-tiles" }, html("dl", {}, ...first.map(({ row }) => row))),
      panels(seen.filter((one) => !axis.includes(one))),
      ...some(buttons.length, () => html("div", { class: "vb-buttons" }, ...buttons)),
      ...some(pads.length, () => html("div", { class: "vb-pad" }, figures(pads))));
    const folds = html("div", { class: "vb-folds" },
      ...some(more.length, () => fold(words("more"), panels(more))),
      ...some(first.length < readouts.length, () => fold(words("numbers"), lists(readouts.filter(({ spec }) => spec.more)))),
      fold(words("table"), tableBody),
      fold(words("help"), html("p", {}, words("keys")), html("div", { class: "vb-buttons" }, ...sharing)));

    // A form of its own keeps the radio buttons of two explorers on one page apart.
    const form = html("form", { class: `vb-explorer${props.only ? " vb-small" : ""}`, "aria-label": label, autocomplete: "off" },
      html("div", { class: "vb-card" }, head, view, panel,
        ...some(aside.length, () => html("div", { class: "vb-aside" }, figures(aside))), folds));
    return { form, tableBody, view };
  }

  function fillTable(body, { caption, head, rows }) {
    const cell = (value) => (typeof value === "number" ? vaebook.numbers.format(value, 4) : value);
    body.replaceChildren(html("table", {}, html("caption", {}, caption),
      html("thead", {}, html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name)))),
      html("tbody", {}, ...rows.map(([first, ...rest]) => html("tr", {},
        html("th", { scope: "row" }, cell(first)), ...rest.map((value) => html("td", {}, cell(value))))))));
  }

  return { makeCard, makeTool, fillTable };
})();
