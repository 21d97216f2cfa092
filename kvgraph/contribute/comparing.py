"""A submission beside what there is: which statements come and go, who else waits with the same, what an organisation is called elsewhere."""

from dataclasses import dataclass

from sqlalchemy import select

from ..graph import Graph
from ..namespaces import FOAF, ID, SKOS, compact
from . import known
from .book import Book, Submission
from .fields import CLASSES, PARTS, by_path
from .known import Known
from .record import Change, Record, Value, change

STATES = ("submitted", "changes-requested", "accepted")


@dataclass(frozen=True)
class Difference:
    """One statement that comes (+), goes (-) or stays (=), in words."""

    sign: str
    label: str
    text: str
    lang: str = ""
    iri: str = ""


def differences(graph: Graph, record: Record, language: str = "en") -> list[Difference]:
    """What changes, property by property in the order of the form; of a correction also what stays."""
    what: Change = change(record)
    fields = by_path(record.type) if record.type in CLASSES else {}
    order = {path: n for n, path in enumerate(fields)}
    signs = [("-", p, v) for p, v in what.removed] + [("+", p, v) for p, v in what.added]
    signs += [("=", p, v) for p, values in record.values.items() for v in values if v in (record.base or {}).get(p, [])]
    signs.sort(key=lambda s: (order.get(s[1], len(order)), s[1], "-+=".index(s[0])))
    found = [Difference(sign, fields[p].label if p in fields else compact(p), *_shown(graph, p, v, language)) for sign, p, v in signs]
    if record.replaced_by:
        found.append(Difference("+", "replaced by", record.replaced_by[len(ID) :], iri=record.replaced_by))
    if record.deprecated:
        found.append(Difference("+", "deprecated", "yes"))
    return found


def _shown(graph: Graph, path: str, value: Value, language: str) -> tuple[str, str, str]:
    if path == PARTS:
        return f"{known.label(graph, value['agent'], language)} ({known.label(graph, value['role'], language)})", "", value["agent"]
    if "iri" in value:
        link = path == FOAF + "homepage" or path.startswith(SKOS)
        return value["iri"] if link else known.label(graph, value["iri"], language), "", value["iri"]
    return value["text"], value.get("lang", ""), ""


def queued_alike(book: Book, submission: Submission) -> list[Submission]:
    """Other submissions that wait and are about the same thing, or something called nearly so."""
    with book.reading() as session:
        others = session.scalars(select(Submission).where(Submission.state.in_(STATES), Submission.id != submission.id, Submission.type == submission.type).limit(2000)).all()
    return [s for s in others if s.thing == submission.thing or submission.kind == "record" and known.similarity(s.title, submission.title) >= known.ALIKE][:10]


def link_candidates(graph: Graph, record: Record) -> list[Known]:
    """Actors that bear the same identifier elsewhere, or the same homepage: they may be one organisation."""
    elsewhere = [v["iri"] for path in (SKOS + "exactMatch", SKOS + "closeMatch") for v in record.values.get(path, ()) if "iri" in v]
    bearers = {t.subject.value for t in known.context(graph, elsewhere) if t.subject.value != record.thing and t.object.value in elsewhere}
    return [Known(iri, known.label(graph, iri)) for iri in sorted(bearers)]
