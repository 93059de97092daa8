// The charts, the strip below them and the cursor across all of them.

import {byId, element} from "../lib/dom.js";
import {shortened} from "../lib/format.js";
import {fraction, stepAt} from "../plots/axes.js";
import * as entropy from "../plots/entropy.js";
import * as previews from "../plots/previews.js";
import * as production from "../plots/production.js";
import * as profiles from "../plots/profiles.js";
import {drawChart, sizeOf} from "./chart.js";
import {readout, showReadout} from "./legend.js";
import {drawStrip} from "./pictures.js";

const PAGE_STEPS = 5;

/** Draw scenes; `onStep(step | null)` is told where the viewer points. */
export class Scope {
  constructor({onStep, onLeave}) {
    Object.assign(this, {onStep, onLeave, scene: null, step: null});
    this.stack = byId("stack");
    this.stack.addEventListener("pointermove", (event) => this.#point(event));
    this.stack.addEventListener("pointerdown", (event) => this.#point(event));
    this.stack.addEventListener("pointerleave", ({pointerType}) => pointerType === "mouse" && onLeave());
    this.stack.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Draw the two charts and the strip. */
  draw(scene, {sprites, followed}) {
    this.scene = scene;
    for (const [id, plot] of [["entropy", entropy], ["production", production]]) {
      drawChart(byId(id), plot, scene);
    }
    this.#drawStrip(scene, sprites, followed);
  }

  drawProfiles(scene, documents) {
    byId("profiles").closest("section").hidden = !documents?.length;
    if (!documents?.length) return;
    const {axis, unit, theme, ends, focus} = scene;
    const size = sizeOf(byId("profiles"));
    const shown = JSON.stringify([axis, unit, theme, ends, focus.key, size]);
    if (documents === this.profiles && shown === this.profilesShown) return; // they change once a run
    Object.assign(this, {profiles: documents, profilesShown: shown});
    const colorOf = (label) => scene.colors[scene.labels.indexOf(label)] ?? scene.figure.outside;
    drawChart(byId("profiles"), profiles, {...scene, profiles: documents, colorOf});
  }

  /** Move the cursor to a step, or take it away. */
  drawCursor(scene, step) {
    this.step = step;
    byId("cursor").hidden = step === null;
    const parts = step === null || !scene.focus ? null : readout(scene.focus, step, {...scene, per: per(scene)});
    showReadout(byId("readout"), parts, scene.focus, scene.parts === "yes");
    this.#describe(scene, step, parts);
    if (step === null) return;
    const {left, width} = this.#plot(scene);
    const x = left + fraction(scene.axis, scene.ends, scene.sigma[step], scene.time) * width;
    byId("cursor").style.top = `${byId("entropy").parentNode.offsetTop}px`; // below the read-out, however many lines it has
    byId("cursor").style.transform = `translateX(${x.toFixed(1)}px)`;
  }

  #describe(scene, step, parts) {
    this.stack.setAttribute("aria-valuemax", scene.sigma.length - 1);
    this.stack.setAttribute("aria-valuenow", step ?? 0);
    this.stack.setAttribute("aria-valuetext", parts ? `${parts.sigma}, ${parts.entropy}, ${parts.production}` : "none");
  }

  #drawStrip(scene, sprites, followed) {
    const {width} = this.#plot(scene);
    const canvas = byId("strip");
    const has = sprites.steps().length > 0;
    byId("strip-row").hidden = !has;
    byId("strip-empty").hidden = has || !scene.pictures;
    if (!has || width <= 0) return;
    Object.assign(canvas.style, {width: `${width}px`, height: `${previews.heightOf(followed.length)}px`});
    drawStrip(canvas, {...scene, sprites, followed}, width);
    this.#nameStrip(sprites, followed);
  }

  #nameStrip(sprites, followed) {
    const {samples} = sprites.header(sprites.steps()[0]);
    const rows = followed.map((index, row) => {
      const label = samples[index]?.label ?? "";
      const name = element("span", {title: label}, shortened(label));
      name.style.top = `${row * (previews.TILE + previews.RIBBON + previews.GAP) + 10}px`;
      return name;
    });
    byId("strip-names").replaceChildren(...rows);
  }

  #plot({figure}) {
    const {l, r} = figure.common.margin;
    return {left: l, width: this.stack.clientWidth - l - r};
  }

  #point({clientX}) {
    if (!this.scene) return;
    const {left, width} = this.#plot(this.scene);
    const wanted = (clientX - this.stack.getBoundingClientRect().left - left) / width;
    if (wanted < -0.05 || wanted > 1.05) return;
    const {axis, ends, sigma, time} = this.scene;
    this.onStep(stepAt(axis, ends, sigma, wanted, time));
  }

  #key(event) {
    const last = (this.scene?.sigma.length ?? 1) - 1;
    const from = this.step ?? 0;
    const moves = {
      ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1,
      PageUp: from + PAGE_STEPS, PageDown: from - PAGE_STEPS, Home: 0, End: last, Escape: null
    };
    if (!(event.key in moves) || event.target !== this.stack) return;
    event.preventDefault();
    const to = moves[event.key];
    this.step = to === null ? null : Math.min(last, Math.max(0, to)); // keys may come faster than frames
    this.onStep(this.step);
  }
}

const per = ({figure, axis}) => figure.axes[axis].per;
