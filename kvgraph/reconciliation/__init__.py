"""Reconciliation: which thing of the graph somebody means by a name, an identifier and what else they know of it.

``build_names`` writes the index of names and identifiers into a release, :class:`Reconciler` answers from it. The words are those of the
Reconciliation Service API 0.2 of the W3C Entity Reconciliation Community Group: candidates, types, properties, features.
"""

from .candidates import Candidate, Reconciler, Resolved
from .name_index import NameIndex, NoNameIndex, build_names
from .properties import PROPERTIES, Property, UnknownProperty, property_of
from .types import TYPES, Type, UnknownType, type_of

__all__ = [
    "PROPERTIES", "TYPES", "Candidate", "NameIndex", "NoNameIndex", "Property", "Reconciler", "Resolved", "Type", "UnknownProperty", "UnknownType",
    "build_names", "property_of", "type_of",
]  # fmt: skip
