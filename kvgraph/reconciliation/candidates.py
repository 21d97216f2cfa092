"""Candidates for a name: the things that somebody may mean, each with a score, what speaks for and against it, and whether it is certain enough to take.

A candidate's score is how alike the names are (0 to 100), lowered for every property that differs. ``match`` is careful: it is given to at most one candidate,
never for an acronym alone, never where a property differs, and never where another thing has nearly as good a name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..errors import KvgraphError
from ..identifiers import key, readings, site
from ..link.names import Name, parse, similarity
from ..model import path_of
from ..namespaces import COUNTRY, NUTS, SKOS
from ..search_facets import Facets
from .name_index import Found, NameIndex, Thing
from .properties import Property, property_of
from .types import TYPES, lineage, type_of

LONGEST_QUERY = 1000  # characters of a name
MOST_VALUES = 50  # of a property
MOST_LIMIT = 100  # candidates for one name
FLOOR = 0.3  # names less alike than this are no candidates
NEAR = 0.8  # how good an identifier is that belongs to something wider or narrower, or perhaps to the thing where it certainly belongs to another
CERTAIN = 0.93  # names this much alike are one name with a typing error, if nothing else is nearly as good
AHEAD = 0.12  # by so much the best must be better than the next
LETTERS = 8  # of a name that may be taken with a typing error
SLIP = 6  # letters of a word that may be taken so
STRICT = ("any", "all", "should")
_SECOND = ("region", "organisation")  # types that come after others of equal score: a region after the country that it is, an entry of a register after our actor


@dataclass(frozen=True)
class Candidate:
    """A thing that a name may mean.

    ``id`` is its short identifier (or its IRI), ``type`` the name of its type; ``score`` goes from 0 to 100; ``match`` is True for the one to take without
    looking. ``name`` and ``lang`` are its label in the reader's language, ``matched`` is its name that was found. ``features`` are numbers from 0 to 1, and booleans.
    """

    id: str
    iri: str
    name: str
    lang: str
    type: str
    description: str
    score: float
    match: bool
    matched: str
    features: dict[str, float | bool] = field(default_factory=dict)

    @property
    def types(self) -> tuple[str, ...]:
        """Its type and the broader ones."""
        return lineage(self.type)


@dataclass(frozen=True)
class Resolved:
    """A thing that has an identifier. ``relation`` is the property by which it has it, empty for its own identifier, ``identifier`` the form that was found."""

    thing: Thing
    identifier: str
    relation: str = ""

    @property
    def same(self) -> bool:
        """Whether it is the thing identified, and not a wider or narrower one."""
        return self.relation not in (SKOS + "broadMatch", SKOS + "narrowMatch")

    @property
    def certain(self) -> bool:
        """Whether it is so for certain, and not perhaps."""
        return self.same and self.relation != SKOS + "closeMatch"


@dataclass(frozen=True)
class _Known:
    """What is known of the thing besides its name: a property and the values that would fit it (of :meth:`Reconciler._meant`)."""

    property: Property
    values: frozenset[str]


class Reconciler:
    """Answers from the index of names; ``facets`` know what values are called."""

    def __init__(self, index: NameIndex, facets: Facets):
        self.index, self.facets = index, facets
        self._value = lru_cache(maxsize=20_000)(self._find)
        self._line = lru_cache(maxsize=20_000)(self._describe)

    def reconcile(
        self, name: str, *, type: str | Iterable[str] | None = None, where: Mapping[str, Any] | None = None, limit: int = 5, strict: str = "any",
        language: str = "en",
    ) -> list[Candidate]:  # fmt: skip
        """The things that a name may mean, the likeliest first, at most ``limit``.

        ``name`` may also be an identifier, in any usual spelling. ``type`` is one or several names of ``TYPES``: with ``strict`` "any" a candidate has one
        of them, with "all" all, with "should" they only count. ``where`` are properties with one or several values each
        (``{"country": "Slovenia"}``), which lower the score of what differs. With an empty name what has all the properties is found.

        Raises :class:`~kvgraph.reconciliation.types.UnknownType`, :class:`~kvgraph.reconciliation.properties.UnknownProperty`, or
        :class:`~kvgraph.errors.KvgraphError` for another ``strict``.
        """
        if strict not in STRICT:
            raise KvgraphError(f"There is no strictness {str(strict)[:40]!r}.", hint=f"It is one of: {', '.join(STRICT)}.")
        wanted = [type_of(t).name for t in ([type] if isinstance(type, str) else type or ())]
        known = [self._meant(name_, values) for name_, values in (where or {}).items()]
        text = " ".join(str(name).split())[:LONGEST_QUERY]
        parsed = parse(text)
        allowed = self._allowed(wanted, strict)
        found = {**self._named(parsed, allowed), **self._identified(text, allowed)} if text else self._having(known, allowed)
        scored = [self._scored(thing, name_, parsed, wanted, known) for thing, name_ in found.items()]
        scored.sort(key=lambda s: (-s[0], s[1].short, s[1].other, self.index.thing(s[1].thing).type in _SECOND, s[1].thing))
        best = self._certain(scored, parsed)
        return [self._candidate(s, n == 0 and best, language) for n, s in enumerate(scored[: max(1, min(limit, MOST_LIMIT))])]

    def resolve(self, text: str) -> list[Resolved]:
        """Everything that has an identifier, in any usual spelling, ours first; what only has a page on the same site only if nothing else is found."""
        found = [self._resolved(self.index.thing(number), each) for number, each in self._bearers(text).items()]
        return sorted(found, key=lambda r: (bool(r.relation), not r.certain, r.thing.type == "organisation", r.thing.iri))

    def _bearers(self, text: str) -> dict[int, str]:
        """The numbers of the things that have an identifier, with its key; instead of a NUTS region that is a whole country that country."""
        keys = readings(text)
        hits = self.index.identified(k for k in keys if not k.startswith("site:"))
        for address in keys:
            if not hits and address.startswith("site:"):
                hits = self.index.identified([address])
        whole = {n: self.facets.country(self.index.thing(n).iri) for n in hits} if "://" not in text else {}
        for number, country in whole.items():
            if country and (there := self.index.identified([key(country)])):
                hits |= dict.fromkeys(there, hits.pop(number))
        return hits

    def _resolved(self, thing: Thing, each: str) -> Resolved:
        for relation, iris in thing.elsewhere.items():
            for iri in iris:
                if key(iri) == each:
                    return Resolved(thing, iri, relation)
        return Resolved(thing, thing.iri if key(thing.iri) == each else each.removeprefix("id:").removeprefix("site:"))

    # ── Finding ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def _allowed(wanted: list[str], strict: str) -> frozenset[str] | None:
        """The names of the types a candidate may have; None for all."""
        if not wanted or strict == "should":
            return None
        every = all if strict == "all" else any
        return frozenset(t for t in TYPES if every(w in lineage(t) for w in wanted))

    def _named(self, name: Name, allowed: frozenset[str] | None) -> dict[int, Found]:
        best: dict[int, Found] = {}
        for found in self.index.like(name, allowed, FLOOR):
            if not found.made or name.short and found.likeness == 1.0:
                best.setdefault(found.thing, found)
        return best

    def _identified(self, text: str, allowed: frozenset[str] | None) -> dict[int, Found]:
        bearers = {n: self._resolved(self.index.thing(n), each) for n, each in self._bearers(text).items() if allowed is None or self.index.thing(n).type in allowed}
        sure = any(bearer.certain for bearer in bearers.values())  # what is perhaps the one is no rival of what is
        return {n: Found(n, 1.0, text) if bearer.certain or bearer.same and not sure else Found(n, NEAR, "") for n, bearer in bearers.items()}

    def _having(self, known: list[_Known], allowed: frozenset[str] | None) -> dict[int, Found]:
        """What has the identifiers or home pages that are all that is known."""
        keys = [v for k in known if k.property.name in ("identifier", "homepage") for v in k.values]
        return {n: Found(n, 1.0, "") for n in self.index.identified(keys) if allowed is None or self.index.thing(n).type in allowed}

    # ── Properties ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _meant(self, name: str, values: Any) -> _Known:
        property_ = property_of(name, constraint=True)
        listed = list(values) if isinstance(values, (list, tuple, set, frozenset)) else [values]
        texts = [str(v["id"] if isinstance(v, Mapping) else v).strip() for v in listed[:MOST_VALUES] if v is not None]
        return _Known(property_, frozenset(value for text in texts if text for value in self._value(property_.name, text[:LONGEST_QUERY])))

    def _find(self, name: str, text: str) -> tuple[str, ...]:
        """The values that somebody may mean: IRIs of a facet, keys of an identifier, the folded name of a town."""
        property_ = property_of(name)
        if name == "identifier":
            return tuple(k for k in readings(text) if not k.startswith("site:"))
        if name == "homepage":
            return tuple(dict.fromkeys((site(text if "://" in text else "https://" + text),)))
        if name == "place":
            return (parse(text).key,)
        found = self.facets.known(property_.facet, text)
        if found is None and len(text) == 2 and text.isalpha():
            found = self.facets.known("region", text.upper().replace("GR", "EL").replace("GB", "UK"))
            found = found and (self.facets.country(found) or found)
        return (found,) if found else ()

    def _agrees(self, thing: Thing, known: _Known) -> float | None:
        """1 where a thing has one of the values, 0 where it has others, None where nothing is known."""
        if not known.values:
            return None
        name = known.property.name
        if name == "place":
            return None if not thing.town else max(similarity(thing.town, v) for v in known.values)
        if name in ("identifier", "homepage"):
            has = {k for k in thing.keys if k.startswith("site:") == (name == "homepage")}
            return 1.0 if has & known.values else 0.0 if name == "homepage" and has else None
        has = set(thing.values.get(known.property.facet, ())) | {thing.iri}
        if not has - {thing.iri} and thing.type not in ("region", "country"):
            return None
        return 1.0 if has & known.values or name == "region" and self._around(has, known.values) else 0.0

    def _around(self, has: set[str], wanted: frozenset[str]) -> bool:
        """Whether a thing of which only a larger place is known may lie in the place asked for."""
        nearest = [v for v in has if not any(v in self.facets.above(other) for other in has)]
        return any(place in self.facets.above(value) for value in wanted for place in nearest if not place.startswith(COUNTRY))

    # ── Scores ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _scored(self, number: int, found: Found, asked: Name, wanted: list[str], known: list[_Known]) -> tuple[float, Found, dict]:
        thing = self.index.thing(number)
        features: dict[str, float | bool] = {"name": round(found.likeness, 4), "name_equal": found.likeness == 1.0}
        features["acronym"] = found.short and asked.short
        score = found.likeness * (0.6 if found.made else 0.9 if features["acronym"] else 1.0)
        if wanted:
            features["type"] = any(t in lineage(thing.type) for t in wanted)
            score *= 1.0 if features["type"] else 0.5
        for each in known:
            agrees = self._agrees(thing, each)
            if agrees is not None:
                features[each.property.name] = round(agrees, 4)
                score *= 1.0 - each.property.weight * (1.0 - agrees)
            else:
                score *= 0.99  # what is known to fit comes before what may
        return score, found, features

    def _certain(self, scored: list[tuple[float, Found, dict]], asked: Name) -> bool:
        """Whether the first is the one to take."""
        if not scored:
            return False
        score, found, features = scored[0]
        if any(value is False or value == 0.0 for name, value in features.items() if name not in ("name_equal", "acronym")):
            return False
        confirmed = any(features.get(name) == 1.0 for name in ("identifier", "homepage"))
        if features["acronym"] and not confirmed:
            return False
        rivals = [s for s in scored[1:] if not self._same(found, s[1])]
        if features.get("identifier") == 1.0:
            return not any(s[2].get("identifier") == 1.0 for s in rivals)
        ahead = score - max((s[0] for s in rivals), default=0.0)
        if found.likeness == 1.0:
            return ahead > 0.02 and not any(s[1].likeness == 1.0 and s[0] > score - AHEAD for s in rivals)
        if one_slip(asked, parse(found.name)):
            return ahead > 0 and not any(one_slip(asked, parse(s[1].name)) for s in rivals)
        return found.likeness >= CERTAIN and ahead >= AHEAD and len(asked.folded) >= LETTERS

    def _same(self, a: Found, b: Found) -> bool:
        """Whether the two are certainly one: a country and the NUTS region that is the same country, or one of ours and the entry of a register that it is linked to."""
        one, other = self.index.thing(a.thing), self.index.thing(b.thing)
        if one.type == "country":
            return self.facets.country(other.iri) == one.iri
        return other.iri in one.elsewhere.get(SKOS + "exactMatch", ()) or one.iri in other.elsewhere.get(SKOS + "exactMatch", ())

    def _candidate(self, scored: tuple[float, Found, dict], match: bool, language: str) -> Candidate:
        score, found, features = scored
        thing = self.index.thing(found.thing)
        name, lang = thing.label(language)
        return Candidate(short_id(thing.iri), thing.iri, name, lang, thing.type, self.describe(thing, language), round(100 * score, 2), match, found.name or name, features)

    def describe(self, thing: Thing, language: str = "en") -> str:
        """What tells a thing from others of its name, in a line: its kind and where it is, or how its description begins."""
        return self._line(thing.number, language)

    def _describe(self, number: int, language: str) -> str:
        thing = self.index.thing(number)
        kinds = thing.values.get({"actor": "actor-kind", "policy": "policy-type"}.get(thing.type, ""), ())
        kind = self.facets.label(kinds[0], language)[0] if kinds else ""
        places = thing.values.get("country", []) if thing.type != "country" else []
        regions = [v for v in thing.values.get("region", ()) if v.startswith(NUTS) and v != thing.iri][:1] if thing.type != "country" else []
        where = dict.fromkeys([thing.town, *(self.facets.label(v, language)[0] for v in (*regions, *places[:2]))])
        code = [self.facets.code(thing.iri)] if thing.type == "region" else []
        line = ", ".join(filter(None, [kind or TYPES[thing.type].label, *code, *where]))
        return line if any(where) or not thing.text else f"{line}: {thing.text[:120]}"


def one_slip(a: Name, b: Name) -> bool:
    """Whether two names differ by one slip of the pen in one long word: a letter lost, too many, wrong, or two swapped. Never in the first letter.

    >>> one_slip(parse("University of Ljubjlana"), parse("University of Ljubljana")), one_slip(parse("University of Bari"), parse("University of Bali"))
    (True, False)
    """
    one, other = a.tokens - b.tokens, b.tokens - a.tokens
    if len(one) != 1 or len(other) != 1 or len(a.tokens) != len(b.tokens):
        return False
    (x,), (y,) = one, other
    if min(len(x), len(y)) < SLIP or abs(len(x) - len(y)) > 1 or x[0] != y[0]:
        return False
    start = next((n for n, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
    x, y = x[start:], y[start:]
    return x[1:] == y or x == y[1:] or x[1:] == y[1:] or (x[:2] == y[:2][::-1] and x[2:] == y[2:])


def short_id(iri: str) -> str:
    """The identifier of a thing here: what follows ``/id/`` in its address, else its IRI. What :func:`kvgraph.params.expand` understands.

    >>> short_id("https://w3id.org/kvgraph/id/actor/demola"), short_id(NUTS + "ES51"), short_id("https://ror.org/05a28rw58")
    ('actor/demola', 'region/ES51', 'organisation/ror/05a28rw58')
    """
    path = path_of(iri, under="id")
    return path.removeprefix("/id/") if path and path.startswith("/id/") else iri
