"""The full-text index on disk: one document per entity. :mod:`kvgraph.search` asks it.

A document holds the entity's names (labels in every language, other names, codes) apart from its body: what it does,
who takes part, where it is (regions and everything around them) and how it is classified, so that a practice is found
by the name of a partner or of the country its region lies in. Text is folded (:func:`fold`) before it is indexed, and a
question likewise; English text is kept once more, reduced to its stems.
"""

import os
import re
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import tantivy
from pyoxigraph import Literal, NamedNode, Store

from .entities import entity_types, labels, quads
from .errors import KvgraphError
from .model import LABEL_PROPERTIES
from .namespaces import DCTERMS, ELI, KV, ORG, PROV, SCHEMA, SKOS

_ALTERNATIVES = (DCTERMS + "alternative", SKOS + "altLabel")
_CODES = (DCTERMS + "identifier", SKOS + "notation", ELI + "id_local")
# In the order in which they make a good excerpt.
_TEXTS = (
    DCTERMS + "description", SKOS + "definition", KV + "lesson", KV + "condition", KV + "outcome", KV + "challengeStatement",
    KV + "targetGroup", KV + "fundingProgramme", KV + "programme", SCHEMA + "addressLocality", KV + "period", KV + "section",
)  # fmt: skip
_PLACES = (DCTERMS + "spatial", KV + "country")
# Things whose labels help to find what points to them.
_RELATED = (
    KV + "lead", DCTERMS + "creator", KV + "channel", KV + "toolKind", KV + "challenge", KV + "benefit", KV + "asset",
    KV + "capacity", KV + "implements", KV + "drawsOn", KV + "policyType", ORG + "classification",
)  # fmt: skip

LONGEST_NAME = 300  # characters of a label that are compared as a whole

# Marks that NFKD splits off, soft hyphens, invisible and direction characters: none of them is part of a word.
_MARKS = re.compile("[\u0300-\u036f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"})


class NoSearchIndex(KvgraphError):
    """The folder holds no search index."""

    def __init__(self, folder: Path):
        super().__init__(f"There is no search index in {folder}.", hint="Make one with: kvgraph build")


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


def open_index(folder: Path) -> tantivy.Index:
    """Open an index without writing to its folder. Raises :class:`NoSearchIndex`."""
    if not (folder / "meta.json").is_file():
        raise NoSearchIndex(folder)
    # tantivy puts a lock file beside what it opens, even to read. A release is never written to and may lie on a
    # read-only disk, so it opens a folder of links; once its segments are mapped the folder is not needed any more.
    with tempfile.TemporaryDirectory(prefix="kvgraph-") as links:
        for path in folder.iterdir():
            if not path.name.endswith(".lock"):
                os.symlink(path.resolve(), os.path.join(links, path.name))
        index = tantivy.Index.open(links)
        index.config_reader(reload_policy="manual")
        _register(index)
        return index


def build_index(store: Store, folder: str | Path) -> None:
    """Write the search index of a store into a folder, which is made if need be.

    Every entity with a label becomes a document.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = tantivy.Index(_schema(), path=str(folder), reuse=False)
    _register(index)
    # One thread and one segment: documents of equal score then come in the order in which they were added.
    writer = index.writer(heap_size=1_000_000_000, num_threads=1)
    for document in _documents(store):
        writer.add_document(document)
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
    for name in ("iri", "label", "lang", "passage"):
        builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    # "fast" is what counting per value will need.
    for name in ("type", "country", "region", "channel"):
        builder.add_text_field(name, stored=name == "type", fast=True, tokenizer_name="raw", index_option="basic")
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


def _links(store: Store, *predicates: str) -> dict[str, list[str]]:
    """What each subject points to, in the order of the predicates, each once."""
    found: dict[str, dict] = defaultdict(dict)
    for rank, predicate in enumerate(predicates):
        for quad in quads(store, predicate):
            if isinstance(quad.object, NamedNode) and isinstance(quad.subject, NamedNode):
                found[quad.subject.value].setdefault(quad.object.value, (rank, quad.object.value))
    return {iri: sorted(objects, key=objects.__getitem__) for iri, objects in found.items()}


def _around(places: list[str], broader: dict[str, list[str]]) -> list[str]:
    """Places and everything they lie in, each once, the nearest first."""
    found: dict[str, None] = {}
    queue = list(places)
    while queue:
        place = queue.pop(0)
        if place not in found:
            found[place] = None
            queue += broader.get(place, [])
    return list(found)


def _documents(store: Store) -> Iterator[tantivy.Document]:
    types, best = entity_types(store), labels(store)
    names, codes, texts = (_literals(store, p) for p in ((*LABEL_PROPERTIES, *_ALTERNATIVES), _CODES, _TEXTS))
    places, broader, related = _links(store, *_PLACES), _links(store, SKOS + "broader"), _links(store, *_RELATED)
    countries, channels = _links(store, KV + "country"), _links(store, KV + "channel")
    part, agents = _links(store, PROV + "qualifiedAssociation"), _links(store, PROV + "agent")

    def called(iris: list[str]) -> list[str]:
        return list(dict.fromkeys(best[iri][0] for iri in iris if iri in best))

    for iri in sorted(types.keys() & best.keys()):
        label, language = best[iri]
        regions = _around([*places.get(iri, []), *broader.get(iri, [])], broader)
        people = [actor for p in part.get(iri, []) for actor in agents.get(p, [])]
        other = [text for text, _ in names.get(iri, []) if text != label] + [code for code, _ in codes.get(iri, [])]
        groups = (called(people), called(regions), called(related.get(iri, [])), list(dict.fromkeys(other)))
        listed = [" · ".join(group) for group in groups]
        document = tantivy.Document()
        fields = {"iri": [iri], "type": [types[iri]], "label": [label], "lang": [language],
                  "country": countries.get(iri, []), "region": regions, "channel": channels.get(iri, []),
                  "passage": [text for text, _ in texts.get(iri, [])] + [text for text in listed if text]}  # fmt: skip
        for field, values in fields.items():
            for value in values:
                document.add_text(field, value)
        for text, tag in names.get(iri, []) + codes.get(iri, []):
            _add(document, "name", text, tag)
            document.add_text("exact", " ".join(WORDS.analyze(fold(text)))[:LONGEST_NAME])
        for text, tag in texts.get(iri, []):
            _add(document, "body", text, tag)
        _add(document, "body", listed[2], "en")
        # "Espagne" and "UB" find what is in Spain and what the university took part in.
        for name in dict.fromkeys(name for thing in (*people, *regions) for name in names.get(thing, [])):
            _add(document, "body", *name)
        yield document


def _add(document: tantivy.Document, field: str, text: str, language: str) -> None:
    document.add_text(field, fold(text))
    if language in ("en", ""):
        document.add_text(field + "_en", fold(text))
