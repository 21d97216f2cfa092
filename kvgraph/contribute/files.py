"""The files that accepted submissions become: ``$KVGRAPH_HOME/sources/contributions/``, in the form and under the names of ``data/``.

A file there takes the place of the one of the same name in ``data/``. It follows from that one and from the accepted submissions about its thing, in the
order in which they were accepted, and from nothing else: written twice it is the same, and without a submission it is as if that had never been.
"""

import os
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path

import pyoxigraph as ox
from sqlalchemy import select

from ..build.rdf import describe, english, typed
from ..namespaces import DCAT, DCTERMS, GRAPH, ID, KV, OWL, PROV, RDF, RDFS, SKOS
from ..resources import folder
from . import trig
from .book import Book, Event, Submission
from .record import LEAD, LICENCE, PARTS, Record, Value, change, classified, graphs_of, is_ours, participation, slug, triples_of, types_of

SOURCE = ID + "source/contributions"
CURATORS = ID + "actor/kvgraph-curators"
CONTRIBUTION = ID + "source-kind/contribution"
LIVE = ("accepted", "published")
_FOLDERS = {"policy": "policies"}  # the others are called as their type, with an s
RELATIONS = {
    "part": "The contributor takes part in it.", "beneficiary": "The contributor benefits from it.", "observer": "The contributor knows it from outside.",
}  # fmt: skip


def contributions(home: Path) -> Path:
    return home / "sources" / "contributions"


class Unfit(Exception):
    """No file can be made of an accepted submission."""

    def __init__(self, submission: str, why: object):
        super().__init__(f"No file can be made of it: {why}")
        self.submission = submission


def reconcile(book: Book, data: Path | None = None, aside: Collection[str] = ()) -> list[tuple[str, int]]:
    """Make the files what the book says, whatever was interrupted before. Returns id and version of the submissions the next release must be told of.

    Those ``aside`` are left for a later release: what was accepted is not there yet, what was undone still is. Raises :class:`Unfit`.
    """
    root, data = contributions(book.home), data or folder("data")
    with book.reading() as session:
        stale = list(session.scalars(select(Submission).where(Submission.stale).order_by(Submission.accepted)))
        live = set(session.scalars(select(Submission.thing).where(Submission.state.in_(LIVE), Submission.kind != "report")))
    things = live | {s.thing for s in stale if s.kind != "report"}
    for thing in sorted(filter(is_ours, things)):
        _put(root / name_of(thing, data), text_of(book, thing, data, aside))
    if any(root.rglob("*.trig")):
        _put(root / "contributions.ttl", _dataset())
    else:
        _put(root / "contributions.ttl", None)
    return [(s.id, s.version) for s in stale if s.id not in aside]


def name_of(thing: str, data: Path) -> Path:
    """The file of a thing, below ``data`` and below ``contributions``."""
    type_, _, slug = thing.removeprefix(ID).partition("/")
    usual = Path(_FOLDERS.get(type_, f"{type_}s")) / f"{slug}.trig"
    if (data / usual).is_file():
        return usual
    found = [p for p in sorted(data.rglob(f"{slug}.trig")) if graphs_of(thing) in p.read_text(encoding="utf-8")]
    return found[0].relative_to(data) if found else usual


def text_of(book: Book, thing: str, data: Path, aside: Collection[str] = ()) -> str | None:
    """What the file of a thing has to say; None if there must be none. Raises :class:`Unfit`."""
    with book.reading() as session:
        there = Submission.state.in_(LIVE) | (Submission.state == "undone") & Submission.id.in_(aside)
        found = session.scalars(select(Submission).where(Submission.thing == thing, there, Submission.kind != "report").order_by(Submission.accepted, Submission.id)).all()
        events = {s.id: _decision(s.events) for s in found}
    quads = base = base_of(thing, data)
    known = {q.object.value for q in quads if q.predicate.value == PROV + "wasGeneratedBy"}
    fresh = [s for s in found if (s.state == "undone" or s.id not in aside) and submission_iri(s.id) not in known]  # of the others some have come back with data/ already
    if not fresh:
        return None
    for submission in fresh:
        if submission.kind == "record" and submission.state == "accepted" and base:
            raise Unfit(submission.id, "there is another record under its address by now. Accepted again it gets an address of its own.")
        try:
            quads = applied(quads, submission, events[submission.id])
        except Exception as error:  # noqa: BLE001  whatever is in the book: it is the matter of this one, and the others are published
            raise Unfit(submission.id, error) from error
    return trig.write(quads, thing, graphs_of(thing))


