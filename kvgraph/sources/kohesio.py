"""Kohesio: projects and beneficiaries of EU cohesion policy, in the CSV files of its download page.

A project and a beneficiary keep their addresses in the EU Knowledge Graph (``https://linkedopendata.eu/entity/Q…``). A project is a
``schema:Project``; the beneficiary's part in it is an ``eurio:OrganisationRole``. Who has no name (Kohesio withholds those of people) is left out.
"""

import re
from collections.abc import Iterable, Iterator

from ..namespaces import DCTERMS, EURIO, FOAF, KV, ORG, RDFS, SCHEMA, SKOS
from . import places
from .raw import Raw
from .record import LONGEST_TEXT, BadRow, Name, Once, Organisation, SetAside, Statements, Taken, names_of, needed, text
from .tables import SPREADSHEETS, Row, columns_of, rows

_ENTITY = re.compile(r"https?://linkedopendata\.eu/entity/(Q[1-9][0-9]*)")
_PROJECT, _BENEFICIARY = "Operation_Unique_Identifier", "Beneficiary_Unique_Identifier"


def read(files: Iterable[Raw], encoding: str | None = None) -> Iterator[Taken | SetAside]:
    """Every project, with its beneficiary, and every beneficiary of the files."""
    projects, beneficiaries = Once("project"), Once("beneficiary")
    tables = [raw for raw in files if raw.kind in (".csv", ".xlsx", ".xlsm", ".txt")]
    kinds = [raw.kind in SPREADSHEETS or _PROJECT.lower().replace("_", "") in columns_of(raw, encoding) for raw in tables]
    for of_projects, raw in sorted(zip(kinds, tables), key=lambda pair: pair[0]):  # what is said of beneficiaries themselves comes first
        needed_columns = (_PROJECT, "Operation_Name_English") if of_projects else (_BENEFICIARY, "Beneficiary_Name")
        for row in rows(raw, needed_columns, encoding):
            if isinstance(row, SetAside):
                yield row
                continue
            try:
                said, organisation = _project(row, projects, beneficiaries) if of_projects else _beneficiary(row, beneficiaries)
                yield Taken(said.triples, organisation, raw.name, row.line, tuple(said.notes))
            except BadRow as problem:
                yield SetAside(raw.name, row.line, str(problem))


def _entity(value: str, what: str) -> str:
    if not (found := _ENTITY.fullmatch(needed(value, what))):
        raise BadRow(f"{value[:80]!r} is no {what} of Kohesio")
    return f"https://linkedopendata.eu/entity/{found[1]}"


def _project(row: Row, projects: Once, beneficiaries: Once) -> tuple[Statements, Organisation | None]:
    iri = _entity(row[_PROJECT], "identifier")
    title, own = text(row["Operation_Name_English"], "name", 1_000), text(row["Operation_Name_Programme_Language"], "name", 1_000)
    needed(title or own, "name")
    projects.check(iri)
    said = Statements(iri)
    said.a(SCHEMA + "Project")
    said.say(RDFS + "label", title, "en")
    said.say(SKOS + "altLabel" if title else RDFS + "label", own if own != title else "")
    said.say(DCTERMS + "description", said.text(row["Operation_Summary_English"], "summary", LONGEST_TEXT), "en")
    said.say(DCTERMS + "identifier", said.text(row["Operation_Local_Identifier"], "identifier"))
    said.day(SCHEMA + "startDate", row["Operation_Start_Date"])
    said.day(SCHEMA + "endDate", row["Operation_End_Date"])
    said.amount(SCHEMA + "amount", row["Project_EU_Budget"])
    said.say(KV + "fundingProgramme", said.text(row["Programme_Name"] or row["Fund_Code"], "programme", 500), "en")
    said.to(KV + "country", places.country_iri(places.country(row["CountryCode"])))
    codes = [code for column in ("NUTS3_Code", "NUTS2_Code", "NUTS1_Code") for code in row[column].split("|")]
    said.to(DCTERMS + "spatial", *[*filter(None, map(places.region_iri, codes))][:1])  # the smallest
    organisation = None
    if row["Beneficiary_Name"] and row[_BENEFICIARY] and "|" not in row[_BENEFICIARY]:
        try:
            organisation = _part(said, row, beneficiaries)
        except BadRow as problem:  # the project is one without it
            said.notes.append(str(problem))
    projects.add(iri, row.line)
    return said, organisation


def _part(said: Statements, row: Row, beneficiaries: Once) -> Organisation | None:
    """The beneficiary's part in a project, and the beneficiary where no row before described it."""
    iri, organisation = said.subject, None
    beneficiary = _entity(row[_BENEFICIARY], "identifier of a beneficiary")
    if beneficiary not in beneficiaries:
        about, organisation = _beneficiary(row, beneficiaries)
        said.triples += about.triples
        said.notes += about.notes
    role = Statements(f"{iri}#beneficiary", said.triples)
    role.a(EURIO + "OrganisationRole")
    role.to(EURIO + "isInvolvedIn", iri)
    said.to(EURIO + "hasInvolvedParty", role.subject)
    role.to(EURIO + "isRoleOf", beneficiary)
    role.say(EURIO + "roleLabel", "beneficiary")
    return organisation


def _beneficiary(row: Row, beneficiaries: Once) -> tuple[Statements, Organisation]:
    iri = _entity(row[_BENEFICIARY], "identifier of a beneficiary")
    name = needed(text(row["Beneficiary_Name"], "name of the beneficiary"), "name of the beneficiary")
    said = Statements(iri)
    english = said.text(row["Beneficiary_Name_English"], "name of the beneficiary")
    if re.fullmatch(r"[*#xX.\-\s]+|(confidential|anonymi[sz]ed|natural person)", name, re.IGNORECASE):
        raise BadRow("the name of the beneficiary is withheld")
    beneficiaries.add(iri, row.line)
    said.a(ORG + "Organization")
    said.say(SKOS + "prefLabel", name)
    if english != name:
        said.say(SKOS + "altLabel", english, "en")
    code = places.country(row["CountryCode"])
    said.to(KV + "country", places.country_iri(code))
    local = said.text(row["Beneficiary_Local_Identifier"], "local identifier")
    said.say(DCTERMS + "identifier", local)
    homepage = said.link(FOAF + "homepage", row["Beneficiary_Website"])
    names = names_of([Name(name), Name(english, "en", "alias")])
    return said, Organisation(iri, names, code, "", "", homepage, "", (iri,), ())
