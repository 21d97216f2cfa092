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
from .tables import Row, columns_of, rows

_ENTITY = re.compile(r"https?://linkedopendata\.eu/entity/(Q[1-9][0-9]*)")
_PROJECT, _BENEFICIARY = "Operation_Unique_Identifier", "Beneficiary_Unique_Identifier"


def read(files: Iterable[Raw], encoding: str | None = None) -> Iterator[Taken | SetAside]:
    """Every project, with its beneficiary, and every beneficiary of the files."""
    projects, beneficiaries = Once("project"), Once("beneficiary")
    for raw in files:
        if raw.kind not in (".csv", ".xlsx", ".txt"):
            continue
        of_projects = raw.kind == ".xlsx" or _PROJECT.lower().replace("_", "") in columns_of(raw, encoding)
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
    projects.add(iri, row.line)
    said = Statements(iri)
    said.a(SCHEMA + "Project")
    said.say(RDFS + "label", title, "en")
    said.say(SKOS + "altLabel" if title else RDFS + "label", own if own != title else "")
    said.say(DCTERMS + "description", text(row["Operation_Summary_English"], "summary", LONGEST_TEXT), "en")
    said.say(DCTERMS + "identifier", text(row["Operation_Local_Identifier"], "identifier"))
    said.day(SCHEMA + "startDate", row["Operation_Start_Date"])
    said.day(SCHEMA + "endDate", row["Operation_End_Date"])
    said.amount(SCHEMA + "amount", row["Project_EU_Budget"])
    said.say(KV + "fundingProgramme", text(row["Programme_Name"] or row["Fund_Code"], "programme", 500), "en")
    said.to(KV + "country", places.country_iri(places.country(row["CountryCode"])))
    region = next((iri for column in ("NUTS3_Code", "NUTS2_Code", "NUTS1_Code") for code in row[column].split("|") if (iri := places.region_iri(code))), "")
    said.to(DCTERMS + "spatial", region)
    organisation = None
    if row["Beneficiary_Name"] and row[_BENEFICIARY] and "|" not in row[_BENEFICIARY]:
        beneficiary = _entity(row[_BENEFICIARY], "identifier of a beneficiary")
        if beneficiary not in beneficiaries:
            about, organisation = _beneficiary(row, beneficiaries)
            said.triples += about.triples
        role = Statements(f"{iri}#beneficiary", said.triples)
        role.a(EURIO + "OrganisationRole")
        role.to(EURIO + "isInvolvedIn", iri)
        role.to(EURIO + "isRoleOf", beneficiary)
        role.say(EURIO + "roleLabel", "beneficiary")
    return said, organisation


def _beneficiary(row: Row, beneficiaries: Once) -> tuple[Statements, Organisation]:
    iri = _entity(row[_BENEFICIARY], "identifier of a beneficiary")
    name = needed(text(row["Beneficiary_Name"], "name of the beneficiary"), "name of the beneficiary")
    english = text(row["Beneficiary_Name_English"], "name of the beneficiary")
    if re.fullmatch(r"[*#xX.\-\s]+|(confidential|anonymi[sz]ed|natural person)", name, re.IGNORECASE):
        raise BadRow("the name of the beneficiary is withheld")
    beneficiaries.add(iri, row.line)
    said = Statements(iri)
    said.a(ORG + "Organization")
    said.say(SKOS + "prefLabel", name)
    if english != name:
        said.say(SKOS + "altLabel", english, "en")
    code = places.country(row["CountryCode"])
    said.to(KV + "country", places.country_iri(code))
    local = text(row["Beneficiary_Local_Identifier"], "local identifier")
    said.say(DCTERMS + "identifier", local)
    homepage = said.link(FOAF + "homepage", row["Beneficiary_Website"])
    names = names_of([Name(name), Name(english, "en", "alias")])
    return said, Organisation(iri, names, code, "", "", homepage, "", (iri,), ())