def proposed(book: Book, submission: Submission, data: Path | None = None) -> str:
    """What the file of its thing would say if a submission were accepted now."""
    if not is_ours(submission.thing) or submission.kind == "report":
        return submission.content.get("words", "")
    quads = list(ox.parse(text_of(book, submission.thing, data or folder("data")) or "", format=ox.RdfFormat.TRIG)) or base_of(submission.thing, data or folder("data"))
    return trig.write(applied(quads, submission, submission.changed), submission.thing, graphs_of(submission.thing))


def base_of(thing: str, data: Path) -> list[ox.Quad]:
    """What the curated file of a thing says."""
    path = data / name_of(thing, data)
    return list(ox.parse(path=str(path), format=ox.RdfFormat.TRIG)) if path.is_file() else []


def submission_iri(submission_id: str) -> str:
    return f"{ID}submission/{submission_id}"


# ── Applying a submission ────────────────────────────────────────────────────────────────────────────────────────────


def applied(quads: list[ox.Quad], submission: Submission, decided: datetime) -> list[ox.Quad]:
    """The quads of a file after a submission: what it takes away is gone from every graph, what it adds is in graphs of its own."""
    record = Record.of(submission.content)
    record.thing = submission.thing
    what = change(record)
    quads = _without(quads, record, what.removed)
    stated = [t for p, v in what.added if not classified(record.type, p) for t in triples_of(record, p, v)]
    concluded = [t for p, v in what.added if classified(record.type, p) for t in triples_of(record, p, v)]
    if record.base is None:
        concluded = [ox.Triple(ox.NamedNode(record.thing), ox.NamedNode(RDF + "type"), ox.NamedNode(c)) for c in types_of(record)] + concluded
    if record.deprecated:
        concluded.append(ox.Triple(ox.NamedNode(record.thing), ox.NamedNode(OWL + "deprecated"), ox.Literal(True)))
    about = ox.NamedNode(graphs_of(record.thing) + "about")
    said: list[ox.Triple] = []
    for basis, triples in (("stated", stated), ("classified", concluded)):
        if triples:
            graph = ox.NamedNode(_free(quads, graphs_of(record.thing), basis))
            quads += [ox.Quad(*t, graph) for t in triples]
            said += _described(graph.value, basis, record, submission)
    if record.replaced_by:
        said.append(ox.Triple(ox.NamedNode(record.thing), ox.NamedNode(DCTERMS + "isReplacedBy"), ox.NamedNode(record.replaced_by)))
    said += _provenance(record, submission, decided)
    return quads + [ox.Quad(*t, about) for t in said]


def _without(quads: list[ox.Quad], record: Record, removed: Iterable[tuple[str, Value]]) -> list[ox.Quad]:
    gone, parts = set(), set()
    for path, value in removed:
        if path in (PARTS, LEAD):
            agent, role = (value["iri"], ID + "role/lead") if path == LEAD else (value["agent"], value["role"])
            parts |= {participation(record.thing, agent, role), *_parts(quads, agent, role)}
        gone |= {(t.subject, t.predicate, t.object) for t in triples_of(record, path, value)}
    left = [q for q in quads if (q.subject, q.predicate, q.object) not in gone and q.subject.value not in parts and getattr(q.object, "value", "") not in parts]
    about, full = graphs_of(record.thing) + "about", {q.graph_name.value for q in left}
    of_ours = lambda iri: iri.startswith(graphs_of(record.thing)) and iri != about  # noqa: E731
    return [q for q in left if not (of_ours(q.subject.value) and q.subject.value not in full)]  # a graph that says nothing any more needs no description


def _parts(quads: list[ox.Quad], agent: str, role: str) -> set[str]:
    """Parts of that actor in that role, under whatever name."""
    agents = {q.subject.value for q in quads if q.predicate.value == PROV + "agent" and q.object.value == agent}
    return agents & {q.subject.value for q in quads if q.predicate.value == PROV + "hadRole" and q.object.value == role}


