"""Labelled sets for linking, made from a register that knows several names of its organisations.

A name is taken out of the register and asked for, with the country and mostly the place of its organisation: what it was taken from is the
answer. The same seed gives the same set. Organisations are in five parts (by a hash of their identifier), so that what is learnt from some is tried on others.
"""

import gzip
import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kvgraph.link.names import is_short, parse, script
from kvgraph.link.organisations import Organisation
from kvgraph.link.reading import kind

ALL = frozenset(range(5))
TEST = frozenset({1, 3})
PLACES = 0.85  # share of questions that name the place
ABSENT = 0.1  # share of organisations asked for that the register is made not to have, while fitting


@dataclass(frozen=True)
class Labelled:
    """A name asked for, and the organisation it was taken from. ``kind``: same-script, other-script, acronym."""

    asked: Organisation
    answer: str
    kind: str


def ror(path: Path) -> list[dict]:
    """The records of a ROR dump of schema 2."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def part(iri: str) -> int:
    """Which of five parts an organisation is in.

    >>> part("https://ror.org/000063q30") in ALL
    True
    """
    return hashlib.sha256(iri.encode()).digest()[-1] % len(ALL)


def organisations(records: Iterable[dict]) -> Iterator[Organisation]:
    """Organisations of a ROR dump, with all that is compared."""
    for record in records:
        where = record["locations"][0]["geonames_details"] if record["locations"] else {}
        yield Organisation(
            iri=record["id"],
            names=tuple(n["value"] for n in sorted(record["names"], key=lambda n: "ror_display" not in n["types"]) if "acronym" not in n["types"]),
            short=tuple(n["value"] for n in record["names"] if "acronym" in n["types"]),
            country=where.get("country_code", ""),
            place=where.get("name", ""),
            homepage=next((link["value"] for link in record["links"] if link["type"] == "website"), ""),
            kind=kind(", ".join(record["types"])),
            parents=tuple(other["id"] for other in record["relationships"] if other["type"] == "parent"),
        )


def is_code(text: str) -> bool:
    """Whether a name is an acronym or the code of a unit, such as "UMR 8539": nothing that could be read as a name.

    >>> is_code("UMR 8539"), is_code("CNRS"), is_code("Laboratoire Arago")
    (True, True, False)
    """
    core = parse(text).core
    return is_short(text) or (any(word.isdigit() for word in core) and all(word.isdigit() or len(word) <= 4 for word in core))


def held_out(every: list[Organisation], parts: frozenset[int], seed: int = 7, absent: float = 0.0, homepages: float = 0.0) -> tuple[list[Labelled], list[Organisation]]:
    """One name of every organisation of some parts that has more than one, and the register without those names.

    A share ``homepages`` of them is asked for with its homepage. A share ``absent`` of these organisations is taken out of the register altogether: nothing is the answer to their names.
    """
    chance, labelled, left = random.Random(seed), [], []
    for organisation in every:
        first, *others = organisation.names or ("",)
        if part(organisation.iri) not in parts or not others:
            left.append(organisation)
            continue
        taken = chance.choice(others)
        kind = "acronym" if is_code(taken) else "same-script" if script(taken) == script(first) else "other-script"
        place = organisation.place if chance.random() < PLACES else ""
        homepage = organisation.homepage if homepages and chance.random() < homepages else ""
        asked = Organisation("asked:" + organisation.iri, (taken,), country=organisation.country, place=place, homepage=homepage)
        if chance.random() < absent:
            labelled.append(Labelled(asked, "", kind))
            continue
        labelled.append(Labelled(asked, organisation.iri, kind))
        left.append(replace(organisation, names=tuple(n for n in organisation.names if n != taken), short=tuple(n for n in organisation.short if n != taken)))
    return labelled, left
