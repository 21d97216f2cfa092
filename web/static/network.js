// The drawing of a network, to be moved and opened. The address holds its state and the server its places: what stands stays where it is when something is
// opened or left out, and a link shows the same to whoever opens it. Without this script the page has a picture and the same lists.

import { layer } from "./ties.js";

const stage = document.getElementById("stage");
const told = document.getElementById("told");
const tools = document.querySelector(".tools");
const dark = matchMedia("(prefers-color-scheme: dark)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const say = (text) => { told.textContent = text; };

// Cytoscape writes a style element unless there is one of this name already; network.css has what it would say.
const styles = document.createElement("meta");
styles.id = "__________cytoscape_stylesheet";
document.head.append(styles);

const MANY = 400; // from so many things on, marks are as large as their places allow and only the names of those with most ties are there
const NAMES = 45;
const SLICE = 400; // things that are added at once
const ZOOMS = [0.05, 3];
let least = 16;
const [{ cytoscape }, first] = await Promise.all([import(stage.dataset.bundle), read(stage.dataset.json)]);
const shapes = first.shapes, large = first.things.length > MANY;
const cy = cytoscape({
  container: stage, style: look(shapes), ...fitting(first.things), minZoom: ZOOMS[0], maxZoom: ZOOMS[1], boxSelectionEnabled: false, selectionType: "single",
  pixelRatio: large ? 1 : Math.min(devicePixelRatio, 2), textureOnViewport: large, // while it is moved, a picture of it is
});
const strokes = large ? layer(stage, cy, () => [token("--tie"), token("--accent")]) : null; // in a small network cytoscape draws them
await add(elements(first));
strokes?.set(first.ties);

// ── Data ────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function read(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

function elements({ things, ties }) {
  const few = things.filter((thing) => thing.part === "asked").length <= 12, small = mark(things.length);
  return [
    ...things.map((thing) => {
      const matters = thing.part === "opened" || (thing.part === "asked" && few);
      return {
        group: "nodes", data: { ...thing, lines: lines(thing.label), size: matters ? small * 1.5 : small, letters: 12, gap: 3, name: "" }, position: { x: thing.x, y: thing.y },
        classes: `node ${thing.type} ${thing.part} ${matters ? "large" : ""}`,
      };
    }),
    ...(large ? [] : ties.map((tie) => ({ group: "edges", data: { ...tie, id: `${tie.source} ${tie.target}` } }))),
  ];
}

/** In slices, between which the browser does what else it has to. */
async function add(some) {
  for (let i = 0; i < some.length; i += SLICE) {
    if (i) await new Promise((go) => setTimeout(go));
    cy.add(some.slice(i, i + SLICE));
  }
}

/** A name in at most two lines. */
function lines(label, most = 22) {
  const words = label.replace(/\s+/g, " ").trim();
  const cut = (text) => ([...text].length > most ? `${[...text].slice(0, most - 1).join("").trimEnd()}…` : text);
  if (words.length <= most) return [words];
  const space = words.lastIndexOf(" ", most);
  return space > 0 ? [words.slice(0, space), cut(words.slice(space + 1))] : [cut(words)];
}

// ── Look: from the tokens of the style sheet, so that it follows light and dark ─────────────────────────────────────

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function look(shapes) {
  const types = Object.entries(shapes).map(([type, points]) => ({
    selector: `node.${type}`,
    style: { "background-color": token(`--of-${type}`), shape: type === "practice" ? "ellipse" : "polygon", "shape-polygon-points": points },
  }));
  return [
    { selector: "core", style: { "outside-texture-bg-opacity": 0 } },
    // Little is said of all, for it is worked out for each: letters are for those whose names are there.
    { selector: "node", style: { width: "data(size)", height: "data(size)", "z-index-compare": "manual", "z-index": 1 } },
    ...types,
    { selector: "node.named", style: {
      label: "data(name)", color: token("--ink"), "font-family": getComputedStyle(document.body).fontFamily, "font-size": "data(letters)", "text-valign": "bottom",
      "text-margin-y": "data(gap)", "text-wrap": "wrap", "text-outline-color": token("--surface"), "text-outline-width": "data(gap)", "z-index": 2,
    } },
    { selector: "node:active, edge:active", style: { "overlay-opacity": 0 } },
    { selector: "node.large", style: { "font-weight": 600, "z-index": 3 } },
    { selector: "edge", style: { width: 1.2, "line-color": token("--tie"), "curve-style": "haystack", "haystack-radius": 0, "z-index-compare": "manual", "z-index": 0 } },
    { selector: "node.near", style: { "z-index": 4 } },
    { selector: "edge.near", style: { "line-color": token("--accent"), width: 2.4, "z-index": 2 } },
    { selector: "node:selected", style: { "border-width": 4, "border-color": token("--warm"), "z-index": 5 } },
    { selector: ".far", style: { opacity: 0.25 } },
    { selector: "node.match", style: { "border-width": 4, "border-color": token("--warm"), "z-index": 5 } },
  ];
}

// ── What can be done ────────────────────────────────────────────────────────────────────────────────────────────────

function begin() {
  for (const still of stage.querySelectorAll(".still")) still.remove();
  tools.hidden = false;
  document.querySelector(".apply").hidden = true;
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  stage.setAttribute("aria-label", stage.dataset.label);
  window.network = cy; // for tests, and for whoever wants to look
  scale();
  dark.addEventListener("change", () => { cy.style(look(shapes)); strokes?.draw(); });
  cy.on("select", "node", (event) => picked(event.target));
  cy.on("unselect", "node", () => picked(null));
  cy.on("zoom", later(scale));
  cy.on("pan dragfree", later(name));
  cy.on("dbltap", "node", (event) => open(event.target.id()));
  stage.addEventListener("keydown", keys);
  tools.addEventListener("click", ({ target }) => target.dataset.zoom && zoom(target.dataset.zoom));
  document.getElementById("within").addEventListener("input", ({ target }) => find(target.value));
  document.addEventListener("change", ({ target }) => target.form?.id === "choice" && chosen(target.form));
  document.addEventListener("click", followed);
  addEventListener("popstate", () => location.search !== shown && update(location.href, false)); // another place on the page is no other network
  new ResizeObserver(() => cy.resize()).observe(stage);
  offerPng();
}

/** The zoom and pan that show all of these places. */
function fitting(places) {
  const { x1, y1, x2, y2 } = around(places), wide = stage.clientWidth - 150, high = stage.clientHeight - 130;
  const zoom = Math.min(1.5, Math.max(ZOOMS[0], Math.min(wide / (x2 - x1 || 1), high / (y2 - y1 || 1))));
  least = Math.max(16, Math.min(40, 7 / zoom));
  return { zoom, pan: { x: stage.clientWidth / 2 - (zoom * (x1 + x2)) / 2, y: stage.clientHeight / 2 - (zoom * (y1 + y2)) / 2 + 12 } };
}

function whole() {
  cy.viewport(fitting(cy.nodes().map((node) => node.position())));
  scale();
}

/** How large a mark is where there are so many. */
function mark(count) {
  return count > MANY ? least : 16 / Math.max(cy.zoom(), 0.45);
}

/** Names and marks are as large on the screen at any zoom, names only where there is room: those of what matters most first. */
function scale() {
  const zoom = cy.zoom(), many = cy.nodes().length > MANY, small = mark(cy.nodes().length);
  cy.batch(() => {
    for (const node of cy.nodes()) {
      const size = node.hasClass("large") ? small * 1.5 : small;
      if (node.data("size") !== size) node.data("size", size);
    }
    if (!many) cy.edges().style("width", (edge) => (edge.hasClass("near") ? 2.4 : 1.2) / Math.max(zoom, 0.3));
  });
  name();
}

// In a network of thousands what is asked of every thing is felt: no selectors, and nothing is changed that stays as it is.
const RANKS = ["match", "near", "large", "asked", "node"]; // the last one everything has
const rank = (node) => (node.selected() ? 1 : RANKS.findIndex((name) => node.hasClass(name)) + 2);
let named = new Set(); // the things whose names are there

function name() {
  const zoom = cy.zoom(), pan = cy.pan(), wide = stage.clientWidth + 80, high = stage.clientHeight + 40, taken = new Map(), order = [];
  for (const node of cy.nodes()) {
    const at = node.position(), x = at.x * zoom + pan.x, y = at.y * zoom + pan.y;
    if (x > -80 && y > -40 && x < wide && y < high) order.push({ node, rank: rank(node), ties: node.data("shown"), x, y });
  }
  order.sort((a, b) => a.rank - b.rank || b.ties - a.ties || (a.node.id() < b.node.id() ? -1 : 1));
  const cells = (box, visit) => {
    for (let i = Math.floor(box[0] / 80); i <= Math.floor(box[2] / 80); i++) for (let j = Math.floor(box[1] / 40); j <= Math.floor(box[3] / 40); j++) if (visit(`${i} ${j}`)) return true;
    return false;
  };
  const meets = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  const put = (box) => cells(box, (cell) => { taken.set(cell, [...(taken.get(cell) ?? []), box]); });
  const many = cy.nodes().length > MANY, before = named, found = order.filter(({ rank }) => rank === 2).length;
  const always = new Set(found > NAMES ? [1, 4] : [1, 2, 4]); // of very many that are found only some have room for their names
  named = new Set();
  let room = many ? NAMES : order.length;
  if (!many) // in a small network no name hides a mark
    for (const { x, y } of order) put([x - 7, y - 7, x + 7, y + 7]);
  cy.batch(() => {
    for (const { node, rank, x, y } of order) {
      const text = node.data("lines"), half = Math.max(...text.map((line) => line.length)) * 3.3 + 4, top = y + (node.data("size") * zoom) / 2 + 2;
      const box = [x - half, top, x + half, top + 14 * text.length];
      if (room <= 0 && !always.has(rank)) { if (rank > 4) break; else continue; } // those that follow matter less
      const free = always.has(rank) || !cells(box, (cell) => taken.get(cell)?.some((other) => meets(box, other)));
      if (!free) continue;
      put(box), room--, named.add(node);
      node.data({ name: text.join("\n"), letters: 12 / zoom, gap: 3 / zoom }).addClass("named");
    }
    for (const node of before) if (!named.has(node) && node.inside()) node.data("name", "").removeClass("named");
  });
}

/** Once, when nothing more has come for a moment. */
function later(work) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(work, 60); };
}

