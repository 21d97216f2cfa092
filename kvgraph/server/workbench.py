"""What the SPARQL workbench in a browser is told about this server, in attributes of its page."""

from ..model import path_of
from ..namespaces import COUNTRY, DEF, ELI_RESOURCE, ID, NUTS, PREFIXES


def settings() -> dict:
    """For the template ``workbench.html``: the prefixes we know, and where IRIs begin that have a page here.

    >>> settings()["places"][0]
    ('https://w3id.org/kvgraph/id/', '/doc/')
    """
    starts = (ID, NUTS, COUNTRY, ELI_RESOURCE, DEF)
    return {"prefixes": PREFIXES, "places": [(start, path_of(start + "x").removesuffix("x")) for start in starts]}
