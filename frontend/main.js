// Wiring: what is chosen, what is known, and who draws it.

import * as api from "./api.js";
import {byId, setText} from "./lib/dom.js";
import {createDrawLoop} from "./lib/draw_loop.js";
import {emptyView} from "./events/fold.js";
import {isFinal} from "./protocol/states.js";
import {Form} from "./form/form.js";
import {Calibration} from "./panels/calibration.js";
import {Checks} from "./panels/checks.js";
import {Comparison} from "./panels/comparison.js";
import {wireCite} from "./panels/cite.js";
import {showConnection} from "./panels/connection.js";
import {Head} from "./panels/head.js";
import {Legend, titlesOf} from "./panels/legend.js";
import {sampleHint, showInvitation} from "./panels/invitation.js";
import {PairPrior} from "./panels/pair_prior.js";
import {RunList} from "./panels/runs.js";
import {firstFollowed, Samples} from "./panels/samples.js";
import {Scope} from "./panels/scope.js";
import {OwnRun} from "./sessions/model_paths.js";
import {Studies} from "./panels/studies.js";
import {Sprites} from "./events/sprites.js";
import {colour} from "./plots/figure.js";
import {createPoll} from "./lib/poll.js";
import {wireReady} from "./sessions/ready.js";
import {cursorStep, hiddenAtFirst, sceneOf} from "./scenes/run.js";
import {Session} from "./sessions/run.js";
import {bindAddress, createStore, parseHash, shownAxis} from "./protocol/address.js";
import {Bench} from "./sessions/bench.js";

const CHARTS_PER_SECOND = 15;
const CURSOR_PER_SECOND = 60;
const POLL_MS = 1500;
const WORKERS_POLL_MS = 4000;
const FRESH = {step: null, hidden: new Set(), focus: null, followed: null};

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const [figure, schema] = await Promise.all([api.figure(), api.specSchema()]);
const store = createStore({...parseHash(location.hash), ...FRESH});
const known = {models: [], runs: [], workers: null, planned: null};
const connection = {reachable: true, trouble: null, stream: null, waitMs: 0};
const noSprites = new Sprites();
let session = null;

const pollRuns = createPoll(async () => ({runs: await api.runs()}), take, POLL_MS);
const pollWorkers = createPoll(askWorkers, take, WORKERS_POLL_MS);
const drawSoon = createDrawLoop(drawAll, CHARTS_PER_SECOND);
const drawCursorSoon = createDrawLoop(drawCursor, CURSOR_PER_SECOND);

const scope = new Scope({
  onStep: (step) => store.set({step}),
  onLeave: () => session?.view && !isFinal(session.view.state) && store.set({step: null})
});
const legend = new Legend(byId("curves"), {onToggle: toggleCurve, onFocus: (focus) => store.set({focus})});
const samples = new Samples(
  {grid: byId("samples"), caption: byId("samples-caption"), key: byId("key")},
  {onFollow: (index) => store.set({followed: [index, ...followed().filter((own) => own !== index)].slice(0, 2)})}
);
const checks = new Checks(byId("checks"));
const calibration = new Calibration();
const ownRun = new OwnRun(drawSoon);
const comparison = new Comparison(byId("comparison"), {ask: api, onChange: () => drawSoon(), onError: failedToOpen});
const studies = new Studies(byId("studies"), {onGuide: (spec) => act(() => start(spec))});
const onCancel = () => act(() => api.cancelRun(session.id));
const head = new Head({onCompare: compare, onCancel, onExtend: extend, onRefine: refine, onCopy: copySettings});
const pairPrior = new PairPrior(byId("pair-prior"), (prior) => act(() => session.choosePrior(prior)));
const runList = new RunList(byId("runs"), {
  onCancel: ({id}) => act(() => api.cancelRun(id)),
  onDelete: ({id}) => act(() => remove(id))
});
const form = new Form(byId("form"), {
  schema,
  plan: api.plan,
  run: start,
  onPlan: (planned) => { known.planned = planned; bench.presets.formChanged(); drawSoon(); },
  colour: (index) => colour(figure, index)
});
const bench = new Bench({
  store, figure, form, scope, legend, checks,
  theme,
  onChange: () => drawSoon(),
  onStatus: showStream,
  onError: showError,
  onOpen: () => showError(null)
});

function present() {
  if (session?.view) return {run: session.run, view: session.shown, sprites: session.sprites};
  if (store.get().runId || !known.planned) return null;
  return {run: known.planned, view: emptyView(known.planned), sprites: noSprites};
}

function scene({run, view}) {
  const drawn = sceneOf({figure, run, view, state: store.get(), theme: theme()});
  return {...drawn, own: ownRun.beside(session?.run, known.runs)};
}

function theme() {
  return dark.matches ? "dark" : "light";
}

function followed() {
  const {sprites} = session ?? {sprites: noSprites};
  const [first] = sprites.steps();
  return store.get().followed ?? (first === undefined ? [] : firstFollowed(sprites.header(first).samples));
}

function drawAll() {
  showMode();
  runList.show(known.runs, store.get());
  byId("no-runs").hidden = known.runs.length > 0;
  if (bench.draw()) return;
  if (store.get().baseId) return comparison.draw({figure, theme: theme(), state: store.get()});
  const shown = present();
  document.body.classList.toggle("no-scene", !shown);
  if (!shown) return;
  const drawn = scene(shown);
  legend.show(drawn.all);
  if (session?.view) head.show(session.run, session.view, store.get());
  pairPrior.show(shown.run, shown.view);
  checks.show(shown.view.checks, titlesOf(drawn.all));
  if (showsStudies()) showStudies(drawn);
  else scope.draw(drawn, {sprites: shown.sprites, followed: followed()});
  scope.drawProfiles(drawn, session?.profilesOf(drawn.focus?.key));
  drawCursor();
}

