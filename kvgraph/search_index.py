"""The full-text index on disk: one document per entity. :mod:`kvgraph.search` asks it.

A document holds the entity's names (labels in every language, other names, codes) apart from its body: what it does,
who takes part, where it is (regions and everything around them) and how it is classified, so that a practice is found
by the name of a partner or of the country its region lies in. Text is folded (:func:`fold`) before it is indexed, and a
question likewise; English text is kept once more, reduced to its stems.

Beside the text a document holds the values of its facets (:mod:`kvgraph.search_facets`), its place in each order
(:data:`ORDERS`), and what a line of a list of results says besides its name.
"""

import json
import os
import re
import tempfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import tantivy
from pyoxigraph import Literal, NamedNode, Store

from .entities import entity_types, labels, of_graphs, quads
from .errors import KvgraphError
from .model import ENTITY_TYPES, LABEL_PROPERTIES
from .namespaces import COUNTRY, DCTERMS, ELI, KV, ORG, PROV, SCHEMA, SKOS
from .search_facets import FACETS, FILE
from .search_values import Values, links, reached, values_of, vocabulary

_ALTERNATIVES = (DCTERMS + "alternative", SKOS + "altLabel")
_CODES = (DCTERMS + "identifier", SKOS + "notation", ELI + "id_local")
# In the order in which they make a good excerpt.
_TEXTS = (
    DCTERMS + "description", SKOS + "definition", KV + "lesson", KV + "condition", KV + "outcome", KV + "challengeStatement",
    KV + "targetGroup", KV + "fundingProgramme", KV + "programme", KV + "period", KV + "section",
)  # fmt: skip
_LOCALITY = (SCHEMA + "addressLocality",)
_PLACES = (DCTERMS + "spatial", KV + "country")
# Things whose labels help to find what points to them.
_RELATED = (
    KV + "lead", DCTERMS + "creator", KV + "channel", KV + "toolKind", KV + "challenge", KV + "benefit", KV + "asset",
    KV + "capacity", KV + "implements", KV + "drawsOn", KV + "policyType", ORG + "classification",
)  # fmt: skip

LONGEST_NAME = 300  # characters of a label that are compared as a whole

# Each is a field with the place of the document in that order: what most is known of first, what began last, by title,
# what a curator saw last.
ORDERS = ("known", "newest", "title", "recorded")

# Marks that NFKD splits off, soft hyphens, invisible and direction characters: none of them is part of a word.
_MARKS = re.compile("[\u0300-\u036f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"})


class NoSearchIndex(KvgraphError):
    """The folder holds no search index."""

    def __init__(self, folder: Path):
        super().__init__(f"There is no search index in {folder}.", hint="Make one with: kvgraph build --force")


@lru_cache(20_000)  # the names of a country stand in everything that lies in it
def fold(text: str) -> str:
    """Text as it is compared: lower case, without accents, whatever else it contains.

    >>> fold("Košice, ŁÓDŹ, Ελλάδα, Straße")
    'kosice, lodz, ελλαδα, strasse'
    """
    if text.isascii():
        return text.lower()
    text = text.encode(errors="ignore").decode()  # half a surrogate pair is no text
    return _MARKS.sub("", unicodedata.normalize("NFKD", text).casefold()).translate(_LETTERS)


