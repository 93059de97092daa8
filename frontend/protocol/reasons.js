// What the server finds wrong with a spec, in the words of the form. Pure.

/** What validators say, and what it means beside a field. */
const SAID = [
  [/^Input should be a valid (integer|number).*$/, (_, kind) => `must be ${kind === "integer" ? "an integer" : "a number"}`],
  [/^List should have at least (\d+) items? after validation, not (\d+)$/, (_, least, n) => `needs at least ${least}, has ${n}`],
  [/^(?:String|Value) should have at least 1 (?:character|item).*$/, () => "must not be empty"],
  [/^Input should be (greater|less) than or equal to (\S+?)(, got.*)?$/, (_, side, end, got = "") => `must be at ${side === "greater" ? "least" : "most"} ${end}${got}`],
  [/^Input should be (.*)$/, (_, rest) => `must be ${rest}`],
  [/^Field required.*$/, () => "is required"]
];

/** Return a reason in plain words; one that is not known stays as it is. */
export function plainReason(reason) {
  const [pattern, words] = SAID.find(([known]) => known.test(reason)) ?? [];
  return pattern ? reason.replace(pattern, words) : reason;
}

/** Return the reason for an error in a field; a list of labels that is empty is a group that has none yet. */
export const groupReason = (field, reason) =>
  /(^|\.)labels$/.test(field) && /at least 1 item/.test(reason) ? "each group needs a label" : reason;
