// How to cite: the two papers the measurement comes from, and this tool.

import {byId, element} from "../lib/dom.js";

const ENTRIES = [
  {
    title: "The method",
    bibtex: `@inproceedings{handke2026entropic,
  title     = {The Entropic Signature of Class Speciation in Diffusion Models},
  author    = {Handke, Florian and Stan{\\v{c}}evi{\\'c}, Dejan and Koulischer, Felix
               and Demeester, Thomas and Ambrogioni, Luca},
  booktitle = {International Conference on Machine Learning},
  year      = {2026},
  note      = {arXiv:2602.09651}
}`
  },
  {
    title: "Its predecessor: entropy production, and how classes differ",
    bibtex: `@article{handke2025measuring,
  title   = {Measuring Semantic Information Production in Generative Diffusion
             Models},
  author  = {Handke, Florian and Koulischer, F{\\'e}lix and Raya, Gabriel
             and Ambrogioni, Luca},
  journal = {arXiv preprint arXiv:2506.10433},
  year    = {2025}
}`
  },
  {
    title: "This tool",
    bibtex: `@software{entroscope,
  title   = {Entroscope: see when a diffusion model makes up its mind},
  author  = {{The Entroscope maintainers}},
  version = {0.3.0},
  year    = {2026},
  license = {MIT}
}`
  }
];

/** Wire the dialog and the button that opens it. */
export function wireCite(clipboard = navigator.clipboard) {
  const dialog = byId("cite");
  byId("cite-entries").replaceChildren(...ENTRIES.map((entry) => shown(entry, clipboard)));
  byId("cite-open").onclick = () => dialog.showModal();
  dialog.onclick = ({target}) => target === dialog && dialog.close();
}

function shown({title, bibtex}, clipboard) {
  const copy = element("button", {type: "button", className: "quiet"}, "Copy");
  copy.onclick = async () => {
    await clipboard.writeText(bibtex);
    copy.textContent = "Copied";
  };
  copy.hidden = !clipboard; // browsers keep it from pages without https
  return element(
    "section",
    {},
    element("header", {}, element("h3", {}, title), copy),
    element("pre", {tabIndex: 0}, bibtex)
  );
}
