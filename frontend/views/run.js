// The view of one run, followed while it goes; without one, of the run that the form plans.

import * as api from "../api.js";
import {emptyView} from "../events/fold.js";
import {Sprites} from "../events/sprites.js";
import {byId, setText} from "../lib/dom.js";
import {Calibration} from "../panels/calibration.js";
import {ComplementPrior} from "../panels/complement_prior.js";
import {Head} from "../panels/head.js";
import {sampleHint, showInvitation} from "../panels/invitation.js";
import {titlesOf} from "../panels/legend.js";
import {showMoreSteps} from "../panels/more_steps.js";
import {showPruning} from "../panels/pruning.js";
import {firstFollowed, Samples} from "../panels/samples.js";
import {Studies} from "../panels/studies.js";
import {decision} from "../protocol/decision.js";
import {isFinal} from "../protocol/states.js";
import {chartKey} from "../scenes/chart_key.js";
import {moreStepsReason, withTwiceTheSteps} from "../scenes/more_steps.js";
import {maximumAt} from "../protocol/schema.js";
import {cursorStep, sceneOf} from "../scenes/run.js";
import {ModelPaths} from "../sessions/model_paths.js";
import {RunSession} from "../sessions/run.js";

const MOST_FOLLOWED = 2;

/** The view that is there where no other is. */
export class RunView {
  constructor(page, charts) {
    Object.assign(this, {page, charts, session: null, speciates: false});
    this.noSprites = new Sprites();
    this.modelPaths = new ModelPaths(page.drawSoon);
    this.calibration = new Calibration();
    byId("more-steps-run").onclick = () => page.act(() => this.#runTwice());
    this.head = new Head(this.#actions());
    this.studies = new Studies(byId("studies"), {onGuide: (spec) => page.act(() => page.start(spec))});
    this.complementPrior = new ComplementPrior(byId("complement-prior"), (prior) => page.act(() => this.session.choosePrior(prior)));
    this.samples = new Samples(
      {grid: byId("samples"), caption: byId("samples-caption"), key: byId("key")},
      {onFollow: (index) => this.#follow(index)}
    );
  }

  shows() {
    return true;
  }

  get kind() {
    if (this.page.state.runId === null) return "first";
    return this.page.state.view === "studies" && this.isLoaded ? "studies" : "run";
  }

  get title() {
    return this.isLoaded ? `${this.session.run.title}, ${decision(this.session.run)}` : "";
  }

  get isLoaded() {
    return Boolean(this.session?.view);
  }

  get hasScene() {
    return this.#shown() !== null;
  }

  enter({runId}) {
    if (runId === null) return this.page.form.edited();
    this.session = new RunSession(runId, {
      onChange: this.page.drawSoon,
      onPicture: () => { this.page.drawCursorSoon(); this.page.drawSoon(); },
      onStatus: (status, waitMs) => this.page.streaming(status, waitMs),
      onError: (error, again) => this.page.failed("run", error, again)
    });
    this.session.open();
  }

  leave() {
    this.session?.close();
    this.session = null;
    this.charts.clear();
  }

  refresh() {
    this.session?.refresh();
  }

  /** Update the addresses of downloads at once: a click may come before the next drawing. */
  changed(state) {
    if (this.session?.run) this.head.link(this.session.run, state);
  }

  /** While a run goes, the cursor follows its newest point again. */
  pointerLeft() {
    if (this.isLoaded && !isFinal(this.session.view.state)) this.page.set({step: null});
  }

  draw() {
    setText(byId("no-samples"), sampleHint(this.session));
    if (this.kind === "first") showInvitation();
    const shown = this.#shown();
    if (!shown) return;
    const scene = this.#scene(shown);
    this.charts.legend.show(scene.all);
    if (this.isLoaded) this.head.show(this.session.run, this.session.view, this.page.state);
    this.complementPrior.show(shown.run, shown.view);
    this.charts.checks.show(shown.view.checks, titlesOf(scene.all));
    showPruning(scene);
    this.charts.key.show(chartKey(scene), scene.focus?.color);
    this.#showMoreSteps(scene, shown.view);
    if (this.kind === "studies") this.#drawStudies(scene);
    else this.charts.scope.draw(scene, {sprites: shown.sprites, followed: this.#followed()});
    this.charts.scope.drawProfiles(scene, this.session?.profilesOf(scene.focus?.key));
    this.drawCursor();
  }

  drawCursor() {
    const shown = this.#shown();
    if (!shown) return;
    const scene = this.#scene(shown);
    const wanted = {step: this.page.state.step, still: this.page.still.matches};
    const step = this.isLoaded ? cursorStep(wanted, shown.view, scene) : null;
    this.charts.scope.drawCursor(scene, step);
    this.calibration.show(scene, step);
    const commitments = this.session?.studies?.commitment?.trajectories;
    this.samples.show({...scene, sprites: shown.sprites, step, followed: this.#followed(), commitments});
  }

  /** What is drawn: the run, or what the form plans; null while neither is known. */
  #shown() {
    const {session, page} = this;
    if (this.isLoaded) return {run: session.run, view: session.shown, sprites: session.sprites};
    if (page.state.runId || !page.planned) return null;
    return {run: page.planned, view: emptyView(page.planned), sprites: this.noSprites};
  }

  #scene({run, view}) {
    const {figure, theme, state, feed} = this.page;
    return {...sceneOf({figure, run, view, state, theme}), modelPaths: this.modelPaths.beside(this.session?.run, feed.runs)};
  }

  #drawStudies(scene) {
    const {spec, model: name} = this.session.run;
    const model = this.page.feed.models.find((offered) => offered.name === name);
    this.studies.show(scene, {studies: this.session.studies, spec, guidable: Boolean(model?.unconditional)});
  }

  #showMoreSteps(scene, {state, checks}) {
    const reason = this.isLoaded && state === "done" ? moreStepsReason(scene, checks) : "";
    showMoreSteps(reason, this.#twice?.steps ?? null);
  }

  /** The request for twice the steps of the run that is shown, or null. */
  get #twice() {
    const most = maximumAt(this.page.schema, "schedule.steps");
    return this.isLoaded ? withTwiceTheSteps(this.session.run, most) : null;
  }

  async #runTwice() {
    const {spec, steps} = this.#twice;
    return this.page.go((await (spec ? api.createRun(spec) : api.refineRun(this.session.id, {steps}))).id);
  }

  #followed() {
    const sprites = this.session?.sprites ?? this.noSprites;
    const [first] = sprites.steps();
    return this.page.state.followed ?? (first === undefined ? [] : firstFollowed(sprites.header(first).samples));
  }

  #follow(index) {
    const others = this.#followed().filter((other) => other !== index);
    this.page.set({followed: [index, ...others].slice(0, MOST_FOLLOWED)});
  }

  #actions() {
    const {page} = this;
    const goTo = (request) => page.act(async () => page.go((await request()).id));
    return {
      links: api,
      onCompare: () => page.act(async () => page.go(this.session.id, (await api.createTwin(this.session.run)).id)),
      onCancel: () => page.act(() => api.cancelRun(this.session.id)),
      onExtend: (trajectories) => goTo(() => api.extendRun(this.session.id, trajectories)),
      onRefine: () => goTo(() => api.refineRun(this.session.id)),
      onCopy: () => {
        page.form.fill(this.session.run.spec);
        this.head.copied();
        byId("trajectories").focus();
        byId("trajectories").scrollIntoView({block: "center"});
      }
    };
  }
}
