// Completion of prefixes, classes and properties from what this endpoint holds. YASQE's own completers ask prefix.cc and
// Linked Open Vocabularies; these ask nobody but us.

import { el, number } from "./dom.js";
import { _ } from "./words.js";

const MOST = 60;

/**
 * Puts our completers in the place of YASQE's.
 * @param prefixes {prefix: IRI}
 * @param terms address of the answer that lists the terms: columns term, kind ("class" or "property"), label, uses
 */
export function completeFromHere(Yasqe, prefixes, termsAddress) {
  const declarations = Object.entries(prefixes).map(([name, iri]) => `${name}: <${iri}>`).sort();
  const { prefixes: prefixCompleter, class: classCompleter, property: propertyCompleter } = Yasqe.Autocompleters;
  Object.assign(prefixCompleter, { get: () => declarations, persistenceId: null });
  const terms = new TermList(termsAddress);
  for (const [completer, kind] of [[classCompleter, "class"], [propertyCompleter, "property"]]) {
    const inPlace = completer.isValidCompletionPosition;
    Object.assign(completer, {
      autoShow: true,
      get: (_, token) => terms.matching(kind, token),
      isValidCompletionPosition: (yasqe) => inPlace(yasqe) && !yasqe.getCompleteToken().string.startsWith("_:"),
      postProcessSuggestion: (yasqe, token, iri) => shorten(iri, yasqe.getPrefixesFromQuery(), prefixes),
      postprocessHints: (_, hints) => hints.map((hint) => ({ ...hint, render: (line) => terms.describe(line, hint.text) })),
    });
  }
}

class TermList {
  constructor(address) {
    this.address = address;
    this.labels = new Map(); // suggestion as it is written → what it means
  }

  async load() {
    this.loading ??= fetch(this.address, { headers: { Accept: "application/sparql-results+json" } })
      .then((response) => (response.ok ? response.json() : Promise.reject(new Error(response.statusText))))
      .then(({ results }) => results.bindings.map(({ term, kind, label, uses }) => ({ iri: term.value, kind: kind.value, label: label?.value ?? "", uses: Number(uses?.value ?? 0) })))
      .catch(() => []); // without the list one types the names oneself
    return this.loading;
  }

  /** The IRIs of a kind that continue what is typed; without a colon also those with the word in name or label. */
  async matching(kind, token) {
    const typed = (token?.autocompletionString ?? token?.string ?? "").trim();
    const word = /^[\w-]+$/.test(typed) && typed !== "a" ? typed.toLowerCase() : null;
    const fits = ({ iri, label }) =>
      typed === "" || iri.startsWith(typed) || (word && (localName(iri).toLowerCase().startsWith(word) || label.toLowerCase().includes(word)));
    const found = (await this.load()).filter((term) => term.kind === kind && fits(term)).sort((a, b) => b.uses - a.uses || (a.iri < b.iri ? -1 : 1));
    this.found = found;
    return found.slice(0, MOST).map((term) => term.iri);
  }

  describe(line, written) {
    const name = written.replace(/^<|>$/g, "").replace(/^[^:/]*:(?!\/)/, "");
    const term = this.found?.find(({ iri }) => iri.endsWith(name));
    const uses = term?.uses ? _("%(n)s uses", { n: number.format(term.uses) }) : "";
    line.append(el("span", {}, written), el("span", { class: "wb-note" }, [term?.label, uses].filter(Boolean).join(" · ")));
  }
}

function localName(iri) {
  return iri.slice(Math.max(iri.lastIndexOf("#"), iri.lastIndexOf("/")) + 1);
}

/** prefix:name by the query's own prefixes, else by ours (YASQE then declares it), else the whole IRI. */
function shorten(iri, declared, known) {
  for (const prefixes of [declared, known]) {
    for (const [name, start] of Object.entries(prefixes)) {
      if (start && iri.startsWith(start) && /^[A-Za-z_][\w-]*$/.test(iri.slice(start.length))) return `${name}:${iri.slice(start.length)}`;
    }
  }
  return `<${iri}>`;
}
