// The states of a run, and which of them are the last. Pure.

export const FINAL = ["done", "failed", "cancelled"];

export const isFinal = (state) => FINAL.includes(state);
