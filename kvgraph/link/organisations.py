"""Organisations to link."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Organisation:
    """What linking knows of an organisation. ``country`` is a code of the EU authority table, ``kind`` one of ours; empty for what is not known."""

    iri: str
    names: tuple[str, ...]
    short: tuple[str, ...] = ()
    country: str = ""
    place: str = ""
    domain: str = ""
    kind: str = ""
    identifiers: tuple[str, ...] = ()
