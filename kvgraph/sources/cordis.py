"""CORDIS: the CSV packages of EU research projects under Horizon Europe and Horizon 2020, into the terms of EURIO.

A package is a zip of ``project.csv``, ``organization.csv``, ``topics.csv``, ``euroSciVoc.csv``, ``legalBasis.csv`` and ``webLink.csv``: semicolons, a
byte order mark, decimal commas; what else is in it (``webItem.csv``, ``policyPriorities.csv``) is not read. Files may also be given one by one, and so may a reduced table with one line for a project and its topic
(``project_id``, ``cordis_url``, ``acronym``, ``title``, ``topic``, ``topic_title``, ``legal_basis``, ``euroscivoc_notations`` with | between them).

A project keeps its address in CORDIS, an organisation that of its PIC in the portal of the Commission, a participation is an
``eurio:OrganisationRole``. What refers to a project that is not in ``project.csv`` is set aside.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import quote

import pyoxigraph as ox

from ..model import PIC
from ..namespaces import DCTERMS, EURIO, FOAF, ID, KV, ORG, RDFS, SCHEMA, SKOS
from . import places
from .raw import Raw, UnreadableFile
from .record import LONGEST_TEXT, BadRow, Name, Once, Organisation, SetAside, Statements, Taken, names_of, needed, node, number, text, web_address
from .tables import Row, columns_of, rows

PROJECT = "https://cordis.europa.eu/project/id/"
PROGRAMME = "https://cordis.europa.eu/programme/id/"
FIELD = ID + "euroscivoc/"  # by its number: the files do not say the address of the concept; the import euroscivoc does
_NOT_READ = {"webitem.csv", "policypriorities.csv"}  # tables of the package that say nothing of what is asked here
_KINDS = {
    "HES": "higher education", "REC": "research organisation", "PRC": "company", "PUB": "public body", "OTH": "other",
}  # fmt: skip


def read(files: Iterable[Raw], encoding: str | None = None, programme: str = "HORIZON") -> Iterator[Taken | SetAside]:
    """Every row of the files, projects first; ``programme`` is ``HORIZON`` or ``H2020``, as ``frameworkProgramme`` has it."""
    package = _Package(programme)
    found = []
    for raw in files:
        name = PurePosixPath(raw.name).name
        if raw.kind not in (".csv", ".txt", ".tsv") or name.casefold() in _NOT_READ:
            continue
        columns = columns_of(raw, encoding)
        table = next((table for table in package.tables if table.key.keys() <= columns), None)
        if table is None and "/" in raw.name and name not in {table.name for table in package.tables}:
            yield SetAside(raw.name, None, "is none of the tables of CORDIS that are known here")
            continue
        if table is None:
            raise _unknown(raw.name, columns, package.tables)
        found.append((package.tables.index(table), raw, table))
    for _, raw, table in sorted(found, key=lambda item: item[0]):
        for row in rows(raw, table.needed, encoding):
            if isinstance(row, SetAside):
                yield row
                continue
            try:
                said, organisation = table.read(row)
                package.keep(row.line)
                yield Taken(said.triples, organisation, raw.name, row.line, tuple(said.notes))
            except BadRow as problem:
                package.drop()
                yield SetAside(raw.name, row.line, str(problem))


read_h2020 = partial(read, programme="H2020")


def _unknown(file: str, columns: set[str], tables: "list[_Table]") -> UnreadableFile:
    """Why a file is none of the tables: which columns it lacks, where its name says which table it is."""
    meant = next((table for table in tables if table.name.casefold() == PurePosixPath(file).name.casefold()), None)
    missing = [shown for key, shown in meant.key.items() if key not in columns] if meant else []
    lacks = f": it has no column {', '.join(missing)}" if missing else ""
    has = f"Its columns are: {', '.join(sorted(columns))[:300] or 'none'}."
    return UnreadableFile(f"{file} is none of the tables of CORDIS{lacks}.", hint=f"Known are {', '.join(t.name for t in tables)}, each with its columns. {has}")


class _Table:
    """A table of the package: the columns that tell it from the others, those it needs, and what reads a row."""

    def __init__(self, name: str, key: str, needed: str, read: Callable[[Row], tuple[Statements, Organisation | None]]):
        self.name, self.needed, self.read = name, needed.split(), read
        self.key = {column.lower().replace("_", ""): column for column in key.split()}  # as columns are compared, and as they are written


class _Package:
    """One edition, while its tables are read one after the other."""

    def __init__(self, programme: str):
        self.programme = programme
        self.projects, self.organisations, self.described = Once("project"), set[str](), set[str]()
        self.rows: set[int] = set()  # of participations, by hash: there are more than a million
        self.project, self.concepts = "", set[str]()  # what the row that is being read describes, if it comes in
        self.tables = [
            _Table("project.csv", "id frameworkProgramme title", "id title frameworkProgramme", self._project),
            _Table("the reduced table", "project_id topic legal_basis euroscivoc_notations", "project_id topic", self._reduced),
            _Table("organization.csv", "projectID organisationID role", "projectID organisationID name role country", self._participation),
            _Table("topics.csv", "projectID topic title", "projectID topic title", self._topic),
            _Table("euroSciVoc.csv", "projectID euroSciVocCode", "projectID euroSciVocCode euroSciVocTitle", self._field),
            _Table("legalBasis.csv", "projectID legalBasis", "projectID legalBasis", self._basis),
            _Table("webLink.csv", "projectID physUrl", "projectID physUrl", self._web_link),
        ]

    def keep(self, line: int) -> None:
        """The row that was read came in: others may refer to what it describes."""
        if self.project:
            self.projects.add(self.project, line)
        self.described |= self.concepts
        self.drop()

    def drop(self) -> None:
        self.project, self.concepts = "", set()

    def _new_project(self, row: Row, code: str, title: str, acronym: str) -> Statements:
        if not re.fullmatch(r"[0-9]{1,12}", needed(code, "project number")):
            raise BadRow(f"{code[:40]!r} is no number of a project")
        said = Statements(PROJECT + code)
        acronym = said.text(acronym, "acronym")
        title = text(title, "title", 1_000) or acronym
        self.projects.check(code)
        self.project = code
        said.a(EURIO + "Project", SCHEMA + "Project")
        said.say(EURIO + "identifier", code)
        said.say(RDFS + "label", title or code)
        said.say(EURIO + "title", title)
        if acronym and acronym != title:
            said.say(SKOS + "altLabel", acronym)
            _part(said, "hasAcronym", "acronym", "Acronym").say(EURIO + "shortForm", acronym)
        return said

    def _project(self, row: Row) -> tuple[Statements, None]:
        if (programme := row["frameworkProgramme"]) != self.programme:
            other = {"HORIZON": "cordis", "H2020": "cordis-h2020"}.get(programme)
            raise BadRow(f"belongs to {programme or 'no programme'}, not to {self.programme}" + (f": kvgraph import {other}" if other else ""))
        needed(row["title"], "title")
        said = self._new_project(row, row["id"], row["title"], row["acronym"])
        said.say(EURIO + "abstract", said.text(row["objective"], "objective", LONGEST_TEXT))
        said.say(EURIO + "projectStatus", said.text(row["status"], "status", 40))
        start, end = said.day(EURIO + "startDate", row["startDate"]), said.day(EURIO + "endDate", row["endDate"])
        if start and end and end < start:
            raise BadRow(f"ends on {end}, before it begins on {start}")
        said.say(DCTERMS + "type", said.text(row["fundingScheme"], "funding scheme", 60))
        _money(said, said, "hasTotalCost", "total-cost", row["totalCost"])
        if row["ecMaxContribution"]:
            grant = _part(said, "isFundedBy", "grant", "Grant")
            _money(said, grant, "hasFundingAmount", "grant-amount", row["ecMaxContribution"])
        said.say(EURIO + "doi", said.text(row["grantDoi"], "DOI", 100))
        return said, None

    def _reduced(self, row: Row) -> tuple[Statements, None]:
        said = self._new_project(row, row["project_id"], row["title"], row["acronym"])
        if topic := row["topic"]:
            self._about_topic(said, topic, row["topic_title"])
        if basis := row["legal_basis"]:
            self._about_programme(said, basis, "")
        for notation in filter(None, row["euroscivoc_notations"].split("|")):
            self._about_field(said, notation, "")
        return said, None

    def _of_project(self, row: Row) -> str:
        number = needed(row["projectID"], "project number")
        if number not in self.projects:
            raise BadRow(f"project {number[:40]} is not among the projects")
        return PROJECT + number

    def _participation(self, row: Row) -> tuple[Statements, Organisation | None]:
        project, pic = self._of_project(row), needed(row["organisationID"], "number of the organisation (PIC)")
        if not re.fullmatch(r"[0-9]{1,12}", pic):
            raise BadRow(f"{pic[:40]!r} is no number of an organisation (PIC)")
        role = needed(text(row["role"], "role", 60), "role")
        key = hash((project, pic, role, row["order"]))
        if key in self.rows:
            raise BadRow(f"organisation {pic} is {role} of this project in an earlier line already")
        organisation = None
        iri = f"{project}#{quote(role, safe='')}-{pic}" + (f"-{int(row['order'])}" if re.fullmatch(r"[0-9]{1,12}", row["order"]) else "")
        said = Statements(iri)
        if pic not in self.organisations:
            about, organisation = _organisation(row, pic)
            self.organisations.add(pic)
            said.triples += about.triples
            said.notes += about.notes
        self.rows.add(key)
        said.a(EURIO + "OrganisationRole")
        said.to(EURIO + "isInvolvedIn", project)
        said.triples.append(ox.Triple(node(project), node(EURIO + "hasInvolvedParty"), node(iri)))
        said.to(EURIO + "isRoleOf", PIC + pic)
        said.say(EURIO + "roleLabel", role)
        said.amount(SCHEMA + "amount", row["ecContribution"])
        return said, organisation

    def _topic(self, row: Row) -> tuple[Statements, None]:
        said = Statements(self._of_project(row))
        self._about_topic(said, needed(row["topic"], "topic"), row["title"])
        return said, None

    def _field(self, row: Row) -> tuple[Statements, None]:
        said = Statements(self._of_project(row))
        self._about_field(said, needed(row["euroSciVocCode"], "code").rpartition("/")[2], row["euroSciVocTitle"])
        return said, None

    def _basis(self, row: Row) -> tuple[Statements, None]:
        said = Statements(self._of_project(row))
        self._about_programme(said, needed(row["legalBasis"], "legal basis"), row["title"])
        return said, None

    def _web_link(self, row: Row) -> tuple[Statements, None]:
        said = Statements(self._of_project(row))
        try:
            said.to(FOAF + "homepage", needed(web_address(row["physUrl"]), "address"))
        except BadRow as problem:
            raise BadRow(f"physUrl {problem}") from None
        return said, None

    def _about_topic(self, said: Statements, topic: str, title: str) -> None:
        self._concept(said, EURIO + "hasFundingSchemeTopic", f"{PROGRAMME}{self.programme}_{quote(topic, safe='')}", topic, title)

    def _about_programme(self, said: Statements, basis: str, title: str) -> None:
        self._concept(said, EURIO + "hasFundingSchemeProgramme", PROGRAMME + quote(basis, safe="."), basis, title)

    def _about_field(self, said: Statements, notation: str, title: str) -> None:
        if not re.fullmatch(r"[0-9]{1,12}", notation):
            raise BadRow(f"{notation[:40]!r} is no code of EuroSciVoc")
        self._concept(said, EURIO + "hasEuroSciVocClassification", FIELD + notation, notation, title)

    def _concept(self, said: Statements, property_: str, iri: str, notation: str, title: str) -> None:
        """Say that the subject has this concept, and describe the concept the first time."""
        said.to(property_, iri)
        if iri in self.described or iri in self.concepts:
            return
        concept = Statements(iri)
        concept.a(SKOS + "Concept")
        concept.say(SKOS + "notation", text(notation, "code"))
        concept.say(SKOS + "prefLabel", text(title, "title", 1_000), "en")
        said.triples += concept.triples
        self.concepts.add(iri)


def _part(of: Statements, property_: str, name: str, class_: str) -> Statements:
    """A thing that only this one has, described among its statements."""
    part = Statements(f"{of.subject.partition('#')[0]}#{name}", of.triples, of.notes)
    of.to(EURIO + property_, part.subject)
    part.a(EURIO + class_)
    return part


def _money(said: Statements, of: Statements, property_: str, name: str, amount: str) -> None:
    """An amount in euros, as CORDIS gives all of them."""
    try:
        value = number(amount)
    except BadRow as problem:
        said.notes.append(f"{name} {problem}")
        return
    if value:
        part = _part(of, property_, name, "MonetaryAmount")
        part.say(EURIO + "value", value, datatype="decimal")
        part.say(EURIO + "currency", "EUR")


def _organisation(row: Row, pic: str) -> tuple[Statements, Organisation]:
    iri = PIC + pic
    said = Statements(iri)
    name, short = needed(text(row["name"], "name"), "name"), said.text(row["shortName"], "short name")
    said.a(ORG + "Organization", EURIO + "Organisation")
    said.say(SKOS + "prefLabel", name)
    said.say(EURIO + "legalName", name)
    if short != name:
        said.say(SKOS + "altLabel", short)
    said.say(DCTERMS + "identifier", pic)
    code = places.country(row["country"])
    if row["country"] and not code:
        said.notes.append(f"country {row['country'][:20]!r} is not known")
    said.to(KV + "country", places.country_iri(code))
    town = said.text(row["city"], "city", 100)
    said.say(SCHEMA + "addressLocality", town)
    said.to(DCTERMS + "spatial", places.region_iri(row["nutsCode"]))
    homepage = said.link(FOAF + "homepage", row["organizationURL"])
    kind = _KINDS.get(row["activityType"], "")
    said.say(DCTERMS + "type", kind)
    vat = re.sub(r"[^A-Z0-9]", "", row["vatNumber"].upper())
    said.say(SCHEMA + "vatID", vat)
    names = names_of([Name(name), Name(short, kind="acronym" if short.isupper() and " " not in short else "alias")])
    identifiers = (iri, f"urn:pic:{pic}", *([f"urn:vat:{vat}"] if vat else []))
    return said, Organisation(iri, names, code, town, row["nutsCode"], homepage, kind, identifiers, ())
