// The kit that every explorer is made of: charts in plain SVG, native controls, read-outs, a table.
//
// Plain scripts, joined in a fixed order (vaebook/explorers/scripts.py), two ways in. On a page they
// are a classic script, and `vaebook` a global; in a notebook they are the first part of the widget's
// module, and `vaebook` is local to that module.
// How an explorer is written: vaebook/explorers/README.md.
var vaebook = { explorers: {}, forms: {} };
vaebook.define = (name, setup) => { vaebook.explorers[name] = setup; };

vaebook.dom = (() => {
  "use strict";

  const fill = (node, attributes, children = []) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) node.setAttribute(name, "");
      else if (value !== false && value != null) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  };
  const html = (tag, attributes = {}, ...children) =>
    fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

  // Write only what changed: a move touches few of the many texts.
  const written = new WeakMap();
  const write = (node, text) => {
    if (written.get(node) === text) return;
    node.textContent = text;
    written.set(node, text);
  };
  const attribute = (node, name, value) => {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  };

  // An id that is new in the document, also where several modules hold a kit of their own.
  const newId = (word) => {
    document.vaebookIds = (document.vaebookIds ?? 0) + 1;
    return `vb-${word}-${document.vaebookIds}`;
  };

  // JupyterLab keeps its shortcuts (arrows, Enter, letters) off elements that say so themselves.
  const quiet = { "data-lm-suppress-shortcuts": "true" };

  return { fill, html, svg, write, attribute, newId, quiet };
})();
