// The samples at the noise level under the cursor: pictures over posteriors, and the key of classes.

import {element, setText} from "../lib/dom.js";
import {number, shortened} from "../lib/format.js";
import {BAR, nearest} from "../plots/previews.js";
import {drawSample} from "./pictures.js";

const GAP = 6;
const PADDING = 4;
const MOST_KEYS = 12;
const MOST_LETTERS = 60;
/** Between samples of one noise and those of the next. */
const TWIN_GAP = 8;

/** Return the samples the strip follows at first: the first of each of two labels. */
export function firstFollowed(samples, most = 2) {
  const seen = new Set();
  const followed = samples.map((_, i) => i).filter((i) => !seen.has(samples[i].label) && seen.add(samples[i].label));
  return followed.slice(0, most);
}

/** Return the labels that the key explains: all of a few, of many first those of the samples that are shown. */
export function keyOf(labels, samples) {
  if (labels.length <= MOST_KEYS) return labels;
  const sampled = new Set(samples.map(({label}) => label));
  return [...labels.filter((label) => sampled.has(label)), ...labels.filter((label) => !sampled.has(label))].slice(0, MOST_KEYS);
}

/** Return how many columns show n samples, and the side of a picture, in a width. */
export function grid(n, width) {
  const columns = n <= 16 ? Math.max(1, Math.min(4, n)) : Math.ceil(Math.sqrt(n));
  return {columns, side: Math.floor((width - GAP * (columns - 1)) / columns)};
}

/** Return how many twins, samples of one noise, stand side by side; 1 where each sample has another noise. */
export const sharing = (samples) =>
  samples[0]?.pair === undefined ? 1 : samples.filter(({pair}) => pair === samples[0].pair).length;

/** Return the columns of samples side by side: their CSS, the side of a picture, and the column of sample i. */
export function places(samples, width) {
  const each = sharing(samples);
  const {columns, side} = grid(samples.length, width);
  if (each === 1) return {template: `repeat(${columns}, ${side}px)`, side, columnOf: () => ""};
  const groups = Math.max(1, Math.floor(columns / each));
  const gaps = GAP * (groups * each - 1) + (groups - 1) * (TWIN_GAP + GAP);
  const narrower = Math.floor((width - gaps) / (groups * each));
  const template = Array(groups).fill(`repeat(${each}, ${narrower}px)`).join(` ${TWIN_GAP}px `);
  const columnOf = (i) => String(1 + (i % each) + (Math.floor(i / each) % groups) * (each + 1));
  return {template, side: narrower, columnOf};
}

/** Return what a sample is, in words; `committed` is its own commitment, once that is known. */
export function describe({label, posterior, pair}, index, labels, committed = null) {
  const end = committed ? `; ${commitment(committed)}` : "";
  const name = pair === undefined ? `Sample ${index + 1}` : `Noise ${pair + 1}`;
  if (!posterior) return `${name}: ${label}${end}`;
  const top = posterior.indexOf(Math.max(...posterior));
  return `${name}: ${label}; posterior ${Math.round(100 * posterior[top])} % ${labels[top]}${end}`;
}

function commitment({final, contender, peak, sigmas: [sigma]}) {
  const when = sigma === null ? `never committed, ends at ${final}` : `committed to ${final} below σ = ${number(sigma)}`;
  return `${when}, nearly ${contender} (${Math.round(100 * peak)} %)`;
}

/** Show the samples; pressing one makes the strip follow it. */
export class Samples {
  constructor({grid: container, caption, key}, {onFollow}) {
    Object.assign(this, {container, caption, key, onFollow, keyed: ""});
  }

  show({sprites, step, sigma, labels, colors, followed, commitments = []}) {
    const steps = sprites.steps();
    const at = nearest(steps, step ?? 0);
    this.container.parentElement.classList.toggle("without", at === null);
    this.#showKey(keyOf(labels, at === null ? [] : sprites.header(at).samples), labels, colors);
    if (at === null) return setText(this.caption, "");
    setText(this.caption, `at σ = ${number(sigma[at])}`);
    const header = sprites.header(at);
    this.#cells(header.samples.length);
    const {template, side, columnOf} = places(header.samples, this.container.clientWidth - 2 * PADDING);
    this.container.style.gridTemplateColumns = template;
    const bitmap = sprites.bitmap(at);
    header.samples.forEach((sample, index) => {
      const button = this.container.children[index];
      button.setAttribute("aria-pressed", String(followed.includes(index)));
      const paired = sample.pair !== undefined; // twin previews are not trajectories of the run
      const committed = paired ? null : commitments.find(({trajectory}) => trajectory === index);
      button.style.gridColumn = columnOf(index);
      setText(button.lastChild, paired ? shortened(sample.label, MOST_LETTERS) : "");
      button.title = describe(sample, index, labels, committed);
      button.setAttribute("aria-label", button.title);
      Object.assign(button.firstChild.style, {width: `${side}px`, height: `${side + BAR + 2}px`});
      if (bitmap) drawSample(button.firstChild, {bitmap, header, index, colors}, side);
    });
  }

  #cells(n) {
    while (this.container.children.length > n) this.container.lastChild.remove();
    while (this.container.children.length < n) {
      const index = this.container.children.length;
      this.container.append(
        element(
          "button", {type: "button", className: "sample", onclick: () => this.onFollow(index)},
          element("canvas"), element("span", {className: "sample-label"})
        )
      );
    }
  }

  #showKey(shown, labels, colors) {
    const keyed = JSON.stringify([shown, labels, colors]);
    if (keyed === this.keyed) return;
    this.keyed = keyed;
    const entries = shown.map((label) => {
      const swatch = element("span", {className: "swatch"});
      swatch.style.background = colors[labels.indexOf(label)];
      return element("li", {title: label}, swatch, shortened(label, MOST_LETTERS));
    });
    if (labels.length > shown.length) entries.push(element("li", {}, `and ${labels.length - shown.length} more`));
    this.key.replaceChildren(...entries);
  }
}
