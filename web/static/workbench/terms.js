// How terms are shown: short, as text, with a link only where following it is safe and useful.

import { el } from "./dom.js";
import { _ } from "./words.js";

const LONG = 280; // characters of a literal before it is folded

export class Terms {
  /** @param prefixes {prefix: IRI}  @param places [[start of IRI, path of the page about it], …] */
  constructor(prefixes, places) {
    this.prefixes = Object.entries(prefixes).sort((a, b) => b[1].length - a[1].length);
    this.places = places;
  }

  /** An IRI as prefix:name where that is shorter to read. */
  short(iri) {
    const place = this.places.find(([start]) => iri.startsWith(start) && iri.length > start.length);
    const [prefix, start] = this.prefixes.find(([, start]) => iri.startsWith(start)) ?? [];
    if (start && /^[\w.-]+$/.test(iri.slice(start.length))) return `${prefix}:${iri.slice(start.length)}`;
    return place?.[1].endsWith("/doc/") ? iri.slice(place[0].length) : iri;
  }

  /** Where a link to a thing leads: our page about it, else the thing itself if it is on the web, else nowhere. */
  href(iri) {
    const place = this.places.find(([start]) => iri.startsWith(start) && iri.length > start.length);
    if (place) return place[1] + iri.slice(place[0].length).split("/").map(escapeSegment).join("/");
    return /^https?:\/\/[^/]/i.test(iri) ? iri : null;
  }

  /** The text of a term, for charts, sorting and filters. */
  text(term) {
    if (term === null) return "";
    if (term.type === "uri") return this.short(term.value);
    return term.type === "bnode" ? `_:${term.value}` : term.value;
  }

  /** A term as it stands in a cell. */
  draw(term) {
    if (term === null) return "";
    if (term.type === "uri") return this.#link(term.value);
    if (term.type !== "literal") return el("span", { class: "wb-note" }, this.text(term));
    const language = term["xml:lang"];
    const text = el("span", { dir: "auto", lang: validTag(language) }, term.value);
    const notes = [
      language ? el("span", { class: "wb-note", title: _("language") }, `@${language}`) : null,
      term.datatype && !/#(integer|decimal|double|boolean)$/.test(term.datatype)
        ? el("span", { class: "wb-note", title: term.datatype }, this.short(term.datatype))
        : null,
    ];
    if (term.value.length <= LONG) return [text, ...notes];
    return [el("details", {}, el("summary", {}, `${term.value.slice(0, LONG / 2)}…`), text), ...notes];
  }

  #link(iri) {
    const href = this.href(iri);
    const text = this.short(iri);
    if (href === null) return el("span", { title: iri }, text);
    const external = !href.startsWith("/");
    return el("a", { href, title: iri, class: external && "external", rel: external && "external noopener noreferrer" }, text);
  }
}

function escapeSegment(segment) {
  // What follows a # is a part of a document, as in /def/kv#Practice.
  return segment.split("#").map(encodeURIComponent).join("#");
}

function validTag(language) {
  return /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(language ?? "") ? language : null;
}
