// The legend of a run's curves: click to show or hide, point to bring to the front; and the read-out.

import {element, setText} from "../lib/dom.js";
import {count, measured, number, shortened} from "../lib/format.js";
import {factorOf} from "../plots/axes.js";
import {inWords, quantity, withBand} from "../protocol/quantities.js";

/** From so many curves on, the legend offers to show all of them. */
const MANY = 7;

/** Return the short name of a curve: the class for each-vs-rest, else its title. */
export const shortName = (curve) => curve.path.at(-1) ?? curve.title;

/** Return what a button of the legend says: the class, where nothing else is measured in the run, else the title. */
export const legendName = (curve, curves) =>
  curves.every(({partition}) => partition === curve.partition) && depthOf(curve, curves) === 0 ? shortName(curve) : curve.title;

/** Return the short name of every curve by its key. */
export const titlesOf = (curves) => Object.fromEntries(curves.map((curve) => [curve.key, shortName(curve)]));

/** Return how many of the curves a curve lies inside of: its indentation in a tree. */
export const depthOf = ({partition, path}, curves) =>
  curves.filter((outer) => outer.partition === partition && outer.path.length < path.length && isPrefix(outer.path, path)).length;

const isPrefix = (start, path) => start.every((name, i) => name === path[i]);

/** Return what is measured at a step, in words: "σ = 3.2: H = 1.93 ± 0.02 bits, ..."; ± is half of the 95 % band. */
export function readout(curve, step, {sigma, axis, unit, per, time}) {
  const level = sigma[step];
  const at = (name, key, source = curve) => multiplied(source[key]?.[step], factorOf(name, level, {axis, unit, time}));
  const told = (name) => {
    const [value, half] = withBand(name).map((key) => at(name, key));
    return inWords(name, measured(value, half), {unit, per});
  };
  const n = curve.n?.[step]; // the trajectories whose label lies inside this decision
  const name = curve.path.length ? `${shortened(shortName(curve))}, ` : "";
  return {
    sigma: `${name}σ = ${number(level)}${n ? `, n = ${count(n)}` : ""}`,
    entropy: told("entropy"),
    production: told("production"),
    error: curve.provisional ? "provisional, ± 95 %" : "± 95 %",
    parts: ["entropy", "production"].map((name) => partsText(name, curve, (key, source) => at(name, key, source)))
  };
}

/** Return the plain mean and the parts of the band: "H: plain mean 1.95, 95 % = noise 0.06 + left by steps 0.02". */
function partsText(name, curve, at) {
  const [half, noise] = [at(`${name}_band`), at(`${name}_noise`)];
  const plain = curve.combined ? `plain mean ${number(at(name, curve.plain))}, ` : "";
  if (half === null || noise === null) return `${quantity(name).symbol}: ${plain}error not measured`;
  return `${quantity(name).symbol}: ${plain}95 % = noise ${number(noise)} + left by steps ${number(half - noise)}`;
}

const multiplied = (value, factor) => (value === null || value === undefined ? null : value * factor);

/** Show the curves of a run as buttons. */
export class Legend {
  constructor(container, {onHide, onFocus}) {
    Object.assign(this, {container, onHide, onFocus});
    this.keys = "";
  }

  show(curves) {
    const keys = curves.map(({key, title}) => `${key} ${title}`).join("|");
    if (keys !== this.keys) this.#make(curves);
    Object.assign(this, {keys, curves});
    curves.forEach((curve, i) => this.#update(this.container.children[i], curve));
    if (curves.length >= MANY) this.#offerAll(curves);
    this.container.hidden = curves.length < 2;
  }

  #make(curves) {
    const depths = curves.map((curve) => depthOf(curve, curves));
    this.container.classList.toggle("tree", depths.some((depth) => depth > 0));
    this.container.classList.toggle("many", curves.length >= MANY);
    this.container.replaceChildren(
      ...curves.map((curve, i) =>
        element(
          "button",
          {
            type: "button",
            className: "curve",
            title: curve.title,
            "data-depth": depths[i],
            onclick: () => this.#toggle(curve.key),
            onpointerenter: () => this.onFocus(curve.key),
            onfocus: () => this.onFocus(curve.key)
          },
          element("span", {className: "swatch"}),
          element("span", {className: "curve-name"}, legendName(curve, curves))
        )
      )
    );
    [...this.container.children].forEach((button, i) => { button.style.setProperty("--in", `${18 * depths[i]}px`); });
    if (curves.length >= MANY) this.container.append(element("button", {type: "button", className: "quiet all"}));
  }

  #toggle(toggled) {
    const stays = ({key, visible}) => (key === toggled ? visible : !visible);
    this.onHide(this.curves.filter(stays).map(({key}) => key));
  }

  /** Of many curves, all can be shown at once, or only the one in focus. */
  #offerAll(curves) {
    const button = this.container.lastChild;
    const everyone = curves.every(({visible}) => visible);
    setText(button, everyone ? "show only one" : `show all ${curves.length}`);
    const one = curves.find(({focus}) => focus) ?? curves[0];
    button.onclick = () => this.onHide(everyone ? curves.filter((curve) => curve !== one).map(({key}) => key) : []);
  }

  #update(button, {color, visible, focus}) {
    button.setAttribute("aria-pressed", String(visible));
    button.classList.toggle("focus", focus);
    button.firstChild.style.background = color;
  }
}

/** Show the read-out of the curve in focus; the parts of its error where they are asked for. */
export function showReadout(container, told, {color, productionColor} = {}, withParts = false) {
  const parts = told && withParts ? told.parts : ["", ""];
  const texts = told ? [told.sigma, told.entropy, told.production, told.error, ...parts] : Array(6).fill("");
  const colors = ["", color ?? "", productionColor ?? "", "", color ?? "", productionColor ?? ""];
  [...container.children].forEach((node, i) => {
    setText(node, texts[i]);
    node.style.color = colors[i];
  });
}
