"""How well and how fast names are reconciled: noisy variants of our own actors' names, and other names taken out of the index before they are asked for.

    python -m tests.bench reconciliation
"""

import argparse
import random
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox
from anyascii import anyascii

import kvgraph
from kvgraph.link.names import is_short
from kvgraph.namespaces import KV, RDF, SKOS
from kvgraph.reconciliation import NameIndex, Reconciler, build_names
from kvgraph.search_facets import Facets

SEED = 20221202
LEGAL = {"DEU": "e.V.", "AUT": "GmbH", "ESP": "S.L.", "ITA": "S.r.l.", "FRA": "SAS", "POL": "sp. z o.o.", "PRT": "Lda", "NLD": "B.V.", "BEL": "vzw", "FIN": "ry", "SVN": "d.o.o.", "CZE": "s.r.o."}  # fmt: skip
_ABBREVIATED = (("University", "Univ."), ("Universität", "Univ."), ("Institute", "Inst."), ("Technology", "Tech."), ("Research", "Res."), ("Centre", "Ctr"), ("Development", "Dev."), ("Ministry", "Min."))  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A name as somebody may write it, what it means (an IRI, or nothing here), and the country of that."""

    kind: str
    name: str
    meant: str | None
    country: str


def typed(name: str, chance: random.Random, errors: int = 1) -> str:
    """A name with typing errors: letters swapped, lost, doubled or wrong."""
    letters = list(name)
    for _ in range(errors):
        at = chance.randrange(1, len(letters) - 1)
        match chance.randrange(4):
            case 0:
                letters[at], letters[at - 1] = letters[at - 1], letters[at]
            case 1:
                del letters[at]
            case 2:
                letters.insert(at, letters[at])
            case _:
                letters[at] = chance.choice("aeinorst")
    return "".join(letters)


def variants(name: str, country: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, variant) of a name, each kind where it changes something."""
    words = name.split()
    yield "capitals", name.upper()
    if len(name) > 9:
        yield "typing error", typed(name, chance)
    if len(name) > 20:
        yield "two typing errors", typed(name, chance, 2)
    if len(words) > 2:
        yield "order", f"{words[-1]}, {' '.join(words[:-1])}"
        yield "little words lost", " ".join(w for w in words if w.lower() not in ("of", "the", "for", "and", "de", "für", "i"))
        lost = chance.randrange(len(words))
        yield "a word lost", " ".join(w for n, w in enumerate(words) if n != lost)
    if country in LEGAL:
        yield "legal form", f"{name} {LEGAL[country]}"
    if anyascii(name) != name:
        yield "accents lost", anyascii(name)
    short = name
    for long, abbreviated in _ABBREVIATED:
        short = re.sub(rf"\b{long}\b", abbreviated, short)
    if short != name:
        yield "abbreviated", short
    yield "unit added", f"{name}, Department of Physics"


def noisy(store: ox.Store, limit: int = 10_000) -> list[Asked]:
    """Variants of the names of the actors of a store, and for each actor a name that nobody has."""
    chance = random.Random(SEED)
    asked = []
    actors = sorted(q.subject.value for q in store.quads_for_pattern(None, ox.NamedNode(RDF + "type"), ox.NamedNode(KV + "Actor"), ox.DefaultGraph()))
    for iri in actors[:limit]:
        name = next(v for v in sorted(_texts(store, iri, SKOS + "prefLabel")))
        country = next(iter(_objects(store, iri, KV + "country")), "").rpartition("/")[2]
        for kind, variant in variants(name, country, chance):
            asked.append(Asked(kind, variant, None if kind == "unit added" else iri, country))
    return asked


def held_out(store: ox.Store) -> tuple[ox.Store, list[Asked]]:
    """The store without the other names of actors, and these names; acronyms apart."""
    rest, asked = ox.Store(), []
    alternative = ox.NamedNode(SKOS + "altLabel")
    rest.extend(q for q in store if q.predicate != alternative)
    for quad in sorted(store.quads_for_pattern(None, alternative, None, ox.DefaultGraph()), key=str):
        if "/id/actor/" in quad.subject.value:
            country = next(iter(_objects(store, quad.subject.value, KV + "country")), "").rpartition("/")[2]
            kind = "acronym, not in the index" if is_short(quad.object.value) else "other name, not in the index"
            asked.append(Asked(kind, quad.object.value, quad.subject.value, country))
    return rest, asked


def _texts(store: ox.Store, iri: str, predicate: str) -> list[str]:
    return [q.object.value for q in store.quads_for_pattern(ox.NamedNode(iri), ox.NamedNode(predicate), None, ox.DefaultGraph())]


_objects = _texts


@dataclass
class Score:
    """Of ``asked`` names so many were found first (``at_1``), among five (``at_5``), taken (``matched``), and taken rightly (``right``)."""

    asked: int = 0
    meant: int = 0
    at_1: int = 0
    at_5: int = 0
    matched: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.matched if self.matched else 1.0

    def count(self, meant: str | None, candidates: list) -> None:
        found = [c.iri for c in candidates[:5]]
        taken = [c.iri for c in candidates if c.match]
        self.asked += 1
        self.meant += meant is not None
        self.at_1 += meant is not None and found[:1] == [meant]
        self.at_5 += meant in found
        self.matched += len(taken)
        self.right += taken == [meant]


def judge(reconciler: Reconciler, asked: list[Asked], with_country: bool = False) -> dict[str, Score]:
    """The score of each kind of name, and of all of them."""
    scores: dict[str, Score] = {"all": Score()}
    for each in asked:
        where = {"country": each.country} if with_country and each.country else {}
        candidates = reconciler.reconcile(each.name, type="actor", where=where)
        for kind in (each.kind, "all"):
            scores.setdefault(kind, Score()).count(each.meant, candidates)
    return scores


def reconciler_of(store: ox.Store, facets: Facets) -> Reconciler:
    """A reconciler over an index that is gone with the process."""
    folder = tempfile.mkdtemp(prefix="kvgraph-names-")
    build_names(store, folder)
    return Reconciler(NameIndex(folder), facets)


def main() -> None:
    """Print the figures for the current release of a home."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench reconciliation", description=main.__doc__)
    parser.add_argument("--home", default=None)
    graph = kvgraph.open(parser.parse_args().home)
    store = graph.backend.store
    rest, others = held_out(store)
    for name, reconciler, asked, country in (
        ("noisy names", reconciler_of(store, graph.facets), noisy(store), False),
        ("noisy names, with their country", reconciler_of(store, graph.facets), noisy(store), True),
        ("other names, taken out before", reconciler_of(rest, graph.facets), others, False),
        ("other names, taken out before, with their country", reconciler_of(rest, graph.facets), others, True),
    ):
        began = time.process_time()
        scores = judge(reconciler, asked, country)
        seconds = time.process_time() - began
        print(f"\n{name}: {len(asked)} names, {len(asked) / seconds:,.0f} a second of processor time")
        print(f"{'':32}{'names':>7}{'first':>8}{'in five':>9}{'taken':>8}{'precision':>11}")
        for kind, s in scores.items():
            print(f"{kind:32}{s.asked:7}{s.at_1 / max(s.meant, 1):8.3f}{s.at_5 / max(s.meant, 1):9.3f}{s.matched / s.asked:8.3f}{s.precision:11.4f}")
