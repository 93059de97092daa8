// Where the handbook explains a quantity, a study or a setting: the only addresses of its paragraphs in the page. Pure.

const PAGES = {
  "/guide/measured": [
    "entropy", "production", "cross-entropy", "profiles", "window", "combined", "error-of-the-steps", "checks",
    "complement", "pruning", "exact", "calibration"
  ],
  "/guide/control": ["guidance", "suggested-interval", "commitment", "branching", "switch"]
};

/** The handbook's first page. */
export const HANDBOOK = "/guide";

/** The address of every subject that the page has a help mark for. */
export const SUBJECTS = Object.fromEntries(
  Object.entries(PAGES).flatMap(([page, anchors]) => anchors.map((anchor) => [anchor, `${page}#${anchor}`]))
);

/** Return where a setting is explained, by its path in the spec: "schedule.steps". */
export const settingGuide = (path) => `/guide/first-run#settings-${path.replaceAll(".", "-")}`;
