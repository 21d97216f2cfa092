"""TriG in the form of the records in ``data/``: prefixes in one column, one property a line, the graph that describes the others last."""

import re
from collections.abc import Iterable

import pyoxigraph as ox

from ..namespaces import COUNTRY, DCTERMS, FOAF, ID, KV, NUTS, ORG, OWL, PREFIXES, PROV, RDF, RDFS, SCHEMA, SKOS, XSD

# What of a thing is said first; all else follows by name.
ORDER = (
    RDF + "type", KV + "basis", DCTERMS + "title", SKOS + "prefLabel", DCTERMS + "alternative", SKOS + "altLabel", DCTERMS + "identifier",
    DCTERMS + "description", KV + "lesson", KV + "condition", KV + "programme", KV + "challengeStatement", KV + "outcome", KV + "targetGroup",
    KV + "fundingProgramme", ORG + "classification", SCHEMA + "startDate", SCHEMA + "endDate", KV + "country", KV + "level", DCTERMS + "spatial",
    SCHEMA + "addressLocality", FOAF + "homepage", KV + "toolKind", KV + "channel", KV + "challenge", KV + "benefit", KV + "asset", KV + "capacity",
    KV + "implements", KV + "takesUp", KV + "drawsOn", KV + "lead", PROV + "qualifiedAssociation", PROV + "agent", PROV + "hadRole",
    DCTERMS + "source", KV + "seenOn", KV + "sourceKind", PROV + "wasAttributedTo", DCTERMS + "isPartOf", PROV + "wasGeneratedBy", DCTERMS + "license",
    RDFS + "label", RDFS + "comment", OWL + "deprecated",
)  # fmt: skip
_RANK = {iri: n for n, iri in enumerate(ORDER)}
_LOCAL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")
_KNOWN = {namespace: prefix for prefix, namespace in PREFIXES.items()} | {NUTS: "nuts", COUNTRY: "country", "https://ror.org/": "ror", "http://www.wikidata.org/entity/": "wd"}


def write(quads: Iterable[ox.Quad], thing: str, graphs: str) -> str:
    """The quads as TriG. ``thing`` is named first in every graph; ``graphs`` is what the names of its graphs begin with."""
    prefixes = _Prefixes(graphs)
    by_graph: dict[str, dict] = {}
    for quad in sorted(set(quads), key=str):
        by_graph.setdefault(quad.graph_name.value, {}).setdefault(quad.subject, {}).setdefault(quad.predicate.value, []).append(quad.object)
    blocks = [_graph(name, by_graph[name], thing, prefixes) for name in sorted(by_graph, key=_order_of_graph)]
    return prefixes.declarations() + "\n" + "\n".join(blocks)


def _order_of_graph(name: str) -> tuple:
    last = name.rpartition("/")[2]
    kind, _, number = last.partition("-")
    return (("stated", "classified", "derived", "about").index(kind) if kind in ("stated", "classified", "derived", "about") else 2, int(number) if number.isdigit() else 0, name)


def _graph(name: str, subjects: dict, thing: str, prefixes: "_Prefixes") -> str:
    ordered = sorted(subjects, key=lambda s: (s.value != thing, s.value))
    return f"{prefixes.term(ox.NamedNode(name))} {{\n" + "\n".join(_subject(s, subjects[s], prefixes) for s in ordered) + "}\n"


def _subject(subject, properties: dict, prefixes: "_Prefixes") -> str:
    lines = []
    for path in sorted(properties, key=lambda p: (_RANK.get(p, len(_RANK)), p)):
        objects = [prefixes.term(o) for o in properties[path]]
        name = "a" if path == RDF + "type" else prefixes.term(ox.NamedNode(path))
        many = len(objects) > 1 and sum(map(len, objects)) > 80
        lines.append(f"{name}\n            " + " ,\n            ".join(objects) if many else f"{name} " + " , ".join(objects))
    apart = " " if lines[0].startswith("a ") else "\n        "
    return f"    {prefixes.term(subject)}{apart}" + " ;\n        ".join(lines) + " .\n"


class _Prefixes:
    """Short names for terms, and the declarations of those that were used."""

    def __init__(self, graphs: str):
        self.graphs = graphs
        self.used: dict[str, str] = {}

    def term(self, node) -> str:
        if isinstance(node, ox.NamedNode):
            return self._name(node)
        if node.language or node.datatype.value == XSD + "string":
            return str(node)
        return f"{ox.Literal(node.value)}^^{self._name(node.datatype)}"

    def _name(self, node: ox.NamedNode) -> str:
        namespace, prefix, local = self._split(node.value)
        if not prefix or not _LOCAL.fullmatch(local):
            return str(node)
        self.used[prefix] = namespace
        return f"{prefix}:{local}"

    def _split(self, iri: str) -> tuple[str, str, str]:
        if iri.startswith(self.graphs):
            return self.graphs, "g", iri[len(self.graphs) :]
        cut = max(iri.rfind("#"), iri.rfind("/")) + 1
        namespace, local = iri[:cut], iri[cut:]
        if namespace.startswith(ID) and re.fullmatch(r"[a-z][a-z-]*/", namespace[len(ID) :]):
            return namespace, namespace[len(ID) : -1], local
        return namespace, _KNOWN.get(namespace, ""), local

    def declarations(self) -> str:
        width = max(map(len, self.used), default=0) + 1
        ordered = sorted(self.used, key=lambda p: ({"g": 0, "kv": 1}.get(p, 2), p))
        return "".join(f"@prefix {p + ':':<{width}} <{self.used[p]}> .\n" for p in ordered)