def analyser(english: bool = False) -> tantivy.TextAnalyzer:
    """What turns folded text into words, or into the stems of English words."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.remove_long(60))
    return (builder.filter(tantivy.Filter.stemmer("english")) if english else builder).build()


WORDS = analyser()
ENGLISH = analyser(english=True)


def open_index(folder: Path) -> tantivy.Index:
    """Open an index without writing to its folder. Raises :class:`NoSearchIndex`."""
    if not (folder / "meta.json").is_file() or not (folder / FILE).is_file():  # a release of before there were facets
        raise NoSearchIndex(folder)
    # tantivy puts a lock file beside what it opens, even to read. A release is never written to and may lie on a
    # read-only disk, so it opens a folder of links; once its segments are mapped the folder is not needed any more. A thread of
    # tantivy may lock it while it is being removed; then an empty folder stays behind, and nothing else is wrong.
    with tempfile.TemporaryDirectory(prefix="kvgraph-", ignore_cleanup_errors=True) as links:
        for path in folder.iterdir():
            if not path.name.endswith(".lock"):
                os.symlink(path.resolve(), os.path.join(links, path.name))
        index = tantivy.Index.open(links)
        index.config_reader(reload_policy="manual")
        _register(index)
        return index


def build_index(store: Store, folder: str | Path, facets: Values | None = None) -> None:
    """Write the search index of a store into a folder, which is made if need be.

    Every entity with a label becomes a document. ``facets`` are the values of the store (:func:`~kvgraph.search_values.values_of`), where they are known already.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = tantivy.Index(_schema(), path=str(folder), reuse=False)
    _register(index)
    # One thread and one segment: documents of equal score then come in the order in which they were added.
    writer = index.writer(heap_size=1_000_000_000, num_threads=1)
    facets = facets or values_of(store)
    for document in _documents(store, facets):
        writer.add_document(document)
    (folder / FILE).write_text(json.dumps(vocabulary(store, facets), ensure_ascii=False), encoding="utf-8")
    writer.commit()
    writer.wait_merging_threads()
    del writer, index
    umask = os.umask(0)
    os.umask(umask)
    for path in folder.iterdir():
        if path.name.endswith(".lock"):
            path.unlink()
        else:
            path.chmod(0o666 & ~umask)  # tantivy makes some files readable by their owner only


def _register(index: tantivy.Index) -> None:
    index.register_tokenizer("folded", analyser())
    index.register_tokenizer("english", analyser(english=True))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in ("iri", "label", "lang", "passage", "line"):
        builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    for name in FACETS:  # counting per value needs "fast"
        builder.add_text_field(name, stored=name == "type", fast=True, tokenizer_name="raw", index_option="basic")
    for name in ORDERS:
        builder.add_unsigned_field("by_" + name, fast=True)
    builder.add_text_field("exact", tokenizer_name="raw", index_option="basic")
    for name in ("name", "body"):
        builder.add_text_field(name, tokenizer_name="folded")
        builder.add_text_field(name + "_en", tokenizer_name="english")
    return builder.build()


def _literals(store: Store, predicates: tuple[str, ...]) -> dict[str, list[tuple[str, str]]]:
    """(text, language) of each subject, English first, each once."""
    found: dict[str, dict] = defaultdict(dict)
    for rank, predicate in enumerate(predicates):
        for quad in quads(store, predicate):
            if isinstance(quad.object, Literal) and isinstance(quad.subject, NamedNode):
                language = quad.object.language or ""
                text = unicodedata.normalize("NFC", quad.object.value)
                found[quad.subject.value].setdefault((text, language), (language not in ("en", ""), rank, language, text))
    return {iri: sorted(texts, key=texts.__getitem__) for iri, texts in found.items()}


