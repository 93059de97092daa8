// The self-checks of a run as badges; each explains itself when pointed at, focused or pressed.

import {byId, element} from "../lib/dom.js";
import {number} from "../lib/format.js";
import {helpMark} from "../lib/help.js";
import {SUBJECTS} from "../protocol/guide.js";

const TITLES = {
  entropy_bounds: "H within its bounds",
  entropy_rises_with_sigma: "H rises with σ",
  cross_entropy_equals_entropy: "cross-entropy = H",
  production_integral: "∫ production = fall of H",
  chain_rule: "chain rule",
  information_above_sigma_max: "σ max high enough",
  branching_agrees_with_posterior: "branching agrees with the posterior"
};
const MARKS = {true: "✓", false: "!", null: "?"};
const OUTCOMES = {true: ": holds", false: ": fails", null: ": not measured"};
const MOST_ROWS = 12;

/**
 * Return checks of one name together: [{name, title, ok, explanation, curves: [{curve, ok, value, bound}]}].
 *
 * `ok` is null where a check was not measured: with a single trajectory there is no error to hold a value against.
 */
export function grouped(checks) {
  const groups = new Map();
  for (const {name, ok, value, bound, explanation} of checks) {
    const [, base, curve] = /^([^[]*)(?:\[(.*)\])?$/.exec(name) ?? [null, name, ""];
    if (!groups.has(base)) groups.set(base, {name: base, title: titleOf(base), ok: null, explanation, curves: []});
    const group = groups.get(base);
    group.curves.push({curve: curve ?? "", ok: bound === null ? null : ok, value, bound});
    group.ok = together(group.curves);
  }
  return [...groups.values()];
}

/** Return whether a check holds for all curves it was measured for; null where there is none. */
function together(curves) {
  const known = curves.map(({ok}) => ok).filter((ok) => ok !== null);
  return known.length ? known.every(Boolean) : null;
}

const titleOf = (name) => TITLES[name] ?? name.replaceAll("_", " ");

/** Return the rows of an explanation: failed curves first, at most a dozen. */
export function rows({curves}, titles) {
  const order = ({ok}) => [false, null, true].indexOf(ok);
  const sorted = [...curves].sort((a, b) => order(a) - order(b));
  const shown = sorted.slice(0, MOST_ROWS).map(({curve, ok, value, bound}) => ({
    ok,
    text: `${titles[curve] ?? curve}: ${ok === null ? "not measured" : `${number(value)}, at most ${number(bound)}`}`
  }));
  const more = sorted.length - shown.length;
  return more ? [...shown, {ok: true, text: `and ${more} more`}] : shown;
}

/** Show badges in a place, and their explanations in one tip. */
export class Checks {
  constructor(container) {
    Object.assign(this, {container, tip: byId("tip"), shown: "", pinned: null});
    document.addEventListener("keydown", ({key}) => key === "Escape" && this.#hide());
    document.addEventListener("pointerdown", ({target}) => {
      if (!container.contains(target) && !this.tip.contains(target)) this.#hide();
    });
  }

  show(checks, titles) {
    const text = JSON.stringify([checks, titles]);
    if (text === this.shown) return;
    Object.assign(this, {shown: text, titles});
    this.#hide();
    const help = checks.length ? helpMark(SUBJECTS.checks, "the self-checks") : null;
    this.container.replaceChildren(...grouped(checks).map((group) => this.#badge(group)), ...(help ? [help] : []));
  }

  #badge(group) {
    const badge = element(
      "button",
      {type: "button", className: "badge", "aria-expanded": "false", "data-ok": String(group.ok)},
      element("span", {className: "mark", "aria-hidden": "true"}, MARKS[group.ok]),
      group.title,
      element("span", {className: "unseen"}, OUTCOMES[group.ok])
    );
    badge.onpointerenter = badge.onfocus = () => this.#explain(badge, group);
    badge.onpointerleave = () => this.pinned !== badge && badge !== document.activeElement && this.#hide();
    badge.onblur = () => this.pinned !== badge && this.#hide();
    badge.onclick = () => {
      this.pinned = this.pinned === badge ? null : badge;
      if (this.pinned) this.#explain(badge, group);
    };
    return badge;
  }

  #explain(badge, group) {
    this.#hide(badge);
    const lines = rows(group, this.titles).map(({ok, text}) => element("li", {"data-ok": String(ok)}, text));
    this.tip.replaceChildren(element("p", {}, group.explanation), element("ul", {}, ...lines));
    this.tip.hidden = false;
    badge.setAttribute("aria-expanded", "true");
    badge.setAttribute("aria-describedby", "tip");
    const {left, top} = badge.getBoundingClientRect();
    const farthest = document.documentElement.clientWidth - this.tip.offsetWidth - 12;
    this.tip.style.left = `${Math.max(12, Math.min(left, farthest)) + window.scrollX}px`;
    this.tip.style.top = `${top - this.tip.offsetHeight - 8 + window.scrollY}px`;
  }

  #hide(except = null) {
    this.tip.hidden = true;
    for (const badge of this.container.querySelectorAll(".badge")) {
      badge.setAttribute("aria-expanded", "false");
      badge.removeAttribute("aria-describedby");
    }
    if (this.pinned !== except) this.pinned = null;
  }
}
