// An answer as a bar or line chart in SVG, with the same figures in the table beside it.

import { el, number, svg } from "./dom.js";
import { _ } from "./words.js";

const MOST = 60; // bars that can still be told apart
const BAR = 26;
const WIDTH = 860;
const LINE_HEIGHT = 340;

/** Whether there is something to draw: rows with a column of numbers. */
export function plottable(answer) {
  return answer.kind === "rows" && answer.columns.some((_, column) => answer.numeric(column));
}

export function drawChart(answer, terms) {
  const columns = answer.columns.map((name, index) => ({ name, index }));
  const numbers = columns.filter(({ index }) => answer.numeric(index));
  // What the bars are called: the last column of words, so that `?country ?countryName ?practices` gives names and not IRIs.
  const words = columns.filter(({ index }) => !answer.numeric(index));
  const named = words.filter(({ index }) => answer.rows.some((row) => row[index]?.type === "literal")).at(-1) ?? words.at(-1) ?? columns[0];
  const value = numbers.filter(({ index }) => index !== named.index).at(-1) ?? numbers[0];
  const picture = el("div", { class: "wb-chart scroll", role: "region", "aria-label": _("Chart"), tabindex: "0" });
  const pick = (label, options, chosen) =>
    el("label", {}, `${label} `, el("select", { onchange: redraw }, options.map(({ name, index }) => el("option", { value: index, selected: index === chosen }, name))));
  const label = pick(_("Label"), columns, named.index);
  const figure = pick(_("Value"), numbers, value.index);
  const kinds = [{ name: _("bars"), index: "bars" }, { name: _("line"), index: "line" }];
  const kind = pick(_("As"), kinds, answer.ordered(named.index) ? "line" : "bars");

  function redraw() {
    const chosen = (picker) => picker.lastElementChild.value;
    const points = answer.rows
      .map((row) => ({ text: terms.text(row[chosen(label)]) || _("(none)"), value: Number(row[chosen(figure)]?.value) }))
      .filter((point) => Number.isFinite(point.value));
    const title = _("%(figure)s by %(label)s", { figure: answer.columns[chosen(figure)], label: answer.columns[chosen(label)] });
    const shown = points.slice(0, MOST);
    const draw = chosen(kind) === "line" ? drawLine : drawBars;
    picture.replaceChildren(el("figure", {}, draw(chosen(kind) === "line" ? points : shown, title), caption(title, points, shown, chosen(kind))));
  }
  redraw();
  return [el("div", { class: "wb-tools" }, label, figure, kind), picture];
}

function caption(title, points, shown, kind) {
  const cut = kind === "bars" && shown.length < points.length;
  return el("figcaption", {}, cut ? _("%(title)s: the first %(n)s of %(all)s. The table holds all.", { title, n: shown.length, all: number.format(points.length) }) : `${title}.`);
}

/** The ends of an axis that holds zero and all values. */
function range(points) {
  const values = points.map((point) => point.value);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  return { low, span: high - low || 1 };
}

function picture(height, title, ...parts) {
  const image = { viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, role: "img", "aria-label": _("%(title)s. The table view holds the figures.", { title }) };
  return svg("svg", image, ...parts);
}

function drawBars(points, title) {
  const { low, span } = range(points);
  const [left, right] = [250, 90];
  const x = (value) => left + ((value - low) / span) * (WIDTH - left - right);
  const bars = points.map((point, i) => {
    const y = 8 + i * BAR;
    const [start, end] = [x(Math.min(0, point.value)), x(Math.max(0, point.value))];
    return svg("g", {},
      svg("title", {}, `${point.text}: ${number.format(point.value)}`),
      svg("text", { x: left - 10, y: y + 16, class: "wb-name" }, clip(point.text, 34)),
      svg("rect", { x: start, y: y + 3, width: Math.max(1, end - start), height: BAR - 8, rx: 3 }),
      svg("text", { x: end + 8, y: y + 16, class: "wb-value" }, number.format(point.value)));
  });
  return picture(16 + points.length * BAR, title, ...bars);
}

function drawLine(points, title) {
  const { low, span } = range(points);
  const [left, right, top, bottom] = [70, 24, 16, 44];
  const step = (WIDTH - left - right) / Math.max(1, points.length - 1);
  const y = (value) => top + (1 - (value - low) / span) * (LINE_HEIGHT - top - bottom);
  const at = points.map((point, i) => [left + i * step, y(point.value)]);
  const every = Math.ceil(points.length / 10);
  const marks = points.map((point, i) =>
    svg("g", {},
      svg("title", {}, `${point.text}: ${number.format(point.value)}`),
      points.length <= 200 ? svg("circle", { cx: at[i][0], cy: at[i][1], r: 3.5 }) : null,
      i % every ? null : svg("text", { x: at[i][0], y: LINE_HEIGHT - 16, class: "wb-tick" }, clip(point.text, 12))));
  const rules = [0, 0.25, 0.5, 0.75, 1].map((part) => low + part * span).map((value) =>
    svg("g", {},
      svg("line", { x1: left, x2: WIDTH - right, y1: y(value), y2: y(value), class: "wb-rule" }),
      svg("text", { x: left - 8, y: y(value) + 4, class: "wb-name" }, number.format(value))));
  const path = svg("polyline", { points: at.map((point) => point.map((n) => n.toFixed(1)).join(",")).join(" ") });
  return picture(LINE_HEIGHT, title, ...rules, path, ...marks);
}

function clip(text, length) {
  const letters = Array.from(text);
  return letters.length > length ? `${letters.slice(0, length - 1).join("")}…` : text;
}