def _documents(store: Store, facets: Values) -> Iterator[tantivy.Document]:
    types, best, years = entity_types(store), labels(store), facets["year"]
    names, codes, texts, towns = (_literals(store, p) for p in ((*LABEL_PROPERTIES, *_ALTERNATIVES), _CODES, _TEXTS, _LOCALITY))
    places, broader, related = links(store, *_PLACES), links(store, SKOS + "broader"), links(store, *_RELATED)
    part, agents, spatial = links(store, PROV + "qualifiedAssociation"), links(store, PROV + "agent"), links(store, DCTERMS + "spatial")
    by, kinds, seen = links(store, KV + "lead", DCTERMS + "creator"), links(store, ORG + "classification", KV + "policyType"), _seen(store)

    def called(iris: list[str]) -> list[str]:
        return list(dict.fromkeys(best[iri][0] for iri in iris if iri in best))

    iris = sorted(types.keys() & best.keys())
    works = Counter(actor for parts in part.values() for actor in {actor for p in parts for actor in agents.get(p, ())})
    told = {iri: 3 * len(texts.get(iri, ())) + len(related.get(iri, ())) + len(part.get(iri, ())) + 2 * works[iri] for iri in iris}
    order = _orders(iris, types, {iri: fold(best[iri][0]) for iri in iris}, told, years, seen)
    for iri in iris:
        label, language = best[iri]
        regions = reached([*places.get(iri, []), *broader.get(iri, [])], broader)
        people = [actor for p in part.get(iri, []) for actor in agents.get(p, [])]
        other = [text for text, _ in names.get(iri, []) if text != label] + [code for code, _ in codes.get(iri, [])]
        groups = (called(people), called(regions), called(related.get(iri, [])), list(dict.fromkeys(other)), [town for town, _ in towns.get(iri, [])])
        listed = [" · ".join(group) for group in groups]
        document = tantivy.Document()
        line = {
            "regions": [p for p in spatial.get(iri, []) if not p.startswith(COUNTRY)], "countries": facets["country"].get(iri, []),
            "by": [(actor, *best[actor]) for actor in by.get(iri, []) if actor in best][:2], "kinds": kinds.get(iri, []),
            "town": towns[iri][0][0] if iri in towns else "", "works": works[iri], "texts": len(texts.get(iri, ())),
            "year": (years.get(iri) or [""])[0], "seen": seen.get(iri, ""),
        }  # fmt: skip
        fields = {"iri": [iri], "label": [label], "lang": [language], "line": [json.dumps(line, ensure_ascii=False)],
                  **{name: facets[name].get(iri, []) for name in FACETS},
                  "passage": [text for text, _ in texts.get(iri, [])] + [text for text in listed if text]}  # fmt: skip
        for field, values in fields.items():
            for value in values:
                document.add_text(field, value)
        for name in ORDERS:
            document.add_unsigned("by_" + name, order[name][iri])
        for text, tag in names.get(iri, []) + codes.get(iri, []):
            _add(document, "name", text, tag)
            document.add_text("exact", " ".join(WORDS.analyze(fold(text)))[:LONGEST_NAME])
        for text, tag in (*texts.get(iri, []), *towns.get(iri, [])):
            _add(document, "body", text, tag)
        _add(document, "body", listed[2], "en")
        # "Espagne" and "UB" find what is in Spain and what the university took part in.
        for name in dict.fromkeys(name for thing in (*people, *regions) for name in names.get(thing, [])):
            _add(document, "body", *name)
        yield document


def _seen(store: Store) -> dict[str, str]:
    """The month in which a curator last saw a page that says something about a thing."""
    found: dict[str, str] = {}
    for quad in of_graphs(store, KV + "seenOn"):
        if isinstance(quad.subject, NamedNode) and isinstance(quad.object, Literal):
            for statement in store.quads_for_pattern(None, None, None, quad.subject):
                if isinstance(statement.subject, NamedNode):
                    found[statement.subject.value] = max(found.get(statement.subject.value, ""), quad.object.value)
    return found


def _orders(
    iris: list[str], types: dict[str, str], names: dict[str, str], told: dict[str, int], years: dict[str, list[str]], seen: dict[str, str]
) -> dict[str, dict[str, int]]:  # fmt: skip
    """The place of each thing in each of :data:`ORDERS`, no two the same."""
    kind = {entity.name: i for i, entity in enumerate(ENTITY_TYPES)}

    def latest(texts: Mapping[str, str], iri: str) -> tuple[bool, list[int]]:
        return iri not in texts, [-ord(letter) for letter in texts.get(iri, "")]

    began = {iri: some[0] for iri, some in years.items()}
    keys = {
        "known": lambda iri: (kind[types[iri]], -told[iri], names[iri], iri),
        "newest": lambda iri: (*latest(began, iri), kind[types[iri]], names[iri], iri),
        "title": lambda iri: (names[iri], kind[types[iri]], iri),
        "recorded": lambda iri: (*latest(seen, iri), kind[types[iri]], names[iri], iri),
    }
    return {name: {iri: place for place, iri in enumerate(sorted(iris, key=keys[name]))} for name in ORDERS}


def _add(document: tantivy.Document, field: str, text: str, language: str) -> None:
    document.add_text(field, fold(text))
    if language in ("en", ""):
        document.add_text(field + "_en", fold(text))
