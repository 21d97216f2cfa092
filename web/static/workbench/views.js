// The views of an answer, as YASR plugins. They replace YASR's own, whose table writes names of variables as HTML (Yasgui#221).

import { drawChart, plottable } from "./chart.js";
import { el, number } from "./dom.js";
import { drawTable } from "./table.js";
import { _ } from "./words.js";

const SHOWN = 200_000; // characters of a raw answer that are put into the page

/** A YASR plugin class. `fits(answer)` says what it can show, `draw(answer, terms)` makes the elements. */
function view({ label, priority, fits, draw, hidden = false }) {
  return class {
    hideFromSelection = hidden;
    label = label;
    priority = priority;

    constructor(yasr) {
      this.yasr = yasr;
    }

    canHandleResults() {
      return Boolean(this.yasr.answer && fits(this.yasr.answer));
    }

    draw() {
      this.yasr.resultsEl.replaceChildren(...[draw(this.yasr.answer, this.yasr.terms)].flat());
    }

    getIcon() {
      return null;
    }
  };
}

export const VIEWS = {
  table: view({ label: _("Table"), priority: 10, fits: (answer) => answer.kind === "rows", draw: drawTable }),
  chart: view({ label: _("Chart"), priority: 5, fits: plottable, draw: drawChart }),
  yes: view({ label: _("Answer"), priority: 11, fits: (answer) => answer.kind === "yes", draw: drawYes, hidden: true }),
  raw: view({ label: _("Raw"), priority: 1, fits: (answer) => answer.kind !== "problem", draw: drawRaw }),
  problem: view({ label: _("Problem"), priority: 20, fits: (answer) => answer.kind === "problem", draw: drawProblem, hidden: true }),
};

function drawYes(answer) {
  return el("p", { class: "verdict" }, answer.yes ? _("Yes") : _("No"));
}

function drawRaw(answer) {
  const shown = el("pre", { tabindex: "0", role: "region", "aria-label": _("The answer as it was sent") }, el("code", {}, answer.text.slice(0, SHOWN)));
  if (answer.text.length <= SHOWN) return shown;
  return [shown, el("p", { class: "note" }, _("The first %(n)s of %(all)s characters. The downloads hold all.", { n: number.format(SHOWN), all: number.format(answer.text.length) }))];
}

function drawProblem({ problem }) {
  const parts = [el("p", {}, el("b", {}, String(problem.detail)))];
  if (typeof problem.hint === "string") parts.push(el("p", {}, problem.hint));
  if (typeof problem.source === "string" && Number.isInteger(problem.column)) {
    const start = Math.max(0, problem.column - 61);
    const caret = `${" ".repeat(problem.column - 1 - start)}^`;
    parts.push(el("pre", { tabindex: "0" }, el("code", {}, `${problem.source.slice(start, start + 120)}\n${caret}`)));
  }
  return el("div", { class: "problem", role: "alert" }, ...parts);
}
