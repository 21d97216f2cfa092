"""What is known of a data set that can be imported, besides how its files are read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ..namespaces import GRAPH, ID
from .raw import Raw
from .record import SetAside, Taken

Reader = Callable[[Iterable[Raw], str | None], Iterator[Taken | SetAside]]

CC_BY = "https://creativecommons.org/licenses/by/4.0/"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


@dataclass(frozen=True)
class Source:
    """A data set with its publisher and terms. ``read`` turns opened files into rows; ``files`` says which files these are.

    ``publisher`` is an actor of the curated data (its slug) or a name. ``addresses`` are where its files are fetched from; there are none where a
    person has to choose, and ``where`` says how. ``comment`` is what its readers should know, ``kind`` one of the kinds of source.
    """

    name: str
    title: str
    description: str
    publisher: str
    licence: str
    page: str
    files: str
    read: Reader = field(repr=False)
    addresses: tuple[str, ...] = ()
    where: str = ""
    comment: str = ""
    kind: str = "official"
    newest: Callable[[dict], str] | None = field(default=None, repr=False)  # the address of the file in a listing that is fetched first

    @property
    def iri(self) -> str:
        """The ``dcat:Dataset`` of what is imported."""
        return f"{ID}source/import-{self.name}"

    def graph(self, version: str) -> str:
        """The named graph that holds the statements of a version."""
        return f"{GRAPH}{self.name}/{version}"