/** What the things cover, names and sizes apart. */
function around(places) {
  const x = places.map((p) => p.x), y = places.map((p) => p.y);
  return { x1: Math.min(...x), y1: Math.min(...y), x2: Math.max(...x), y2: Math.max(...y) };
}

function zoom(how) {
  if (how === "fit") return whole();
  cy.zoom({ level: cy.zoom() * Number(how), renderedPosition: { x: stage.clientWidth / 2, y: stage.clientHeight / 2 } });
}

let marked = cy.collection(); // what is around the thing that was picked

function picked(node) {
  marked.removeClass("near");
  for (const row of document.querySelectorAll("#lists tr.here")) row.classList.remove("here");
  const panel = document.getElementById("picked");
  panel.hidden = !node;
  panel.replaceChildren();
  marked = strokes ? strokes.pick(node) : node ? node.closedNeighborhood() : cy.collection();
  marked.addClass("near");
  scale();
  if (!node) return;
  const { label, language, kind, href, ties, shown } = node.data();
  const title = Object.assign(document.createElement("h2"), { textContent: label, dir: "auto", lang: language });
  const words = Object.assign(document.createElement("p"), { className: "quiet", textContent: `${kind}, ${tied(ties, shown)}` });
  panel.append(title, words);
  if (shown < ties && !node.hasClass("opened")) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: stage.dataset.expand });
    button.addEventListener("click", () => open(node.id()));
    panel.append(button);
  }
  if (href) {
    const link = Object.assign(document.createElement("a"), { href, className: "arrow", textContent: stage.dataset.page });
    const line = document.createElement("p");
    line.append(link);
    panel.append(line);
  }
}

