// Wiring: what is chosen, what is known, and who draws it.

import * as api from "./api.js";
import {byId, setText} from "./dom.js";
import {createDrawLoop} from "./draw_loop.js";
import {emptyView, isFinal} from "./events/fold.js";
import {Form} from "./form/form.js";
import {Checks} from "./panels/checks.js";
import {wireCite} from "./panels/cite.js";
import {showConnection} from "./panels/connection.js";
import {Head} from "./panels/head.js";
import {Legend, titlesOf} from "./panels/legend.js";
import {RunList} from "./panels/runs.js";
import {firstFollowed, Samples} from "./panels/samples.js";
import {Scope} from "./panels/scope.js";
import {Sprites} from "./events/sprites.js";
import {colour} from "./plots/figure.js";
import {createPoll} from "./poll.js";
import {cursorStep, hiddenAtFirst, sceneOf} from "./scene.js";
import {Session} from "./session.js";
import {bindAddress, createStore, parseHash} from "./state.js";

const CHARTS_PER_SECOND = 15;
const CURSOR_PER_SECOND = 60;
const POLL_MS = 1500;
const WORKERS_POLL_MS = 4000;
/** With more classes than this, pictures come without their posterior. */
const MOST_BELIEFS = 64;
const TOO_MANY = `The belief in each class is shown for up to ${MOST_BELIEFS} classes.`;
const FRESH = {step: null, hidden: new Set(), focus: null, followed: null};

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const figure = await api.figure();
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
const head = new Head({
  onCancel: () => act(() => api.cancelRun(session.id)),
  onExtend: extend,
  onRefine: refine,
  onCopy: copySettings
});
const runList = new RunList(byId("runs"), {
  onCancel: ({id}) => act(() => api.cancelRun(id)),
  onDelete: ({id}) => act(() => remove(id))
});
const form = new Form(byId("form"), {
  plan: api.plan,
  run: start,
  onPlan: (planned) => { known.planned = planned; drawSoon(); },
  colour: (index) => colour(figure, index)
});

function present() {
  if (session?.view) return {run: session.run, view: session.view, sprites: session.sprites};
  if (store.get().runId || !known.planned) return null;
  return {run: known.planned, view: emptyView(known.planned), sprites: noSprites};
}

function scene({run, view}) {
  return sceneOf({figure, run, view, state: store.get(), theme: dark.matches ? "dark" : "light"});
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
  const shown = present();
  document.body.classList.toggle("no-scene", !shown);
  if (!shown) return;
  const drawn = scene(shown);
  legend.show(drawn.all);
  if (session?.view) head.show(session.run, session.view, store.get());
  checks.show(shown.view.checks, titlesOf(drawn.all));
  scope.draw(drawn, {sprites: shown.sprites, followed: followed()});
  scope.drawProfiles(drawn, session?.profiles[drawn.focus?.key]);
  drawCursor();
}

function drawCursor() {
  const shown = present();
  if (!shown) return;
  const drawn = scene(shown);
  const step = session?.view ? cursorStep({...store.get(), still: still.matches}, shown.view, drawn) : null;
  scope.drawCursor(drawn, step);
  samples.show({...drawn, sprites: shown.sprites, step, followed: followed()});
}

function showMode() {
  const {runId} = store.get();
  document.body.classList.toggle("has-run", runId !== null);
  byId("run-actions").hidden = !session?.view;
  setText(byId("no-samples"), sampleHint());
  for (const input of byId("tools").querySelectorAll("input")) {
    input.checked = store.get()[input.name] === (input.type === "checkbox" ? "yes" : input.value);
  }
  if (runId === null) showInvitation();
}

function showInvitation() {
  setText(byId("run-name"), "When is the decision made?");
  setText(byId("run-about"), "Press Run. The curves appear as the model denoises, and refine while you watch.");
  setText(byId("run-state"), "");
  setText(byId("run-progress"), "");
  byId("progress-bar").style.width = "0";
}

function sampleHint() {
  if (!session?.view) return "The pictures of the first samples appear here.";
  if (session.sprites.steps().length) return session.view.labels.length > MOST_BELIEFS ? TOO_MANY : "";
  if (session.run.spec.previews?.samples === 0) return "This run was asked for no pictures.";
  return isFinal(session.view.state) ? "There are no pictures of this run." : "Waiting for the first pictures.";
}

function watch(runId) {
  session?.close();
  session = null;
  connection.stream = null;
  store.set(FRESH);
  showError(null);
  checks.show([], {});
  if (runId === null) return form.edited();
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
  store.set({runId: id});
  pollRuns();
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
  if (store.get().runId === id) store.set({runId: null});
}

function extend(trajectories) {
  return act(async () => store.set({runId: (await api.extendRun(session.id, trajectories)).id}));
}

function refine() {
  return act(async () => store.set({runId: (await api.refineRun(session.id)).id}));
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
  if (state.runId !== before.runId) watch(state.runId);
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
watch(store.get().runId);
pollRuns();
pollWorkers();
