// An answer as a table: sortable, filterable, a page of rows at a time.

import { isNumber } from "./answer.js";
import { el, number } from "./dom.js";
import { _ } from "./words.js";

const PAGE = 250; // rows added at a time: a browser stays quick, and nobody reads more at once

export function drawTable(answer, terms) {
  if (!answer.rows.length) return el("p", { class: "empty" }, _("No rows: nothing in this release answers that."));
  return new Table(answer, terms).element;
}

class Table {
  constructor(answer, terms) {
    this.answer = answer;
    this.terms = terms;
    this.numeric = answer.columns.map((_, column) => answer.numeric(column));
    this.rows = answer.rows;
    this.sorted = { column: null, up: true };
    this.body = el("tbody");
    this.heads = answer.columns.map((name, column) => this.#head(name, column));
    this.more = el("button", { type: "button", class: "wb-quiet", onclick: () => this.#add() });
    this.filter = el("input", { type: "search", placeholder: _("Filter rows"), "aria-label": _("Filter rows"), oninput: () => this.#refresh() });
    this.count = el("span", { class: "wb-note", role: "status" });
    const caption = el("caption", { class: "hidden" }, _("Answer"));
    const table = el("table", {}, caption, el("thead", {}, el("tr", {}, ...this.heads)), this.body);
    this.element = [
      el("div", { class: "wb-tools" }, this.filter, this.count),
      el("div", { class: "scroll", role: "region", "aria-label": _("Answer"), tabindex: "0" }, table),
      this.more,
    ];
    this.#refresh();
  }

  #head(name, column) {
    const sort = el("button", { type: "button", title: _("Sort by %(name)s", { name }), onclick: () => this.#sort(column) }, name);
    return el("th", { scope: "col", class: this.numeric[column] && "number", "aria-sort": "none" }, sort);
  }

  #sort(column) {
    this.sorted = { column, up: this.sorted.column === column ? !this.sorted.up : true };
    this.heads.forEach((head, i) => head.setAttribute("aria-sort", i !== column ? "none" : this.sorted.up ? "ascending" : "descending"));
    this.#refresh();
  }

  #refresh() {
    const words = this.filter.value.trim().toLowerCase();
    const text = (row) => row.map((term) => this.terms.text(term)).join("\n").toLowerCase();
    this.rows = words ? this.answer.rows.filter((row) => text(row).includes(words)) : [...this.answer.rows];
    const { column, up } = this.sorted;
    if (column !== null) this.rows.sort((a, b) => (up ? 1 : -1) * compare(a[column], b[column], this.terms));
    this.count.textContent = words ? _("%(n)s of %(all)s", { n: number.format(this.rows.length), all: number.format(this.answer.rows.length) }) : "";
    this.body.replaceChildren();
    this.#add();
  }

  #add() {
    const shown = this.body.rows.length;
    this.body.append(...this.rows.slice(shown, shown + PAGE).map((row) => this.#row(row)));
    const rest = this.rows.length - this.body.rows.length;
    this.more.hidden = rest <= 0;
    this.more.textContent = _("Show %(n)s more of %(rest)s", { n: number.format(Math.min(rest, PAGE)), rest: number.format(rest) });
  }

  #row(row) {
    return el("tr", {}, row.map((term, column) => el("td", { class: this.numeric[column] && "number" }, [this.terms.draw(term)].flat())));
  }
}

const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });

/** Unbound first, numbers by value, all else as people sort text. */
function compare(a, b, terms) {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  if (isNumber(a) && isNumber(b)) return Number(a.value) - Number(b.value);
  return collator.compare(terms.text(a), terms.text(b));
}
