"""What somebody submits: the statements about one thing, the page they rest on, and who is to be named for them.

A value is a dictionary, as it is kept in the book: ``{"text", "lang"}`` or ``{"text", "type"}`` of a literal, ``{"iri"}`` of a thing, ``{"agent", "role"}`` of
somebody's part in it.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

import pyoxigraph as ox
from anyascii import anyascii

from ..errors import KvgraphError
from ..namespaces import DCTERMS, GRAPH, ID, KV, ORG, PROV, RDF, SKOS, XSD
from .fields import CLASSES, PARTS, by_path

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
KINDS = ("record", "correction", "report", "merge", "rename", "deprecation", "links")
RELATIONS = ("part", "beneficiary", "observer", "none")  # of a contributor to what they describe
LONGEST_SLUG = 80
LEAD, TITLE, LABEL = KV + "lead", DCTERMS + "title", SKOS + "prefLabel"
GENERATORS = {ID + "actor-kind/university", ID + "actor-kind/rto"}
_DATES = {4: "gYear", 7: "gYearMonth", 10: "date"}
# Control characters but tab and line ends, and U+FFFE and its like, which XML cannot carry; and what turns the text after it round.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]")

Value = dict[str, str]
Values = dict[str, list[Value]]


@dataclass
class Record:
    """``values`` by property; ``base`` is what was known of the thing when somebody began to correct it, None for a new one."""

    type: str
    thing: str = ""
    values: Values = field(default_factory=dict)
    base: Values | None = None
    page: str = ""  # on which the contributor read it
    source_kind: str = ""
    seen: str = ""
    note: str = ""
    relation: str = ""
    credit: str = ""  # the name to publish …
    credit_actor: str = ""  # … or the organisation
    licence: bool = False
    words: str = ""  # of a report: what is wrong
    replaced_by: str = ""  # the thing to use instead
    unclear: dict[str, list[str]] = field(default_factory=dict)  # by field: names of things that are not found, or more than once
    deprecated: bool = False
    form: str = ""  # the opened form in which it was written last

    @classmethod
    def of(cls, content: dict[str, Any]) -> "Record":
        """From what the book keeps, without what would break a release."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: plain(value) for name, value in content.items() if name in known})

    def content(self) -> dict[str, Any]:
        """For the book to keep."""
        return asdict(self)

    def same_as(self, other: "Record") -> bool:
        """Whether both say the same, in whichever forms they were written."""
        return replace(self, form="") == replace(other, form="")

    @property
    def title(self) -> str:
        """What it is called, or was before: in English if it is."""
        name = LABEL if self.type == "actor" else TITLE
        named = self.values.get(name) or (self.base or {}).get(name) or []
        best = next((v for v in named if v.get("lang") == "en"), named[0] if named else {})
        return best.get("text", "")

    @property
    def slug(self) -> str:
        return self.thing.rpartition("/")[2]


@dataclass(frozen=True)
class Change:
    """What a submission takes away from what is known of its thing, and what it adds."""

    removed: list[tuple[str, Value]]
    added: list[tuple[str, Value]]


def change(record: Record) -> Change:
    """How the statements of a record differ from those it was made from.

    >>> record = Record("actor", values={LABEL: [{"text": "New", "lang": "en"}]}, base={LABEL: [{"text": "Old", "lang": "en"}]})
    >>> change(record)
    Change(removed=[('http://www.w3.org/2004/02/skos/core#prefLabel', {'text': 'Old', 'lang': 'en'})], added=[('http://www.w3.org/2004/02/skos/core#prefLabel', {'text': 'New', 'lang': 'en'})])
    """
    base = record.base or {}
    gone = [(p, v) for p, values in base.items() for v in values if v not in record.values.get(p, [])]
    new = [(p, v) for p, values in record.values.items() for v in values if v not in base.get(p, [])]
    return Change(gone, new)


def classified(type_: str, path: str) -> bool:
    """Whether values of a property are concluded by whoever contributes, rather than read on a page."""
    known = by_path(type_).get(path) if type_ in CLASSES else None
    return known.classified if known else path not in (TITLE, LABEL, DCTERMS + "description")


def plain(written: Any) -> Any:
    """A text, or all texts in a list or dictionary, without characters that nobody sees and that break or turn round what they stand in.

    >>> plain({"text": "a\\x00b \\u202ec", "lang": "en"})
    {'text': 'ab c', 'lang': 'en'}
    """
    if isinstance(written, str):
        return _UNSEEN.sub("", written)
    if isinstance(written, list):
        return [plain(one) for one in written]
    return {name: plain(one) for name, one in written.items()} if isinstance(written, dict) else written


# ── Terms ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def term(value: Value) -> ox.NamedNode | ox.Literal:
    """A value as a term of RDF. Raises ``ValueError`` for what is no IRI or no language.

    >>> str(term({"text": "2014-05", "type": "gYearMonth"})), str(term({"text": "Labor", "lang": "de"}))
    ('"2014-05"^^<http://www.w3.org/2001/XMLSchema#gYearMonth>', '"Labor"@de')
    """
    if "iri" in value:
        return ox.NamedNode(value["iri"])
    if value.get("type"):
        return ox.Literal(value["text"], datatype=ox.NamedNode(XSD + value["type"]))
    return ox.Literal(value["text"], language=value["lang"]) if value.get("lang") else ox.Literal(value["text"])


