// The bar of tabs over YASGUI's tabs: a tab list as the ARIA practices describe it, in place of YASGUI's own, in which
// names can be changed with a mouse only.

import { el } from "./dom.js";
import { _ } from "./words.js";

export class TabBar {
  constructor(yasgui, { onAdd, onSelect }) {
    this.yasgui = yasgui;
    this.onSelect = onSelect;
    this.list = el("div", { role: "tablist", "aria-label": _("Queries"), onkeydown: (event) => this.#key(event) });
    this.name = el("input", { name: "name", maxlength: "80", required: true, autocomplete: "off" });
    this.dialog = this.#dialog();
    this.element = el("div", { class: "wb-tabs" },
      this.list,
      el("button", { type: "button", class: "wb-quiet", title: _("New tab"), onclick: onAdd }, _("New")),
      el("button", { type: "button", class: "wb-quiet", title: _("Rename this tab"), onclick: () => this.#rename() }, _("Rename")),
      el("button", { type: "button", class: "wb-quiet", title: _("Close this tab"), onclick: () => this.#close() }, _("Close")),
      this.dialog);
  }

  get #ids() {
    return this.yasgui.persistentConfig.getTabs();
  }

  get #current() {
    return this.yasgui.getTab();
  }

  draw() {
    const current = this.#current?.getId();
    const had = this.list.contains(document.activeElement);
    this.list.replaceChildren(...this.#ids.map((id) => {
      const chosen = id === current;
      const attributes = { type: "button", role: "tab", id: `tab-${id}`, tabindex: chosen ? "0" : "-1", "aria-selected": String(chosen), "aria-controls": chosen && id };
      return el("button", { ...attributes, onclick: () => this.select(id), ondblclick: () => this.#rename() }, this.yasgui.getTab(id).getName());
    }));
    if (had) this.list.querySelector("[aria-selected=true]")?.focus();
  }

  select(id) {
    this.yasgui.selectTabId(id);
    this.draw();
    this.onSelect(this.#current);
  }

  #key(event) {
    const ids = this.#ids;
    const at = ids.indexOf(this.#current.getId());
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: ids.length - 1 }[event.key];
    if (to !== undefined) this.select(ids[(to + ids.length) % ids.length]);
    else if (event.key === "Delete") this.#close();
    else if (event.key === "F2") this.#rename();
    else return;
    event.preventDefault();
  }

  #close() {
    const tab = this.#current;
    if (this.#ids.length > 1) tab.close();
    else tab.setQuery(""); // there is always one tab
    this.draw();
    this.onSelect(this.#current);
  }

  #rename() {
    this.name.value = this.#current.getName();
    this.dialog.showModal();
    this.name.select();
  }

  #dialog() {
    const form = el("form", { method: "dialog", onsubmit: () => this.#named() },
      el("label", {}, _("Name of the tab"), " ", this.name),
      el("div", { class: "wb-tools" }, el("button", {}, _("Rename")), el("button", { type: "button", class: "wb-quiet", onclick: () => this.dialog.close() }, _("Cancel"))));
    return el("dialog", { "aria-label": _("Rename this tab") }, form);
  }

  #named() {
    this.#current.setName(this.name.value.trim().slice(0, 80) || _("Query"));
    this.draw();
  }
}