const tied = (n, m) => stage.dataset.tied.replace("{n}", n).replace("{m}", m);

function describe(node) {
  const { label, kind, ties, shown } = node.data();
  say(`${label}, ${kind}, ${tied(ties, shown)}. ${shown < ties ? stage.dataset.enter : ""}`);
}

// ── Keyboard ────────────────────────────────────────────────────────────────────────────────────────────────────────

const TURNS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

function keys(event) {
  const selected = cy.$("node:selected");
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (TURNS[event.key]) go(selected.nonempty() ? towards(selected[0], TURNS[event.key]) : middle());
  else if (event.key === "Enter" && selected.nonempty()) open(selected.id());
  else if (event.key === "Escape") { cy.$(":selected").unselect(); say(""); }
  else if (event.key === "+" || event.key === "=") zoom("1.3");
  else if (event.key === "-") zoom("0.77");
  else if (event.key === "0") whole();
  else return;
  event.preventDefault();
}

function middle() {
  return cy.nodes(".asked")[0] ?? cy.nodes()[0];
}

/** The nearest thing in a direction: how far it is to the side counts double. */
function towards(from, [dx, dy]) {
  const here = from.position();
  let best = null, least = Infinity;
  for (const node of cy.nodes()) {
    const { x, y } = node.position();
    const ahead = (x - here.x) * dx + (y - here.y) * dy, aside = Math.abs((x - here.x) * dy) + Math.abs((y - here.y) * dx);
    const cost = ahead + 2 * aside;
    if (ahead > 1 && aside <= ahead * 1.8 && cost < least) [best, least] = [node, cost];
  }
  return best;
}

