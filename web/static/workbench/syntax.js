// Marks the first line that is not SPARQL. Replaces YASQE's own marker, whose tooltip is HTML with style attributes.

import { el } from "./dom.js";
import { _ } from "./words.js";

export function checkSyntax() {
  this.queryValid = true;
  this.clearGutter("gutterErrorBar");
  const lines = this.getDoc().lineCount();
  for (let line = 0; line < lines; line++) {
    const { state } = this.getTokenAt({ line, ch: this.getDoc().getLine(line).length }, true);
    this.setOption("queryType", state.queryType);
    if (state.OK !== false) continue;
    const expected = (state.possibleCurrent ?? []).slice(0, 12).join(", ");
    const reason = state.errorMsg || (expected ? _("Not expected here. It could be: %(terms)s", { terms: expected }) : _("Not expected here."));
    this.setGutterMarker(line, "gutterErrorBar", el("span", { class: "wb-wrong", role: "img", "aria-label": reason, title: reason }, "!"));
    this.queryValid = false;
    break;
  }
}
