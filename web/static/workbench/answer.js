// What an endpoint answered, read from the bytes it sent. (YASR's own parser is not used: it replaces {{…}} in literals.)

import { _ } from "./words.js";

const NUMERIC = /#(integer|decimal|double|float|(non|un)\w*|(positive|negative)Integer|long|int|short|byte)$/;
const YEAR = /#(gYear|gYearMonth|date|dateTime)$/;

export class Answer {
  /** @param response what YASQE hands over: a response with its content, or the error it made of one */
  static of(response, milliseconds, asked) {
    const answer = new Answer();
    answer.asked = asked; // {query, graphs}: what the downloads repeat
    answer.milliseconds = milliseconds;
    if (response instanceof Error) return answer.#failed(response);
    answer.text = response.content;
    answer.mediaType = (response.headers.get("content-type") ?? "").split(";")[0].trim();
    return answer.#read();
  }

  #failed(error) {
    this.kind = "problem";
    this.text = error.message;
    if (error.name === "AbortError") return Object.assign(this, { problem: { detail: _("Stopped.") } });
    try {
      const problem = JSON.parse(error.message);
      this.problem = typeof problem?.detail === "string" ? problem : { detail: error.message };
    } catch {
      this.problem = {
        detail: error instanceof TypeError ? _("The endpoint could not be reached.") : error.message || _("The endpoint gave no reason."),
      };
    }
    return this;
  }

  #read() {
    if (this.mediaType !== "application/sparql-results+json") return Object.assign(this, { kind: "graph" });
    const body = JSON.parse(this.text);
    if (typeof body.boolean === "boolean") return Object.assign(this, { kind: "yes", yes: body.boolean });
    const columns = body.head.vars;
    const rows = body.results.bindings.map((binding) => columns.map((name) => (Object.hasOwn(binding, name) ? binding[name] : null)));
    return Object.assign(this, { kind: "rows", columns, rows });
  }

  /** Whether every value of a column is a number, and there is one. */
  numeric(column) {
    return this.#all(column, (term) => isNumber(term));
  }

  /** Whether every value of a column is a point in time or a number: what a line may run along. */
  ordered(column) {
    return this.#all(column, (term) => isNumber(term) || (term.type === "literal" && YEAR.test(term.datatype ?? "")));
  }

  #all(column, test) {
    const values = this.rows.map((row) => row[column]).filter((term) => term !== null);
    return values.length > 0 && values.every(test);
  }
}

export function isNumber(term) {
  return term?.type === "literal" && NUMERIC.test(term.datatype ?? "") && Number.isFinite(Number(term.value));
}
