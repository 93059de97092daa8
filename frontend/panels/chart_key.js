// The legend of the charts as a list: each mark as it is drawn, and what it stands for.

import {element} from "../lib/dom.js";

export class ChartKey {
  constructor(container) {
    Object.assign(this, {container, shown: ""});
  }

  /** Show entries, [{mark, text}], in the colour of the curve in focus. */
  show(entries, color = "") {
    const text = JSON.stringify([entries, color]);
    if (text === this.shown) return;
    this.shown = text;
    this.container.hidden = entries.length === 0;
    this.container.style.setProperty("--curve", color);
    this.container.replaceChildren(...entries.map(({mark, text: words}) =>
      element("li", {"data-mark": mark}, element("span", {className: "mark", "aria-hidden": "true"}), words)
    ));
  }
}
