"""What connections are told in: things, the steps between them, paths; as sentences, as triples, as prices."""

from dataclasses import dataclass
from string import Formatter

from .errors import KvgraphError
from .model import EDGES


class UnknownEntity(KvgraphError):
    """No entity has this IRI."""

    def __init__(self, iri: str):
        super().__init__(f"Nothing here is called <{iri}>.", hint="Search for its name to find its IRI.")
        self.iri = iri


class UnknownKind(KvgraphError):
    """No kind of connection has this name."""

    def __init__(self, name: str):
        super().__init__(f"There is no kind of connection “{name}”.", hint="The kinds are: " + ", ".join(EDGES) + ".")


@dataclass(frozen=True)
class Node:
    """An entity: ``type`` as in ``model.TYPES``, ``language`` the tag of its label or ``""``."""

    iri: str
    label: str
    language: str
    type: str


@dataclass(frozen=True)
class Hop:
    """One step. ``forward``: the fact reads from source to target; otherwise it reads from target to source.

    ``graph`` is the named graph that holds the fact, ``page`` what it draws on, ``basis`` stated, classified or
    derived, ``by`` the IRI of whoever is answerable, ``note`` their remark, ``more`` how many further graphs
    say the same. ``others`` are further facts between the same two entities.
    """

    source: Node
    target: Node
    kind: str
    forward: bool
    role: str
    graph: str
    basis: str
    page: str
    by: str
    note: str
    more: int
    others: tuple["Hop", ...] = ()

    @property
    def facts(self) -> tuple["Hop", ...]:
        """Every fact between these two: this one and the others."""
        return (self, *self.others)

    @property
    def triples(self) -> list[tuple[str, str, str]]:
        """The fact as (subject, property, object), for the queries that ask the graph about it.

        Being in a country is said by ``kv:country``, or by ``dcterms:spatial`` where a place is a whole country: either may hold.
        """
        subject, object_ = (self.source, self.target) if self.forward else (self.target, self.source)
        properties = [EDGES[self.kind].predicate] + [EDGES["region"].predicate] * (self.kind == "country")
        return [(subject.iri, property_, object_.iri) for property_ in properties]

    @property
    def parts(self) -> tuple[str | Node, ...]:
        """The sentence in pieces, so that a page can turn the two entities into links."""
        subject, object_ = (self.source, self.target) if self.forward else (self.target, self.source)
        fill = {"s": subject, "o": object_, "role": self.role}
        pieces = []
        for text, name, _, _ in Formatter().parse(EDGES[self.kind].sentence):
            pieces += [text] * bool(text) + ([fill[name]] if name else [])
        return tuple(pieces)

    @property
    def sentence(self) -> str:
        """The fact in plain words."""
        return "".join(p.label if isinstance(p, Node) else p for p in self.parts)


@dataclass(frozen=True)
class Passed:
    """Something in the middle of a path: how many things it is connected to, and what that costs in points."""

    node: Node
    ties: int
    cost: float


@dataclass(frozen=True)
class Path:
    """A chain of hops and its price in points, lower is better: the sum of the hops' and of what is ``passed``."""

    cost: float
    hops: tuple[Hop, ...]
    passed: tuple[Passed, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What the path leads through, both ends included."""
        return (self.hops[0].source, *(hop.target for hop in self.hops))


@dataclass(frozen=True)
class ConnectionResult:
    """``complete``: it is proven that these are the best and, if fewer than asked for, all there are."""

    paths: list[Path]
    complete: bool
    reason: str  # why there is nothing, or why not complete; "" otherwise
    seconds: float


@dataclass(frozen=True)
class Neighbours:
    """``total`` neighbours there are, and the hops to the first of them, the most telling first."""

    total: int
    hops: list[Hop]
