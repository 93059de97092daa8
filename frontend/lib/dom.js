// Making elements; whatever comes from a server or a model goes in as text, never as markup.

/** Return a new element with properties (data-*, aria-* and role as attributes) and children. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (/^(data-|aria-|role$|for$)/.test(name)) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

let made = 0;

/** Return an id that no other element has. */
export const uniqueId = (prefix) => `${prefix}-${(made += 1)}`;

export const byId = (id) => document.getElementById(id);

/** Set the text of a node only where it changed: screen readers and selections stay calm. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Return a canvas' context in CSS pixels, its bitmap sized for the screen. */
export function context(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, {width: w, height: h});
  const drawing = canvas.getContext("2d");
  drawing.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawing.clearRect(0, 0, width, height);
  return drawing;
}