def value_of(node: ox.NamedNode | ox.Literal) -> Value:
    """The other way round."""
    if isinstance(node, ox.NamedNode):
        return {"iri": node.value}
    if node.language:
        return {"text": node.value, "lang": node.language}
    kind = node.datatype.value
    return {"text": node.value} if kind == XSD + "string" else {"text": node.value, "type": kind.removeprefix(XSD)}


def date_value(text: str) -> Value:
    """A year, month or day, with the type that goes with its length.

    >>> date_value("2014-05")
    {'text': '2014-05', 'type': 'gYearMonth'}
    """
    text = text.strip()
    return {"text": text, "type": _DATES.get(len(text), "gYear")}


def participation(thing: str, agent: str, role: str) -> str:
    """The IRI of somebody's part in something."""
    last = lambda iri: iri.rpartition("/")[2]  # noqa: E731
    return f"{ID}participation/{last(thing)}--{last(agent)}--{last(role)}"


def triples_of(record: Record, path: str, value: Value) -> Iterator[ox.Triple]:
    """The statements that a value stands for: one, and for a part and a lead what describes it."""
    thing = ox.NamedNode(record.thing)
    if path != PARTS:
        yield ox.Triple(thing, ox.NamedNode(path), term(value))
    if path == LEAD:
        value = {"agent": value["iri"], "role": ID + "role/lead"}
    if path in (PARTS, LEAD):
        part = ox.NamedNode(participation(record.thing, value["agent"], value["role"]))
        yield ox.Triple(thing, ox.NamedNode(PARTS), part)
        yield ox.Triple(part, ox.NamedNode(RDF + "type"), ox.NamedNode(KV + "Participation"))
        yield ox.Triple(part, ox.NamedNode(PROV + "agent"), ox.NamedNode(value["agent"]))
        yield ox.Triple(part, ox.NamedNode(PROV + "hadRole"), ox.NamedNode(value["role"]))


def types_of(record: Record) -> list[str]:
    """The classes of the thing."""
    generator = any(v.get("iri") in GENERATORS for v in record.values.get(ORG + "classification", ()))
    return [KV + CLASSES[record.type], *([KV + "KnowledgeGenerator"] if record.type == "actor" and generator else [])]


def triples(record: Record) -> list[ox.Triple]:
    """Everything the record says of its thing."""
    typed = [ox.Triple(ox.NamedNode(record.thing), ox.NamedNode(RDF + "type"), ox.NamedNode(class_)) for class_ in types_of(record)]
    return [*typed, *(t for path, values in record.values.items() for value in values for t in triples_of(record, path, value))]


def require_address(record: Record) -> None:
    """Raises :class:`~kvgraph.errors.KvgraphError` if a record would not stand in a file of its own: nothing of it would be in a release."""
    if not (is_ours(record.thing) and record.thing.startswith(thing_of(record.type, ""))):
        raise KvgraphError(
            f"<{record.thing[:200]}> cannot be the address of a record of this kind.",
            hint=f"Write {thing_of(record.type, 'my-record')}: small letters, digits and hyphens, at most 200 of them.",
        )


def require_well_formed(record: Record) -> None:
    """Raises :class:`~kvgraph.errors.KvgraphError` if no file could be made of a record: one that is must never stand in the way of a release."""
    try:
        for iri in filter(None, (record.thing, record.page, record.source_kind, record.credit_actor, record.replaced_by)):
            ox.NamedNode(iri)
        for path, values in record.values.items():
            for value in values:
                list(triples_of(record, path, value))
    except (ValueError, KeyError):
        raise KvgraphError("Some of this is not well-formed, such as an address that is none.", hint="Send it for review: what must be mended is listed.") from None


def require_page(record: Record) -> None:
    """Raises :class:`~kvgraph.errors.KvgraphError` if a record says something without a page it was read on: no release may have that."""
    if not record.page and (record.base is None or record.deprecated or change(record).added):
        raise KvgraphError("There is no page on which this was read.", hint="Ask for changes: the page is filled in at the end of the form.")


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=1024)
def slug(text: str) -> str:
    """Text as the last part of an address.

    >>> slug("Łódź: Zażółć gęślą jaźń!")
    'lodz-zazolc-gesla-jazn'
    """
    return re.sub(r"[^a-z0-9]+", "-", anyascii(text[:400]).lower()).strip("-")[:LONGEST_SLUG].strip("-")


def thing_of(type_: str, name: str) -> str:
    """The IRI of a thing of ours."""
    return f"{ID}{type_}/{name}"


def graphs_of(thing: str) -> str:
    """What the names of the graphs about a thing of ours begin with."""
    return GRAPH + thing.removeprefix(ID) + "/"


def is_ours(thing: str) -> bool:
    """Whether a thing has an address of ours that can be the name of a file."""
    return re.fullmatch(re.escape(ID) + r"(practice|learning-example|actor|policy|principle)/[a-z0-9][a-z0-9-]{0,199}", thing) is not None