function go(node) {
  if (!node) return;
  cy.$(":selected").unselect();
  node.select();
  describe(node);
  const box = node.renderedBoundingBox();
  if (box.x1 < 0 || box.y1 < 0 || box.x2 > stage.clientWidth || box.y2 > stage.clientHeight) cy.center(node);
}

function find(text) {
  const wanted = text.trim().toLocaleLowerCase();
  const found = cy.nodes().filter((node) => wanted !== "" && node.data("label").toLocaleLowerCase().includes(wanted));
  cy.batch(() => {
    for (const node of cy.nodes()) node.toggleClass("match", found.has(node)).toggleClass("far", wanted !== "" && !found.has(node));
  });
  if (!wanted) return say(""), name();
  say(stage.dataset.found.replace("{n}", found.length));
  if (found.length === 1) cy.center(found);
  name();
}

// ── To another address, without moving what stands ──────────────────────────────────────────────────────────────────

function open(iri) {
  const address = new URL(location.href);
  if (address.searchParams.getAll("open").includes(iri)) return;
  address.searchParams.append("open", iri);
  update(address.href, true);
}

function followed(event) {
  const link = event.target.closest?.("a[data-open]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  update(link.href, true);
}

function chosen(form) {
  const fields = [...new FormData(form)].filter(([name, value]) => !(name === "most" && value === form.most.options[1].value));
  update(`${form.getAttribute("action")}?${new URLSearchParams(fields)}`, true);
}

let latest = 0, shown = location.search, turn = Promise.resolve();

async function update(address, remember) {
  const mine = ++latest;
  const url = new URL(address, location.href);
  shown = url.search;
  try {
    const data = new URL(url);
    data.pathname += ".json";
    const [answer, page] = await Promise.all([read(data), fetch(url, { headers: { Accept: "text/html" } }).then((r) => r.text())]);
    const before = turn;
    turn = (async () => {
      await before.catch(() => {}); // one after the other: a large one is drawn in slices
      if (mine !== latest) return; // something newer was asked for meanwhile
      if (remember) history.pushState(null, "", url);
      const again = focused();
      await redraw(answer);
      replace(new DOMParser().parseFromString(page, "text/html"));
      if (document.activeElement === document.body) again()?.focus();
    })();
    await turn;
  } catch {
    say(stage.dataset.trouble);
  }
}

async function redraw(answer) {
  const wanted = new Map(elements(answer).map((element) => [element.data.id, element]));
  const selected = cy.$("node:selected").id();
  const fresh = [];
  cy.batch(() => {
    cy.elements().filter((element) => !wanted.has(element.id())).remove();
    for (const [id, element] of wanted) {
      const standing = cy.getElementById(id);
      if (standing.empty()) fresh.push(element);
      else standing.data(element.data).classes(element.group === "nodes" ? element.classes : ""); // where it stands, or was dragged to, it stays
    }
  });
  await add(fresh);
  if (!calm.matches && fresh.length < 600) {
    const added = cy.collection(fresh.map((element) => cy.getElementById(element.data.id)[0]));
    added.style("opacity", 0);
    added.animate({ style: { opacity: 1 } }, { duration: 250, complete: () => added.removeStyle("opacity") });
  }
  strokes?.set(answer.ties);
  picked(cy.getElementById(selected ?? "")[0] ?? null);
  const extent = cy.extent(), box = around(cy.nodes().map((each) => each.position()));
  if (box.x1 < extent.x1 || box.x2 > extent.x2 || box.y1 < extent.y1 || box.y2 > extent.y2) whole();
}

/** Finds what has the focus now, or what is nearest to it, in the page that takes the place of this one. */
function focused() {
  const at = document.activeElement, thing = at.closest("tr")?.dataset.thing;
  if (at === document.body) return () => null;
  if (at.id) return () => document.getElementById(at.id);
  if (at.closest("#picked")) return () => document.querySelector("#picked button, #picked a") ?? stage;
  return () => {
    const row = [...document.querySelectorAll("#lists tr")].find((each) => thing && each.dataset.thing === thing);
    return row?.querySelector("a[data-open]") ?? row?.querySelector("a") ?? document.getElementById("summary");
  };
}

function replace(page) {
  for (const id of ["summary", "lists"]) document.getElementById(id).replaceWith(page.getElementById(id));
  const form = document.getElementById("choice"), panel = document.getElementById("picked"), folded = form.querySelector("details").open;
  form.replaceWith(page.getElementById("choice"));
  document.getElementById("picked").replaceWith(panel);
  document.querySelector("#choice details").open = folded;
  document.querySelector(".apply").hidden = true;
  offerPng();
  say(document.querySelector("#summary .count").textContent);
}

function offerPng() {
  const button = document.querySelector(".png");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const blob = await png(getComputedStyle(stage).backgroundColor);
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: "network.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

async function png(bg) {
  const { x1, y1, w } = cy.elements().boundingBox(), scale = Math.min(2, 6000 / Math.max(w, 1)), drawing = { output: "blob-promise", full: true, scale };
  if (!strokes) return cy.png({ ...drawing, bg });
  const marks = await createImageBitmap(await cy.png(drawing)), canvas = new OffscreenCanvas(marks.width, marks.height), pen = canvas.getContext("2d");
  pen.fillStyle = bg;
  pen.fillRect(0, 0, marks.width, marks.height);
  pen.setTransform(scale, 0, 0, scale, -x1 * scale, -y1 * scale);
  strokes.stroke(pen);
  pen.resetTransform();
  pen.drawImage(marks, 0, 0);
  return canvas.convertToBlob();
}

begin();
