"""Importers: data sets of others, brought home. One module per source, each a function from opened files to rows.

:data:`SOURCES` has what can be imported by name, :func:`kvgraph.sources.importing.run` imports it, :func:`kvgraph.sources.imported.imports` says what
was imported.
"""

from ..errors import KvgraphError
from . import cordis, kohesio, nuts, ror, skos, table, wikidata
from .source import CC0, CC_BY, Source

_GISCO = "https://gisco-services.ec.europa.eu/distribution/v2/nuts/"
_TABLES = "http://publications.europa.eu/resource/distribution/"
_OP = "https://op.europa.eu/en/web/eu-vocabularies/dataset/-/resource?uri=http://publications.europa.eu/resource/dataset/"
_COMMISSION = "european-commission"
_OFFICE = "publications-office-of-the-european-union"

_ALL = (
    Source(
        "ror", "Research Organization Registry, imported",
        "Research organisations of the world with names, kinds, places, web pages, parents and identifiers elsewhere, as published in the dump of ROR.",
        "research-organization-registry", CC0, "https://ror.org/",
        "the dump of ROR, schema 2: v1.60-2025-01-01-ror-data.zip, or its JSON file", ror.read,
        ("https://zenodo.org/api/communities/ror-data/records?q=&sort=newest&size=1",), newest=ror.newest,
        where="Is this machine offline? Get the newest dump, a zip, from https://zenodo.org/communities/ror-data with a browser, and name the file on the command line.",
    ),
    Source(
        "cordis", "CORDIS: Horizon Europe projects, imported",
        "EU research projects under Horizon Europe with their participants, topics, fields of science, legal basis and web pages, as published by CORDIS.",
        _COMMISSION, CC_BY, "https://cordis.europa.eu/",
        "the package cordis-HORIZONprojects-csv.zip, its tables, or the reduced table with a line for each project", cordis.read,
        ("https://cordis.europa.eu/data/cordis-HORIZONprojects-csv.zip",),
        comment="Amounts are in euros. Fields of science carry the number that the tables give.", kind="eu-programme",
    ),
    Source(
        "cordis-h2020", "CORDIS: Horizon 2020 projects, imported",
        "EU research projects under Horizon 2020 with their participants, topics, fields of science, legal basis and web pages, as published by CORDIS.",
        _COMMISSION, CC_BY, "https://cordis.europa.eu/",
        "the package cordis-h2020projects-csv.zip, or its tables", cordis.read_h2020,
        ("https://cordis.europa.eu/data/cordis-h2020projects-csv.zip",),
        comment="Amounts are in euros. Fields of science carry the number that the tables give.", kind="eu-programme",
    ),
    Source(
        "kohesio", "Kohesio: projects of EU cohesion policy, imported",
        "Projects supported by EU cohesion policy and their beneficiaries, as published by Kohesio for a country and period.",
        _COMMISSION, CC_BY, "https://kohesio.ec.europa.eu/",
        "the CSV of projects of a country (with Operation_Unique_Identifier), and the CSV of beneficiaries", kohesio.read,
        where="Choose a country and period at https://kohesio.ec.europa.eu/ (Services, Data) and name the CSV files on the command line.",
        comment="Amounts are the support of the EU, in euros. Kohesio withholds the names of people.", kind="eu-programme",
    ),
    Source(
        "wikidata", "Wikidata organisations, imported",
        "Organisations with names in many languages, places, web pages and identifiers, from an answer of Wikidata's query service or from its entity documents.",
        "Wikimedia Foundation", CC0, "https://www.wikidata.org/",
        "an answer of https://query.wikidata.org/ as JSON or CSV, or entity JSON", wikidata.read,
        where="Run the query of the guide (docs, Imports) at https://query.wikidata.org/, download the answer as JSON, and name the file on the command line.",
        comment="Anybody may edit Wikidata.", kind="other-library",
    ),
    Source(
        "nuts", "NUTS regions, imported",
        "Codes and names of the regions of an edition of NUTS, and a point for each, as published by GISCO.",
        "eurostat", "https://ec.europa.eu/eurostat/web/gisco/geodata/statistical-units/territorial-units-statistics",
        "https://ec.europa.eu/eurostat/web/gisco/geodata/statistical-units/territorial-units-statistics",
        "NUTS_AT_2024.csv and NUTS_LB_2024_4326.geojson", nuts.read,
        (_GISCO + "csv/NUTS_AT_2024.csv", _GISCO + "geojson/NUTS_LB_2024_4326.geojson"),
        comment="© EuroGeographics for the administrative boundaries.",
    ),
    Source(
        "authorities", "EU authority tables, imported",
        "Countries, languages and corporate bodies of the EU with their codes and names in the languages of the EU, as published in SKOS.",
        _OFFICE, CC_BY, "https://op.europa.eu/en/web/eu-vocabularies/authority-tables",
        "authority tables in SKOS: countries-skos.rdf, languages-skos.rdf, corporatebodies-skos.rdf …", skos.read,
        tuple(f"{_TABLES}{table}/rdf/skos_core/{file}-skos.rdf" for table, file in (
            ("country", "countries"), ("language", "languages"), ("corporate-body", "corporatebodies"))),
    ),
    Source(
        "eurovoc", "EuroVoc, imported",
        "The multilingual thesaurus of the EU with its hierarchy and matches, as published in SKOS.",
        _OFFICE, CC_BY, _OP + "eurovoc", "EuroVoc in SKOS: eurovoc-skos-ap-eu.rdf or the zip with it", skos.read,
        where=f"Download EuroVoc as SKOS (RDF/XML) from {_OP}eurovoc and name the file on the command line.",
    ),
    Source(
        "euroscivoc", "EuroSciVoc, imported",
        "The European Science Vocabulary: fields of science in several languages, as published in SKOS. CORDIS classifies its projects with it.",
        _OFFICE, CC_BY, _OP + "euroscivoc", "EuroSciVoc in SKOS: EuroSciVoc-skos-ap-eu.rdf", skos.read,
        where=f"Download EuroSciVoc as SKOS (RDF/XML) from {_OP}euroscivoc and name the file on the command line.",
    ),
    Source(
        "table", "Table of practices", "Practices of knowledge valorisation from a table in the columns of the template.",
        "", "", "", "a table in the columns of the template: kvgraph import table --template practices.xlsx", table.read,
        where="Write the template with: kvgraph import table --template practices.xlsx",
        comment="Brought in from a table of its publisher.", kind="other-library",
    ),
)  # fmt: skip
SOURCES = {source.name: source for source in _ALL}


class UnknownSource(KvgraphError):
    """No source of that name can be imported."""


def source(name: str) -> Source:
    """The source of that name. Raises :class:`UnknownSource`, naming those there are.

    >>> source("ror").title
    'Research Organization Registry, imported'
    """
    if name not in SOURCES:
        raise UnknownSource(f"There is no source {name!r}.", hint=f"Sources: {', '.join(SOURCES)}.")
    return SOURCES[name]
