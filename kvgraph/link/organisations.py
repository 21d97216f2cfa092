"""Organisations to link, from whatever holds them."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Organisation:
    """What linking knows of an organisation. ``country`` is a code of the EU authority table, ``kind`` one of ours, ``parents`` addresses of what it is a part
    of; empty for what is not known."""

    iri: str
    names: tuple[str, ...]
    short: tuple[str, ...] = ()
    country: str = ""
    place: str = ""
    homepage: str = ""
    kind: str = ""
    identifiers: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


# Hosts that many organisations share: a page there says nothing of whose it is.
_SHARED = ("facebook.com", "linkedin.com", "twitter.com", "x.com", "wikipedia.org", "sites.google.com", "wordpress.com", "instagram.com", "youtube.com", "archive.org", "github.io", "europa.eu")  # fmt: skip
_SECOND = {"ac", "co", "com", "edu", "gov", "org", "net", "gob", "gv", "or", "nhs", "sch"}  # ac.uk, com.tr, gv.at

_VARIES = re.compile(r"^www[0-9]?\.|(?<=/)(?:index|home|default)\.[a-z]+$|(?<=/)(?:en|index|home)/?$")


def page(homepage: str) -> str:
    """A homepage without what varies between those who write it down; empty for what is none.

    >>> page("https://www.Uni.example/Dept/X/"), page("uni.example/dept/x/index.html")
    ('uni.example/dept/x', 'uni.example/dept/x')
    """
    if not homepage:
        return ""
    address = homepage.casefold().partition("//")[2] or homepage.casefold()
    return _VARIES.sub("", address.partition("#")[0]).rstrip("/")


def domain(homepage: str) -> str:
    """The registered domain of a homepage that is at the root of a host; empty for what says nothing of whose it is.

    >>> domain("https://www.kuleuven.be/"), domain("http://www.cam.ac.uk"), domain("facebook.com/ours"), domain("https://uni.example/dept/x")
    ('kuleuven.be', 'cam.ac.uk', '', '')
    """
    if not homepage:
        return ""
    try:
        parts = urlsplit(homepage if "//" in homepage else f"//{homepage}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    labels = host.split(".")
    if len(labels) < 2 or host.endswith(_SHARED) or len(parts.path.strip("/")) > 3:  # "/en" is still the root
        return ""
    keep = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND else 2
    rest = labels[:-keep]
    return ".".join(labels[-keep:]) if all(label in ("www", "web", "en", "www2") for label in rest) else host