def _free(quads: list[ox.Quad], graphs: str, basis: str) -> str:
    """The name of the next graph of this basis: ``stated-1``, ``stated-2`` …; the first that classifies has no number."""
    taken, number = {q.graph_name.value for q in quads}, 1
    name = lambda n: f"{graphs}{basis}" + ("" if basis == "classified" and n == 1 else f"-{n}")  # noqa: E731
    while name(number) in taken:
        number += 1
    return name(number)


def _described(graph: str, basis: str, record: Record, submission: Submission) -> list[ox.Triple]:
    note = " ".join(filter(None, (record.note, RELATIONS.get(record.relation, ""))))
    seen = record.seen or f"{submission.submitted or submission.created:%Y-%m}"
    return list(describe(
        graph, (RDF + "type", PROV + "Entity"), (KV + "basis", f"{ID}basis/{basis}"), (DCTERMS + "source", record.page or None),
        (KV + "seenOn", typed(seen, "gYearMonth" if len(seen) == 7 else "date")), (KV + "sourceKind", _kinds(record, submission)),
        (PROV + "wasAttributedTo", credited(record)), (DCTERMS + "isPartOf", SOURCE), (PROV + "wasGeneratedBy", submission_iri(submission.id)),
        (DCTERMS + "license", LICENCE), (RDFS + "comment", english(note) if note else None),
    ))  # fmt: skip


def _kinds(record: Record, submission: Submission) -> list[str]:
    """The kind of the page; and that a reader contributed it, not a curator with a tool, so that a search can be narrowed to that."""
    return [*filter(None, [record.source_kind]), *([CONTRIBUTION] if submission.kind in ("record", "correction") else [])]


def credited(record: Record) -> str:
    """Who is named for a contribution: an organisation of the graph, or a name somebody chose to publish."""
    if record.credit_actor:
        return record.credit_actor
    return f"{ID}contributor/{slug(record.credit) or 'anonymous'}"


def _provenance(record: Record, submission: Submission, decided: datetime) -> list[ox.Triple]:
    """Who contributed it when, and that a curator decided when: PROV activities."""
    iri, decision = submission_iri(submission.id), submission_iri(submission.id) + "/decision"
    day = lambda when: typed(f"{when:%Y-%m-%dT%H:%M:%S}Z", "dateTime")  # noqa: E731
    sent = submission.submitted or submission.created
    said = [
        *describe(
            iri, (RDF + "type", PROV + "Activity"), (RDFS + "label", english(f"Contribution of {sent.day} {sent:%B %Y}")),
            (PROV + "endedAtTime", day(sent)), (PROV + "wasAssociatedWith", credited(record)),
        ),
        *describe(
            decision, (RDF + "type", PROV + "Activity"), (RDFS + "label", english("Accepted by a curator")), (PROV + "endedAtTime", day(decided)),
            (PROV + "wasAssociatedWith", CURATORS), (PROV + "wasInformedBy", iri),
        ),
    ]  # fmt: skip
    if not record.credit_actor:
        said += describe(credited(record), (RDF + "type", PROV + "Agent"), (SKOS + "prefLabel", english(record.credit or "A contributor who is not named")))
    return said


def _decision(events: list[Event]) -> datetime:
    return max((e.at for e in events if e.action == "accepted"), default=datetime(2026, 1, 1))


def _dataset() -> str:
    """What the catalogue says of contributions, and who curators are where nobody else says so."""
    said = [
        *describe(
            SOURCE, (RDF + "type", DCAT + "Dataset"), (DCTERMS + "title", english("Contributions to this site")),
            (DCTERMS + "description", english("Practices, learning examples, actors and corrections that readers of this site contributed and its curators accepted: one named graph per page that a contributor read, one for what they concluded, each with the name its contributor chose to publish.")),
            (DCTERMS + "publisher", CURATORS), (DCTERMS + "license", LICENCE), (DCAT + "landingPage", GRAPH.removesuffix("graph/") + "def/kv"),
        )
    ]  # fmt: skip
    return ox.serialize(said, format=ox.RdfFormat.TURTLE, prefixes={"dcat": DCAT, "dcterms": DCTERMS, "source": ID + "source/", "actor": ID + "actor/"}).decode()


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _put(path: Path, text: str | None) -> None:
    """Have a file say ``text`` or not be there, whole and on the disk before anything depends on it."""
    if text is None:
        path.unlink(missing_ok=True)
        return
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
