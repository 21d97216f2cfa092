"""Links that contradict each other, found by the shapes in ``shapes/link.ttl``: two entries of one source for one thing, two things for one entry, ways
that lead back to another thing, two countries."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyoxigraph as ox

from ..namespaces import COUNTRY, KV, OWL
from ..resources import folder
from ..validate import fast
from .mappings import CLOSE, CURATION
from .mappings import Mapping as Link
from .organisations import Organisation
from .statements import mapping_iri, quads


@dataclass(frozen=True)
class Conflict:
    """A link, and what is wrong with it in words."""

    link: Link
    message: str


def conflicts(links: Sequence[Link], organisations: Iterable[Organisation] = ()) -> Iterator[Conflict]:
    """What the shapes say about links. ``organisations`` are those that are linked, for their countries and identifiers."""
    triples = [quad.triple for quad in quads(links, "2000-01-01")]
    for organisation in organisations:
        subject = ox.NamedNode(organisation.iri)
        if organisation.country:
            triples.append(ox.Triple(subject, ox.NamedNode(KV + "country"), ox.NamedNode(COUNTRY + organisation.country)))
        for same in organisation.identifiers:
            if same != organisation.iri:
                triples.append(ox.Triple(subject, ox.NamedNode(OWL + "sameAs"), ox.NamedNode(same)))
    by_iri = {mapping_iri(link): link for link in links}
    with tempfile.TemporaryDirectory(prefix="kvgraph-") as place:
        data = Path(place) / "links.nt"
        data.write_bytes(ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES))
        results = fast(data, (folder("shapes") / "link.ttl").read_text(encoding="utf-8")).results
    for result in results:
        if link := by_iri.get(result.focus):
            yield Conflict(link, result.message)


def settled(links: Sequence[Link], found: Iterable[Conflict]) -> list[Link]:
    """The links, those in conflict no longer accepted but for a person to decide; what a person has decided stays."""
    against: Mapping[Link, str] = {conflict.link: conflict.message for conflict in found}
    return [
        replace(link, predicate_id=CLOSE, comment=against[link]) if link in against and link.mapping_justification != CURATION else link for link in links
    ]  # fmt: skip
