// The list of changes that is typed for a sweep: JSON, one merge patch a run. Knows no DOM.

const WANTED = 'a JSON list with one change a run, like [{"seed": 1}, {"seed": 2}]';

/** What is wrong with the list, in the form of the server's own refusals. */
export class VaryError extends Error {
  constructor(field, reason) {
    super(reason);
    this.errors = [{field, reason}];
  }
}

/** Return the patches that text holds; throw a VaryError that names what is off. */
export function readVary(text) {
  if (!text.trim()) throw new VaryError("vary", `must be ${WANTED}, got nothing`);
  const vary = parsed(text);
  if (!Array.isArray(vary) || vary.length === 0) throw new VaryError("vary", `must be ${WANTED}, got ${shortened(vary)}`);
  vary.forEach((patch, i) => {
    const isObject = typeof patch === "object" && patch !== null && !Array.isArray(patch);
    if (!isObject) throw new VaryError(`vary.${i}`, `must be an object of settings, got ${shortened(patch)}`);
  });
  return vary;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new VaryError("vary", `is not JSON: ${error.message}`);
  }
}

function shortened(value) {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
