/* Suggestions while typing, for any field that names a thing. A form works without this script; with it a field becomes a combobox.

   To have it, put the attribute on a text field inside a form. Nothing else is needed: base.html loads this file on every page, and the style comes with it.

     <input name="q" data-suggest>                                          things of every kind
     <input name="a" data-suggest="practice,actor">                         only these kinds (names as in kvgraph/model.py)
     <input name="q" data-suggest data-suggest-then="go">                   choosing one opens its page
     <input name="a" data-suggest data-suggest-then="submit">               choosing one sends the form
     <input name="a" data-suggest data-suggest-send="iri">                  after a choice the form sends the IRI, not the name that is seen

   Without data-suggest-then the choice is only filled in. Every choice is told with an event that bubbles:
   input.addEventListener("suggest", (event) => event.detail)    // {iri, label, lang, type, kind, href}

   The field must have a label (for= or aria-label). The answers come from GET /suggest?q=…&type=practice,actor :
   [{"iri", "label", "lang", "type", "kind", "place", "href"}, …], best first. */

const PAUSE = 120; // ms without a key before asking
const SHORTEST = 2; // letters that are worth asking for
const KEPT = 60; // answers of this page that need not be asked for again

// Within /release/<id>/ everything stays in that release.
const root = location.pathname.match(/^\/release\/[^/]+(?=\/)/)?.[0] ?? "";
const words = document.getElementById("suggest").dataset; // what it says, in the language of the page
const answers = new Map();
let fields = 0;

for (const input of document.querySelectorAll("input[data-suggest]")) combobox(input);

function combobox(input) {
  const id = `suggest-${++fields}`;
  const list = make("ul", { id, role: "listbox", className: "suggestions", hidden: true, ariaLabel: words.list });
  const status = make("div", { role: "status", className: "hidden" });
  let found = []; // what the list shows
  let active = -1; // the place in it of what the arrows chose
  let timer = 0;
  let asked = null; // the request that is on its way

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", id);
  input.addEventListener("focus", begin, { once: true });
  input.addEventListener("input", (event) => {
    forget();
    activate(-1);
    list.ariaBusy = "true"; // until it is that of the new text
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, PAUSE);
  });
  input.addEventListener("compositionend", ask);
  input.addEventListener("keydown", key);
  input.addEventListener("blur", close);
  input.form?.addEventListener("submit", close);
  if (document.activeElement === input) begin();

  function begin() {
    // The style comes with the first field that is used; it has the version of this file.
    if (!document.querySelector("link[data-suggest-style]")) {
      const link = make("link", { rel: "stylesheet", href: new URL(`suggest.css${new URL(import.meta.url).search}`, import.meta.url).href });
      link.setAttribute("data-suggest-style", "");
      document.head.append(link);
    }
    (input.form ?? document.body).append(list, status); // a form is part of a landmark, for those who go from one to the next
  }

  async function ask() {
    const text = input.value.trim();
    asked?.abort();
    if (text.length < SHORTEST) return close();
    const query = new URLSearchParams({ q: text });
    if (input.dataset.suggest) query.set("type", input.dataset.suggest);
    const address = `${root}/suggest?${query}`;
    try {
      if (!answers.has(address)) {
        asked = new AbortController();
        const response = await fetch(address, { signal: asked.signal, headers: { Accept: "application/json" } });
        if (!response.ok) return close();
        if (answers.size >= KEPT) answers.delete(answers.keys().next().value);
        answers.set(address, await response.json());
      }
    } catch (error) {
      if (error.name !== "AbortError") close(); // the server is away: the form still works
      return;
    }
    if (document.activeElement !== input || input.value.trim() !== text) return;
    show(answers.get(address));
  }

  function show(things) {
    const chosen = found[active]?.iri; // since the last letter, from the list before this one
    activate(-1);
    found = things;
    list.replaceChildren(...found.map(option));
    list.ariaBusy = null;
    if (!found.length) {
      close();
      status.textContent = words.none;
      return;
    }
    place();
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    status.textContent = words.some.replace("{n}", found.length);
    activate(chosen === undefined ? -1 : found.findIndex(({ iri }) => iri === chosen));
  }

  function option(thing, number) {
    const name = make("span", { className: "name", lang: thing.lang, dir: "auto", textContent: thing.label });
    const about = make("span", { className: "about", textContent: [thing.kind, thing.place].filter(Boolean).join(" · ") });
    const item = make("li", { id: `${id}-${number}`, role: "option", ariaSelected: "false" });
    item.append(name, " ", about);
    item.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    item.addEventListener("click", () => choose(number));
    return item;
  }

  function key(event) {
    if (event.isComposing) return;
    const open = !list.hidden;
    if (event.key === "ArrowDown" && !open && !event.altKey && input.value.trim().length >= SHORTEST) {
      event.preventDefault();
      ask();
    } else if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      if (event.altKey) return close();
      // One place more than there are suggestions: the field itself.
      const step = event.key === "ArrowDown" ? 1 : -1;
      activate(((active + 1 + step + found.length + 1) % (found.length + 1)) - 1);
    } else if (open && event.key === "Enter" && active >= 0) {
      event.preventDefault();
      choose(active);
    } else if (open && event.key === "Escape") {
      event.preventDefault(); // which would empty the field
      close();
    }
  }

  function activate(number) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = number;
    const item = list.children[active];
    if (!item) return input.removeAttribute("aria-activedescendant");
    item.setAttribute("aria-selected", "true");
    item.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", item.id);
  }

  function choose(number) {
    const thing = found[number];
    input.value = thing.label;
    close();
    status.textContent = words.chosen.replace("{name}", () => thing.label);
    if (input.dataset.suggestSend === "iri") send(thing);
    const goOn = input.dispatchEvent(new CustomEvent("suggest", { bubbles: true, cancelable: true, detail: thing }));
    if (!goOn) return;
    if (input.dataset.suggestThen === "go" && thing.href) location.assign(thing.href.startsWith("/") ? root + thing.href : thing.href);
    if (input.dataset.suggestThen === "submit") input.form?.requestSubmit();
  }

  /* The form sends a hidden field of the same name; what is seen keeps the name until then. */
  function send(thing) {
    const hidden = make("input", { type: "hidden", name: input.name, value: thing.iri });
    hidden.dataset.of = id;
    input.after(hidden);
    input.dataset.name = input.name;
    input.removeAttribute("name");
  }

  function forget() {
    if (!input.dataset.name) return;
    input.name = input.dataset.name;
    delete input.dataset.name;
    input.form?.querySelector(`input[data-of="${id}"]`)?.remove();
  }

  function close() {
    clearTimeout(timer);
    asked?.abort(); // a late answer opens nothing
    list.ariaBusy = null;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    activate(-1);
  }

  function place() {
    const at = input.getBoundingClientRect();
    const width = Math.min(Math.max(at.width, 304), document.documentElement.clientWidth - 16);
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8));
    Object.assign(list.style, { width: `${width}px`, left: `${left}px`, top: `${at.bottom + 4}px` });
  }

  for (const moved of ["resize", "scroll"]) addEventListener(moved, () => list.hidden || place(), { passive: true });
}

function make(name, properties) {
  const { role, ariaLabel, ariaSelected, ...rest } = properties;
  const element = Object.assign(document.createElement(name), rest);
  for (const [attribute, value] of Object.entries({ role, "aria-label": ariaLabel, "aria-selected": ariaSelected })) {
    if (value !== undefined) element.setAttribute(attribute, value);
  }
  return element;
}
