// The SPARQL workbench: YASGUI in place of the plain form, which stays where scripts do not run. See web/templates/workbench.html.

import { Answer } from "./workbench/answer.js";
import { completeFromHere } from "./workbench/completion.js";
import { el, number } from "./workbench/dom.js";
import { SNIPPETS } from "./workbench/snippets.js";
import { graphsOf, linked, mend } from "./workbench/stored.js";
import { checkSyntax } from "./workbench/syntax.js";
import { TabBar } from "./workbench/tabs.js";
import { Terms } from "./workbench/terms.js";
import { VIEWS } from "./workbench/views.js";
import { _ } from "./workbench/words.js";

const LONGEST_LINK = 6000; // characters; a longer query travels behind the #, which servers and proxies do not see
const DOWNLOADS = {
  rows: [["CSV", "csv"], ["TSV", "tsv"], ["JSON", "json"], ["XML", "xml"], [_("Spreadsheet"), "xlsx"]],
  yes: [["JSON", "json"], ["XML", "xml"]],
  graph: [["Turtle", "turtle"], ["N-Triples", "ntriples"], ["JSON-LD", "jsonld"], ["RDF/XML", "rdfxml"]],
};

class Workbench {
  constructor(place, Yasgui) {
    this.place = place;
    this.endpoint = new URL(place.dataset.endpoint, location.href).href;
    // On the pages of a pinned release, links stay within it.
    const root = place.dataset.endpoint.replace(/\/sparql$/, "");
    const places = JSON.parse(place.dataset.places).map(([start, path]) => [start, root + path]);
    this.terms = new Terms(JSON.parse(place.dataset.prefixes), places);
    this.#prepare(Yasgui);
    this.#layout();
    const stored = `kvgraph ${place.dataset.endpoint}`;
    mend(`${stored}_config`);
    this.yasgui = new Yasgui(this.panels, this.#settings(stored));
    this.yasgui.rootEl.querySelector(".tabsList").remove();
    this.bar = new TabBar(this.yasgui, { onAdd: () => this.open({ name: _("Query"), query: place.dataset.start }), onSelect: (tab) => this.#selected(tab) });
    this.panels.before(this.bar.element);
    for (const event of ["query", "queryAbort", "queryResponse"]) this.yasgui.on(event, () => this.#running());
    this.yasgui.on("tabChange", () => this.#edited());
    // YASGUI keeps a query when its editor loses the focus; a tab of the browser can be closed before that.
    addEventListener("pagehide", () => this.tab.getYasqe().emit("blur"));
    this.#begin();
  }

  #prepare(Yasgui) {
    const { Yasqe, Yasr } = Yasgui;
    Yasqe.prototype.checkSyntax = checkSyntax;
    completeFromHere(Yasqe, JSON.parse(this.place.dataset.prefixes), this.place.dataset.terms);
    Yasr.plugins = VIEWS;
    Yasr.defaults.plugins = Object.fromEntries(Object.keys(VIEWS).map((name) => [name, { enabled: true }]));
    Yasr.defaults.pluginOrder = Object.keys(VIEWS);
  }

  #settings(stored) {
    return {
      persistenceId: stored,
      populateFromUrl: false, // a link may bring a query, but no endpoint and no header
      autofocus: false,
      autoAddOnInit: false,
      copyEndpointOnNewTab: false,
      endpointCatalogueOptions: { getData: () => [] },
      requestConfig: {
        endpoint: () => this.endpoint,
        method: () => "POST",
        headers: () => ({}),
        acceptHeaderSelect: () => "application/sparql-results+json",
        acceptHeaderGraph: () => "text/turtle",
      },
      yasqe: {
        value: this.place.dataset.start,
        showQueryButton: false,
        resizeable: false,
        // Tab leaves the editor: nobody is caught in it.
        extraKeys: { Tab: false, "Shift-Tab": false, "Ctrl-Enter": () => this.run(), "Cmd-Enter": () => this.run() },
      },
      yasr: { maxPersistentResponseSize: -1 }, // an answer belongs to a release; it is asked for anew
    };
  }

  #layout() {
    this.panels = el("div", { class: "wb-panels" });
    this.runButton = el("button", { type: "button", onclick: () => (this.busy ? this.tab.getYasqe().abortQuery() : this.run()) }, _("Run"));
    this.status = el("p", { role: "status", class: "wb-status" });
    this.views = el("div", { class: "wb-views", role: "group", "aria-label": _("View of the answer") });
    this.downloads = el("p", { class: "downloads" });
    this.link = el("input", { readonly: true, "aria-label": _("Link to this query"), onfocus: () => this.link.select() });
    this.shared = el("p", { class: "wb-shared", hidden: true }, this.link, el("span", { role: "status", class: "wb-note" }));
    this.tools = el("div", { class: "wb-toolbar" },
      el("div", { class: "wb-tools" },
        this.runButton,
        el("button", { type: "button", class: "wb-quiet", onclick: () => this.#share() }, _("Share")),
        el("button", { type: "button", class: "wb-quiet", onclick: () => this.tab.getYasqe().autoformat() }, _("Format")),
        el("span", { class: "wb-note wb-keys" }, el("kbd", {}, "Ctrl Enter"), " ", _("runs"), ", ", el("kbd", {}, "Ctrl Space"), " ", _("completes"))),
      this.shared,
      this.#code());
    this.head = el("div", { class: "wb-head", hidden: true }, this.views, this.status, this.downloads);
    this.place.querySelector(".wb-main").append(this.panels);
    this.place.querySelector(".wb-examples").addEventListener("click", (event) => this.#example(event));
  }

  #code() {
    const language = el("select", { "aria-label": _("Language"), onchange: () => this.#written() }, Object.keys(SNIPPETS).map((name) => el("option", {}, name)));
    const copied = el("span", { role: "status", class: "wb-note" });
    const code = el("code");
    const copy = async () => (copied.textContent = (await copyText(code.textContent)) ? _("Copied.") : _("Select the text to copy it."));
    this.snippet = el("details", { class: "wb-code", ontoggle: () => this.#written() },
      el("summary", {}, _("This query as a program")),
      el("div", { class: "wb-tools" }, language, el("button", { type: "button", class: "wb-quiet", onclick: copy }, _("Copy")), copied),
      el("pre", { tabindex: "0", "aria-label": _("Program") }, code));
    return this.snippet;
  }

  #written() {
    if (!this.snippet.open || !this.tab) return;
    const write = SNIPPETS[this.snippet.querySelector("select").value];
    this.snippet.querySelector("code").textContent = write(this.endpoint, this.tab.getQuery(), graphsOf(this.tab.getRequestConfig().args));
  }

  /** The tabs of last time, and the query of a link. */
  #begin() {
    const link = linked(location);
    const same = link && this.yasgui.persistentConfig.getTabs().find((id) => {
      const tab = this.yasgui.getTab(id).getPersistedJson();
      return tab.yasqe.value === link.query && JSON.stringify(graphsOf(tab.requestConfig.args)) === JSON.stringify(link.graphs);
    });
    if (same) {
      this.yasgui.selectTabId(same);
      this.#selected(this.tab);
      this.run();
    } else if (link) this.open({ name: _("Link"), run: true, ...link });
    else if (this.tab) this.#selected(this.tab);
    else this.open({ name: _("Query"), query: this.place.dataset.start });
    this.bar.draw();
  }

  get tab() {
    return this.yasgui.getTab();
  }

  /** A new tab with a query. */
  open({ name, query, graphs = [], run = false }) {
    const args = graphs.map(([name, value]) => ({ name, value }));
    const tab = this.yasgui.addTab(true, { name: this.yasgui.createTabName(name), yasqe: { value: query }, requestConfig: { args } });
    this.bar.draw();
    this.#selected(tab);
    if (run) this.run();
  }

  run() {
    const tab = this.tab;
    tab.getYasr().asked = { query: tab.getQuery(), graphs: graphsOf(tab.getRequestConfig().args) };
    tab.query().catch(() => {}); // the answer says what went wrong
  }

  /** A tab comes to the front: it gets the tools, and loses what we do without. */
  #selected(tab) {
    const panel = document.getElementById(tab.getId());
    const [yasqe, yasr] = [tab.getYasqe(), tab.getYasr()];
    if (!yasr.terms) this.#furnish(panel, yasqe, yasr);
    panel.querySelector(".editorwrapper").after(this.tools, this.head);
    this.shared.hidden = true;
    this.#running();
    this.#answered(yasr);
    this.#written();
  }

  #furnish(panel, yasqe, yasr) {
    // The field for an endpoint writes HTML (Yasgui#220, #227), and there is but one endpoint. The share button has another form below.
    for (const part of panel.querySelectorAll(".controlbar, .yasqe_buttons, .yasr_header, .yasr_fallback_info")) part.remove();
    yasqe.getInputField().setAttribute("aria-label", _("SPARQL query. Escape, then Tab, leaves the editor."));
    yasqe.on("change", () => this.#edited());
    yasr.terms = this.terms;
    yasr.updateResponseInfo = yasr.updateHelpButton = yasr.updateExportHeaders = yasr.updatePluginSelectors = () => {};
    const show = yasr.setResponse;
    yasr.setResponse = (response, milliseconds) => {
      yasr.answer = Answer.of(response, milliseconds, yasr.asked);
      show.call(yasr, response, milliseconds);
    };
    yasr.on("drawn", () => yasr === this.tab.getYasr() && this.#answered(yasr));
  }

  #edited() {
    this.shared.hidden = true;
    this.#written();
  }

  get busy() {
    return Boolean(this.tab?.getYasqe()?.req);
  }

  #running() {
    this.runButton.textContent = this.busy ? _("Stop") : _("Run");
    this.place.querySelector(".wb-main").setAttribute("aria-busy", String(this.busy));
    if (this.busy) {
      this.head.hidden = false;
      this.status.textContent = _("Running…");
    }
  }

  /** What stands over an answer: its size, the views that fit, the downloads. */
  #answered(yasr) {
    const { answer } = yasr;
    this.#running();
    this.head.hidden = !answer && !this.busy;
    if (!answer || this.busy) return;
    this.status.textContent = summary(answer);
    const shown = Object.keys(yasr.plugins).find((name) => yasr.plugins[name] === yasr.plugins[yasr.drawnPlugin]);
    this.views.replaceChildren(...Object.entries(yasr.plugins).filter(([, view]) => !view.hideFromSelection && view.canHandleResults()).map(([name, view]) =>
      el("button", { type: "button", "aria-pressed": String(name === shown), onclick: () => yasr.selectPlugin(name) }, view.label)));
    const offered = DOWNLOADS[answer.kind] ?? [];
    this.downloads.replaceChildren(...(offered.length ? [el("span", {}, _("Download"), " "), ...offered.map(([label, format]) => this.#download(answer, label, format))] : []));
    if (answer.kind !== "problem") history.replaceState(null, "", link(this.place.dataset.endpoint, answer.asked));
  }

  #download(answer, label, format) {
    const fields = new URLSearchParams([["query", answer.asked.query], ...answer.asked.graphs, ["format", format]]);
    const href = `${this.place.dataset.endpoint}?${fields}`;
    if (href.length <= LONGEST_LINK) return el("a", { href, download: true, rel: "nofollow" }, label);
    // Too long for an address: the same by POST, from a form that nobody sees.
    const form = el("form", { method: "post", action: this.place.dataset.endpoint, class: "wb-download" },
      [...fields].map(([name, value]) => el("input", { type: "hidden", name, value })), el("button", { class: "wb-link" }, label));
    return form;
  }

  async #share() {
    const asked = { query: this.tab.getQuery(), graphs: graphsOf(this.tab.getRequestConfig().args) };
    this.link.value = new URL(link(this.place.dataset.endpoint, asked), location.href).href;
    this.shared.hidden = false;
    this.link.focus();
    this.shared.lastChild.textContent = (await copyText(this.link.value)) ? _("Copied.") : _("Copy the link from here.");
  }

  #example(event) {
    const anchor = event.target.closest("a[data-query]");
    if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.open({ name: _("Example"), query: anchor.dataset.query, run: true });
    this.bar.element.scrollIntoView({ block: "nearest" });
  }
}

/** The address of a query: it works without scripts too, unless it is too long for an address. */
function link(path, { query, graphs }) {
  const fields = new URLSearchParams([["query", query], ...graphs]).toString();
  return fields.length <= LONGEST_LINK ? `${path}?${fields}` : `${path}#${fields}`;
}

function summary(answer) {
  const took = `${number.format(Math.max(answer.milliseconds, 1))} ms`;
  if (answer.kind === "rows") return answer.rows.length === 1 ? _("1 row in %(took)s.", { took }) : _("%(n)s rows in %(took)s.", { n: number.format(answer.rows.length), took });
  return { yes: _("Answered in %(took)s.", { took }), graph: _("Triples, in %(took)s.", { took }), problem: _("No answer.") }[answer.kind];
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no permission, or not a secure context
  }
}

function styles(href) {
  return new Promise((resolve, reject) => {
    document.head.append(el("link", { rel: "stylesheet", href, onload: resolve, onerror: reject }));
  });
}

async function start(place) {
  const dressed = styles(place.dataset.styles).then(() => styles(place.dataset.dress)); // ours over YASGUI's
  const [{ Yasgui }] = await Promise.all([import(place.dataset.bundle), dressed]);
  place.hidden = false; // an editor cannot measure itself where nobody sees it
  new Workbench(place, Yasgui);
  document.documentElement.classList.add("has-workbench");
}

const place = document.getElementById("workbench");
start(place).catch((error) => {
  place.hidden = true; // the form is still there
  console.warn("The workbench did not start.", error);
});