function drawCursor() {
  if (bench.drawCursor()) return;
  const shown = present();
  if (!shown || store.get().baseId) return;
  const drawn = scene(shown);
  const step = session?.view ? cursorStep({...store.get(), still: still.matches}, shown.view, drawn) : null;
  scope.drawCursor(drawn, step);
  calibration.show(drawn, step);
  const commitments = session?.studies?.commitment?.trajectories;
  samples.show({...drawn, sprites: shown.sprites, step, followed: followed(), commitments});
}

function showStudies(drawn) {
  const model = known.models.find(({name}) => name === session.run.model);
  const {spec} = session.run;
  studies.show(drawn, {studies: session.studies, spec, guidable: Boolean(model?.unconditional)});
}

function showsStudies() {
  return store.get().view === "studies" && store.get().baseId === null && Boolean(session?.view);
}

function showMode() {
  const {runId, baseId, sweepId} = store.get();
  const chosen = {...store.get(), axis: shownAxis(store.get(), bench.speciates)};
  document.body.classList.toggle("shows-studies", showsStudies());
  byId("views").hidden = !session?.view;
  document.body.classList.toggle("has-run", runId !== null || sweepId !== null);
  document.body.classList.toggle("comparing", baseId !== null);
  if (baseId !== null) document.body.classList.remove("no-scene");
  byId("comparison").hidden = baseId === null;
  byId("run-actions").hidden = !session?.view;
  setText(byId("no-samples"), sampleHint(session));
  for (const input of byId("tools").querySelectorAll("input")) {
    input.checked = chosen[input.name] === (input.type === "checkbox" ? "yes" : input.value);
  }
  if (runId === null && sweepId === null) showInvitation();
}

function watch({runId, baseId}) {
  session?.close();
  comparison.close();
  session = null;
  connection.stream = null;
  store.set(FRESH);
  showError(null);
  checks.show([], {});
  if (runId === null) return form.edited();
  if (baseId !== null) return comparison.open(runId, baseId);
  session = new Session(runId, {
    onOpen: ({curves}) => store.set({hidden: hiddenAtFirst(curves)}),
    onChange: () => drawSoon(),
    onPicture: () => { drawCursorSoon(); drawSoon(); },
    onStatus: showStream,
    onError: failedToOpen
  });
  session.open();
}

function showStream(stream, waitMs) {
  Object.assign(connection, {stream, waitMs});
  if (stream === "unknown") showError(new Error("This run has been deleted."));
  showLink();
}

function failedToOpen(error, again) {
  if (api.isPassing(error)) return void setTimeout(again, POLL_MS);
  for (const id of ["run-state", "run-progress"]) setText(byId(id), "");
  setText(byId("run-name"), error.status === 404 ? "No such run" : "The run cannot be shown");
  setText(byId("run-about"), "It may have been deleted. The runs there are stand in the list.");
  showError(error);
}

async function start(spec) {
  const {id} = await api.createRun(spec);
  go(id);
  pollRuns();
}

const go = (runId, baseId = null) => store.set({runId, baseId});

function compare() {
  return act(async () => go(session.id, (await api.createTwin(session.run)).id));
}

async function act(request) {
  try {
    await request();
    showError(null);
  } catch (error) {
    showError(error);
  }
  pollRuns();
  session?.refresh();
}

async function remove(id) {
  await api.deleteRun(id);
  if (store.get().runId === id) go(null);
}

function extend(trajectories) {
  return act(async () => go((await api.extendRun(session.id, trajectories)).id));
}

function refine() {
  return act(async () => go((await api.refineRun(session.id)).id));
}

function copySettings() {
  form.fill(session.run.spec);
  byId("trajectories").focus();
}

function toggleCurve(key) {
  const hidden = new Set(store.get().hidden);
  if (!hidden.delete(key)) hidden.add(key);
  store.set({hidden});
}

function showError(error) {
  const details = error?.errors?.map(({reason}) => reason).filter(Boolean) ?? [];
  setText(byId("run-error"), error ? [error.message, ...details].join(" ") : "");
  byId("run-error").hidden = !error;
}

const showLink = () => showConnection(connection, known.workers);

async function askWorkers() {
  const [models, workers] = await Promise.all([api.models(), api.workers()]);
  return {models, workers};
}

function take({error, ...answer}) {
  connection.reachable = !(error instanceof api.Unreachable);
  connection.trouble = error instanceof api.Problem ? error.message : null;
  if (answer.models) offer(answer.models);
  if (!error) Object.assign(known, answer);
  showLink();
  drawSoon();
}

function offer(models) {
  if (JSON.stringify(models) !== JSON.stringify(known.models)) form.offer(models);
}

store.subscribe((state, before) => {
  if (["runId", "baseId", "sweepId"].some((name) => state[name] !== before[name])) watch(state);
  bench.follow(state, before);
  if (session?.run) head.link(session.run, state);
  const onlyStep = Object.keys(state).every((name) => name === "step" || state[name] === before[name]);
  if (onlyStep) drawCursorSoon();
  else drawSoon();
});
bindAddress(store, window);
byId("tools").addEventListener("change", ({target}) =>
  store.set({[target.name]: target.type === "checkbox" ? (target.checked ? "yes" : "no") : target.value})
);
dark.addEventListener("change", drawSoon);
new ResizeObserver(drawSoon).observe(byId("stack"));
wireCite();
wireReady({store, form, bench});
watch(store.get());
bench.follow(store.get());
pollRuns();
pollWorkers();
