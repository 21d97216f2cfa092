"""Your own table of practices, as CSV or XLSX: one row for each, in the columns of the template (``kvgraph import table --template FILE``).

Practices become records like the curated ones, in a graph of their own that says whose table it is. An organisation that is
written by the short name of its page here (``ku-leuven``) is that one; any other name becomes an actor of the table.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from anyascii import anyascii

from .. import resources
from ..errors import KvgraphError
from ..namespaces import DCTERMS, FOAF, ID, KV, PROV, SCHEMA, SKOS
from . import places
from .raw import Raw
from .record import BadRow, Once, SetAside, Statements, Taken, needed, text
from .tables import Row, rows

# Column, whether it is needed, what stands in it, an example.
COLUMNS = (
    ("title", True, "Name of the practice", "Regional proof-of-concept fund"),
    ("language", False, "Language of the texts in this row, as a tag; en where empty", "en"),
    ("description", False, "What it does, in a sentence or two", "Grants of up to 50,000 euros that take a result of research to a first demonstration."),
    ("country", True, "Country, as a code of two or three letters", "ES"),
    ("region", False, "NUTS 2024 code of the region", "ES51"),
    ("level", False, "eu, national, regional, local or cross-border", "regional"),
    ("lead", False, "Organisation that leads it: its short name here, or its name", "Agency for Knowledge Transfer"),
    ("partners", False, "Other organisations, with | between them", "ku-leuven | Another University"),
    ("channels", False, "Channels by their short names, with | between them", "spin-offs | intellectual-assets"),
    ("start", False, "Year it began", "2019"),
    ("end", False, "Year it ended; empty while it runs", ""),
    ("homepage", False, "Its own web page", "https://www.example.org/fund"),
    ("outcome", False, "What came of it", "12 spin-offs in four years."),
)  # fmt: skip
_NAMES = {name for name, *_ in COLUMNS} | {""}
_LEVELS = {"eu", "national", "regional", "local", "cross-border"}


def read(files: Iterable[Raw], encoding: str | None = None) -> Iterator[Taken | SetAside]:
    """Every row of the table, as a practice."""
    table = _Table()
    for raw in files:
        unknown: tuple[str, ...] | None = None
        for row in rows(raw, [name for name, necessary, *_ in COLUMNS if necessary], encoding):
            if isinstance(row, SetAside):
                yield row
                continue
            try:
                practice = table.practice(row)
                if unknown is None:  # said once for a file
                    unknown = tuple(f"column {name!r} is none of the template" for name in row.cells if name not in _NAMES)
                yield Taken(practice.triples, None, raw.name, row.line, unknown)
                unknown = ()
            except BadRow as problem:
                yield SetAside(raw.name, row.line, str(problem))


def write_template(path: Path) -> None:
    """Write the template: the columns, what stands in each, an example. The suffix says whether as .xlsx or .csv."""
    import csv

    from ..spreadsheet import write_table

    heading, example = [name for name, *_ in COLUMNS], [shown for *_, shown in COLUMNS]
    if path.suffix == ".csv":
        with open(path, "w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([heading, example])
    elif path.suffix == ".xlsx":
        with open(path, "wb") as file:
            write_table(heading, [example], file, sheet="Practices")
    else:
        raise KvgraphError(f"{path.name} is neither .xlsx nor .csv.", hint="Name it practices.xlsx or practices.csv.")


class _Table:
    def __init__(self):
        self.practices, self.described = Once("the title"), set[str]()
        self.named = set[str]()  # the actors that the row being read describes, if it comes in
        self.actors = {path.stem for path in (resources.folder("data") / "actors").glob("*.trig")}
        self.channels = _codes("channel")

    def practice(self, row: Row) -> Statements:
        language = (row["language"] or "en").lower()
        if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", language):
            raise BadRow(f"language {language[:20]!r} is no tag such as en or pt")
        title = needed(text(row["title"], "title"), "title")
        short = slug(title)
        said = Statements(f"{ID}practice/table-{short}")
        self.practices.check(short)
        self.named = set()
        self._fill(said, row, title, language)
        self.practices.add(short, row.line)
        self.described |= self.named
        return said

    def _fill(self, said: Statements, row: Row, title: str, language: str) -> None:
        said.a(KV + "Practice")
        said.say(DCTERMS + "title", title, language)
        said.say(DCTERMS + "description", text(row["description"], "description", 5_000), language)
        said.say(KV + "outcome", text(row["outcome"], "outcome", 5_000), language)
        country = places.country_iri(places.country(needed(row["country"], "country")))
        if not country:
            raise BadRow(f"country {row['country'][:20]!r} is not among those of the graph: write a code such as ES")
        said.to(KV + "country", country)
        if row["region"]:
            said.to(DCTERMS + "spatial", places.region_iri(row["region"]) or _no(f"region {row['region'][:20]!r} is no code of NUTS 2024"))
        if level := row["level"].lower():
            said.to(KV + "level", f"{ID}level/{level}" if level in _LEVELS else _no(f"level {level[:20]!r} is none of {', '.join(sorted(_LEVELS))}"))
        years = [self._year(row, name) for name in ("start", "end")]
        if all(years) and years[1] < years[0]:
            raise BadRow(f"ends in {years[1]}, before it begins in {years[0]}")
        for name, year in zip(("startDate", "endDate"), years):
            said.say(SCHEMA + name, year, datatype="gYear")
        if row["homepage"]:
            said.link(FOAF + "homepage", row["homepage"])
            if said.notes:
                raise BadRow(said.notes[0])
        for channel in _listed(row["channels"]):
            said.to(KV + "channel", f"{ID}channel/{channel}" if channel in self.channels else _no(f"channel {channel[:40]!r} is none of {', '.join(sorted(self.channels))}"))
        people = [("lead", row["lead"]), *(("partner", partner) for partner in _listed(row["partners"]))]
        for role, name in people:
            if name:
                self._part(said, role, name, language, country)

    def _year(self, row: Row, column: str) -> str:
        value = row[column][:4] if re.fullmatch(r"\d{4}(-\d\d-\d\d)?", row[column]) else row[column]
        if value and not re.fullmatch(r"(1[89]|20)\d\d", value):
            raise BadRow(f"{column} {value[:20]!r} is no year")
        return value

    def _part(self, said: Statements, role: str, name: str, language: str, country: str) -> None:
        name = text(name, role)
        short = slug(name)
        known = short in self.actors
        actor = f"{ID}actor/{short}" if known else f"{ID}actor/table-{short}"
        practice = said.subject.rpartition("/")[2]
        part = Statements(f"{ID}participation/{practice}--{short}--{role}", said.triples)
        part.a(KV + "Participation")
        part.to(PROV + "agent", actor)
        part.to(PROV + "hadRole", f"{ID}role/{role}")
        said.to(PROV + "qualifiedAssociation", part.subject)
        if role == "lead":
            said.to(KV + "lead", actor)
        if not known and actor not in self.described | self.named:
            about = Statements(actor, said.triples)
            about.a(KV + "Actor")
            about.say(SKOS + "prefLabel", name, language)
            if role == "lead":
                about.to(KV + "country", country)
            self.named.add(actor)


def slug(text_: str) -> str:
    """A short name for an address.

    >>> slug("Università Ca' Foscari")
    'universita-ca-foscari'
    """
    return re.sub(r"[^a-z0-9]+", "-", anyascii(text_).lower()).strip("-")[:80].strip("-") or _no(f"{text_[:40]!r} has no letters")


def _listed(cell: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in re.split(r"[|;\n]", cell) if part.strip()))


def _codes(name: str) -> set[str]:
    file = resources.folder("ontology") / "lists" / f"{name}.ttl"
    return set(re.findall(rf"^{name}:([a-z-]+) a ", file.read_text(encoding="utf-8"), re.MULTILINE))


def _no(reason: str):
    raise BadRow(reason)
