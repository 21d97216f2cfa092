"""What is certain without comparing names: identifiers in common, a homepage that only the two have, and what follows from these."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from .decide import Evidence
from .mappings import CHAIN, CLOSE, EXACT, INVERSION, LEXICAL, evidence_text
from .mappings import Mapping as Link
from .names import abbreviates, best
from .organisations import Organisation, domain

_BITS = {"identifier": 12.0, "homepage": 8.0}
_ALIKE = 0.4  # of names, that a homepage in common is believed


def by_identifier(ours: Sequence[Organisation], theirs: Sequence[Organisation]) -> Iterator[tuple[int, int, Evidence]]:
    """Pairs with an identifier in common that no other of theirs has, such as a ROR, a PIC or a Wikidata item.

    Two of ours that give one identifier both have it: the shapes then show that they contradict each other (:mod:`.conflicts`).
    """
    for mine, found, value in _shared(ours, theirs, lambda organisation: {organisation.iri, *organisation.identifiers}):
        for a in mine:
            yield a, found, Evidence("identifier", value, _BITS["identifier"])


def by_homepage(ours: Sequence[Organisation], theirs: Sequence[Organisation]) -> Iterator[tuple[int, int, Evidence]]:
    """Pairs with a domain in common that no third has, and names that could be of one organisation."""
    for mine, b, value in _shared(ours, theirs, lambda organisation: {domain(organisation.homepage)} - {""}):
        a = mine[0]
        names = [(x, y) for x in (*ours[a].names, *ours[a].short) for y in (*theirs[b].names, *theirs[b].short)]
        if len(mine) == 1 and any(best(x, [y]) >= _ALIKE or abbreviates(x, y) or abbreviates(y, x) for x, y in names):
            yield a, b, Evidence("homepage", value, _BITS["homepage"])


def _shared(ours, theirs, of) -> Iterator[tuple[list[int], int, str]]:
    """Values that one of theirs has and no other, with those of ours that have them too."""
    sides = []
    for organisations in (ours, theirs):
        having = defaultdict(list)
        for number, organisation in enumerate(organisations):
            for value in of(organisation):
                having[value].append(number)
        sides.append(having)
    left, right = sides
    for value in sorted(left.keys() & right.keys()):
        if len(right[value]) == 1:
            yield left[value], right[value][0], value


# What a query about concepts, regions and policies says of a pair, as a predicate, a justification and a confidence.
_BECAUSE = {
    "identifier": (EXACT, LEXICAL, 0.99),
    "stated": (EXACT, INVERSION, 0.98),
    "label": (CLOSE, LEXICAL, 0.8),
}


def by_statement(rows: Iterable[Mapping[str, str]], tool: str, date: str) -> Iterator[Link]:
    """Links of regions, policies and topics, from rows of the question ``pages/links-of-concepts``: ``ours``, ``theirs``, ``because``, ``value``."""
    for row in rows:
        predicate, justification, confidence = _BECAUSE[row["because"]]
        evidence = evidence_text([Evidence(row["because"], row["value"], _BITS["identifier"] if predicate == EXACT else 2.0)])
        yield Link(row["ours"], row["ourLabel"] or "", predicate, row["theirs"], row["theirLabel"] or "", justification, confidence,
                   object_source=row["source"] or "", mapping_tool=tool, mapping_date=date, other=evidence)  # fmt: skip


def following(links: Iterable[Link], identifiers: Mapping[str, Sequence[str]], wanted: Mapping[str, str]) -> Iterator[Link]:
    """What follows from accepted links: the Wikidata item and so on that the other side gives as its own.

    ``identifiers`` has those of each thing of others, ``wanted`` the beginnings of addresses that we link to, with the source they are of.
    """
    for link in links:
        for other in identifiers.get(link.object_id, ()) if link.accepted else ():
            source = next((name for start, name in wanted.items() if other.startswith(start)), None)
            if source and other != link.object_id:
                evidence = evidence_text([Evidence("follows from", link.object_id, _BITS["identifier"])])
                yield replace(link, object_id=other, object_source=source, mapping_justification=CHAIN, author_id="", comment="", other=evidence)
