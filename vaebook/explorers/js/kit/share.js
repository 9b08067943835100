// The state of an explorer as text: for a link, and as the Python that makes the same explorer.
vaebook.share = (() => {
  "use strict";
  const { html } = vaebook.dom;

  const changed = (values, from) =>
    Object.entries(values).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(from[name]));

  const read = (word) => {
    try { return JSON.parse(word); } catch { return word; }
  };
  // #elbo-2:mean=0.44,model=nonlinear,trail=[[0.2,0.5,0.4]]; a word that reads as a number is quoted
  function toHash({ id, start }, values) {
    const text = changed(values, start)
      .map(([name, value]) => `${name}=${read(value) === value && typeof value === "string" ? value : JSON.stringify(value)}`);
    return `#${id}:${text.join(",").replace(/[%\s"<>`#]/g, encodeURIComponent)}`;
  }
  function toLink(props, values) {
    history.replaceState(null, "", toHash(props, values));
    return location.href;
  }
  function fromHash(hash) {
    if (!/^#[\w-]+:/.test(hash)) return null; // another anchor, which may hold anything
    let words;
    try { words = decodeURIComponent(hash.slice(1)); } catch { return null; } // a link that was cut off
    const [id, text] = words.split(/:(.*)/s);
    const pairs = [...text.matchAll(/(\w+)=(\[.*?\](?=,\w+=|$)|[^,]*)/g)];
    return [id, Object.fromEntries(pairs.map(([, name, word]) => [name, read(word)]))];
  }

  const literal = (value) => JSON.stringify(value).replace(/,/g, ", ");
  function toPython(props, values) {
    const defaults = Object.fromEntries(props.controls.map((spec) => [spec.name, spec.default]));
    const given = changed(values, defaults);
    if (props.only) given.push(["controls", props.only]);
    const list = given.map(([name, value]) => `${name}=${literal(value)}`).join(", ");
    return `from vaebook import explorers\nexplorers.${props.class}(${list})`;
  }

  // A page opened as a file may have no clipboard of the new kind: the old way is the second.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const before = document.activeElement;
      const area = html("textarea", { readonly: true }, text);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      before?.focus({ preventScroll: true });
    }
  }

  return { toLink, fromHash, toPython, copy };
})();
