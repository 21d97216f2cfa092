"""Identifiers in any usual spelling, brought to one form so that two spellings of one identifier are equal.

A key is an address without its scheme, ``www.`` and the stroke at its end, or ``id:`` and a bare identifier. What somebody typed can be read in several
ways ("Q42" is an item of Wikidata or of Kohesio): :func:`readings` gives the keys of all of them, and an index knows which of them it has.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from .namespaces import COUNTRY, ELI_RESOURCE, ID, NUTS
from .params import expand

LONGEST = 2000  # characters of an identifier that are looked at

KOHESIO = "https://linkedopendata.eu/entity/"
WIKIDATA = "http://www.wikidata.org/entity/"
ROR = "https://ror.org/"
ISNI = "https://isni.org/isni/"
DOI = "https://doi.org/"
EUROVOC = "http://eurovoc.europa.eu/"
EUROSCIVOC = "http://data.europa.eu/8mn/euroscivoc/"

_NAMED = re.compile(r"(?:https?://ror\.org/)?(ror|pic|wikidata|wd|nuts|celex|eli|eurovoc|euroscivoc|kohesio|doi|isni|country|urn:[a-z]+)(?:\s*[:#]\s*|\s+)(?=\S)", re.IGNORECASE)
_ROR = re.compile(r"0[a-hj-km-np-tv-z0-9]{6}[0-9]{2}", re.IGNORECASE)
_ITEM = re.compile(r"Q[1-9][0-9]{0,12}", re.IGNORECASE)
_ISNI = re.compile(r"(?:[0-9]{4}[ -]?){3}[0-9]{3}[0-9X]", re.IGNORECASE)
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")
_NUTS = re.compile(r"[A-Z]{2}[0-9A-Z]{0,3}", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Z]{3}", re.IGNORECASE)
_CELEX = re.compile(r"[0-9CE][0-9]{4}[A-Z]{1,2}[0-9]{4}(?:\([0-9]{2}\))?", re.IGNORECASE)
_CELEX_IN = re.compile(r"celex(?:%3A|:|/)([0-9CE][0-9]{4}[A-Z]{1,2}[0-9]{4}(?:\([0-9]{2}\))?)", re.IGNORECASE)
_ELI = re.compile(r"(?:[a-z_]+(?:\.[a-z]+)?/)?(?:reco|reg|dir|dec|treaty|reg_impl|reg_del|dec_impl|C)/[0-9]{4}/[^?#\s]+", re.IGNORECASE)
_ELI_IN = re.compile(r"(?:eur-lex|data)\.europa\.eu/eli/([^?#\s]+)", re.IGNORECASE)
_ELI_LANGUAGE = re.compile(r"(/oj)/[a-z]{2,3}(?:/.*)?$", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SITE = re.compile(r"(?:[a-z0-9\u00a1-\uffff](?:[a-z0-9\u00a1-\uffff-]{0,62})\.)+[a-z\u00a1-\uffff]{2,24}(?::[0-9]+)?(?:[/?#]\S*)?", re.IGNORECASE)
# Pages of Wikidata and Kohesio that show an item.
_ITEM_PAGES = (
    (re.compile(r"(?:m\.)?wikidata\.org/(?:wiki|entity)/(?:Special:EntityData/)?(Q[0-9]+)", re.IGNORECASE), WIKIDATA),
    (re.compile(r"linkedopendata\.eu/(?:wiki/Item:|entity/)(Q[0-9]+)"), KOHESIO),
    (re.compile(r"kohesio\.ec\.europa\.eu/[a-z]{2}/[a-z-]+/(Q[0-9]+)"), KOHESIO),
    (re.compile(r"isni\.org/(?:isni/|page/)?([0-9]{15}[0-9X])/?$", re.IGNORECASE), ISNI),
    (re.compile(r"dx\.doi\.org/(10\..+)"), DOI),
)
# Sites whose pages are about other things than whoever runs the site.
_REGISTERS = {
    "ror.org", "wikidata.org", "data.europa.eu", "eur-lex.europa.eu", "publications.europa.eu", "eurovoc.europa.eu", "linkedopendata.eu", "kohesio.ec.europa.eu",
    "cordis.europa.eu", "ec.europa.eu", "doi.org", "en.wikipedia.org", "linkedin.com", "facebook.com", "twitter.com", "x.com", "youtube.com", "github.com",
}  # fmt: skip
_FRONT = re.compile(r"/(?:[a-z]{2}(?:[-_][a-z]{2})?|english|home|index\.[a-z]+|default\.aspx)?/?", re.IGNORECASE)  # a front page, perhaps in some language


def key(identifier: str) -> str:
    """The one form of an identifier that is an IRI, a URN or bare.

    >>> key("http://www.wikidata.org/entity/Q42"), key("https://ROR.org/05A28rw58/"), key("KV0289")
    ('wikidata.org/entity/q42', 'ror.org/05a28rw58', 'id:kv0289')
    """
    text = identifier.strip()[:LONGEST]
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        return unquote(rest).rstrip("/").removeprefix("www.").casefold()
    return "id:" + " ".join(text.casefold().split())


def site(address: str) -> str:
    """The key of a home page: of a front page its host alone, whatever language it is in.

    >>> site("https://www.kuleuven.be/english/"), site("http://example.org/labs/")
    ('site:kuleuven.be', 'site:example.org/labs')
    """
    try:
        parts = urlsplit(address.strip()[:LONGEST])
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return "site:"
    path = "" if _FRONT.fullmatch(parts.path or "/") else unquote(parts.path).rstrip("/").casefold()
    return f"site:{host}{path}"


def readings(text: str) -> list[str]:
    """The keys of everything that an identifier typed by somebody may mean, the likeliest first.

    >>> readings("ror: 05a28rw58")[0], readings("wd:Q42")[0]
    ('ror.org/05a28rw58', 'wikidata.org/entity/q42')
    >>> readings("https://eur-lex.europa.eu/legal-content/EN/TXT/?uri=CELEX%3A32022H2415")[0]
    'id:32022h2415'
    >>> readings("kuleuven.be")[-1], readings("nuts:ES51")[0]
    ('site:kuleuven.be', 'data.europa.eu/nuts/code/es51')
    """
    text = text[:LONGEST].encode(errors="ignore").decode().strip().strip("<>").strip()  # half a surrogate pair is no text
    return list(dict.fromkeys(filter(None, _readings(text)))) if text else []


def _readings(text: str) -> Iterator[str]:
    if "://" in text and text.partition("://")[0].isalpha():
        yield from _of_address(text)
        return
    if not (named := _NAMED.match(text)):
        yield from _bare(text)
    full = expand(text)
    if full != text:
        yield key(full)
    if named:
        system, rest = named[1].lower(), text[named.end() :].strip()
        yield from _of_system(system, rest)
    yield key(text)
    if _SITE.fullmatch(text):
        yield from _of_address("https://" + text)


def _of_address(text: str) -> Iterator[str]:
    plain = unquote(text.partition("://")[2]).removeprefix("www.")
    for pattern, base in _ITEM_PAGES:
        if found := pattern.match(plain):
            yield key(base + found[1])
    if found := _CELEX_IN.search(text):
        yield key(found[1])
    if found := _ELI_IN.search(text):
        yield from _eli(found[1])
    yield key(text)
    if text.partition("#")[1]:
        yield key(text.partition("#")[0])
    if (address := site(text)) != "site:":
        yield address
        if address.removeprefix("site:").partition("/")[0] not in _REGISTERS:
            yield address.partition("/")[0]  # what is on the site of a thing leads to it, if nothing else does


def _eli(local: str) -> Iterator[str]:
    local = _ELI_LANGUAGE.sub(r"\1", local.strip("/"))
    yield key(ELI_RESOURCE + local)
    yield key(ELI_RESOURCE + (local.removesuffix("/oj") if local.endswith("/oj") else local + "/oj"))


def _of_system(system: str, rest: str) -> Iterator[str]:
    """What is written after the name of its system."""
    base = {
        "ror": ROR, "wikidata": WIKIDATA, "wd": WIKIDATA, "nuts": NUTS, "eurovoc": EUROVOC, "euroscivoc": EUROSCIVOC, "kohesio": KOHESIO, "country": COUNTRY, "doi": DOI, "isni": ISNI,
    }.get(system)  # fmt: skip
    if system == "eli":
        yield from _eli(rest.removeprefix("/eli/"))
    elif base:
        yield key(base + (re.sub(r"[\s-]", "", rest) if system == "isni" else rest))
    if system in ("country", "nuts"):
        yield from _of_state(rest)
    yield key(f"urn:{system}:{rest}")
    yield key(rest)


def _of_state(code: str) -> Iterator[str]:
    """Greece and the United Kingdom, whose codes the EU writes otherwise than ISO 3166."""
    if state := {"GR": "GRC", "EL": "GRC", "GB": "GBR", "UK": "GBR"}.get(code.upper()):
        yield key(COUNTRY + state)


def _bare(text: str) -> Iterator[str]:
    """What has no scheme and no name of a system in front: by its form."""
    if _ROR.fullmatch(text):
        yield key(ROR + text)
    if _ITEM.fullmatch(text):
        yield key(WIKIDATA + text)
        yield key(KOHESIO + text)
    if _ISNI.fullmatch(text):
        yield key(ISNI + re.sub(r"[\s-]", "", text))
    if _DOI.fullmatch(text):
        yield key(DOI + text)
    if _NUTS.fullmatch(text):
        yield key(NUTS + text)
    yield from _of_state(text)
    if _COUNTRY.fullmatch(text):
        yield key(COUNTRY + text)
    if _CELEX.fullmatch(text):
        yield key(text)
    local = text.removeprefix("/").removeprefix("eli/")
    if _ELI.fullmatch(local):
        yield from _eli(local)
    if text.isascii() and text.isdigit():
        yield key(f"urn:pic:{text}")
        yield key(EUROVOC + text)
    if _UUID.fullmatch(text):
        yield key(EUROSCIVOC + text)
    if text.startswith(("/id/", "/doc/")):
        yield key(ID + text.partition("/")[2].partition("/")[2])
