"""An invented CORDIS package of any size, in the format as published, the same at every run.

    python -m tests.bench.cordis var/bench/cordis.zip --projects 200000 --participations 1500000

Few organisations are in very many projects, most in one or two, as in the real one: the number of an organisation follows a power law.
"""

import argparse
import csv
import io
import random
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

SEED = 20261128
_PLACES = (
    "AT:AT130:Wien BE:BE242:Leuven BG:BG411:Sofia CY:CY000:Nicosia CZ:CZ010:Praha DE:DE300:Berlin DE:DE212:München DK:DK011:København EE:EE001:Tallinn "
    "EL:EL303:Athens ES:ES511:Barcelona ES:ES300:Madrid FI:FI1B1:Helsinki FR:FR101:Paris HR:HR050:Zagreb HU:HU110:Budapest IE:IE061:Dublin IT:ITI43:Roma "
    "IT:ITC4C:Milano LT:LT011:Vilnius LU:LU000:Luxembourg LV:LV006:Riga MT:MT001:Valletta NL:NL329:Amsterdam NO:NO081:Oslo PL:PL911:Warszawa "
    "PT:PT1A0:Lisboa RO:RO321:București SE:SE110:Stockholm SI:SI041:Ljubljana SK:SK010:Bratislava UK::London US::Boston"
).split()
_WORDS = (
    "regional open shared applied joint mobile green digital circular urban rural coastal medical industrial cultural public social robust early transfer "
    "network platform academy laboratory pilot standard clinic harvest battery sensor data fund water energy health soil ocean quantum materials genome"
).split()
_KINDS = {"University": "HES", "Institute": "REC", "Company": "PRC", "Agency": "PUB"}


def generate(path: Path, projects: int, participations: int) -> None:
    """Write the package; with about one organisation for 25 participations."""
    chance = random.Random(SEED)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, rows in (("project.csv", _projects(chance, projects)), ("organization.csv", _participations(chance, projects, participations))):
            with archive.open(name, "w") as member:
                text = io.TextIOWrapper(member, "utf-8-sig", newline="")
                csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
                text.flush()


def _projects(chance: random.Random, number: int) -> Iterator[Iterable]:
    yield (
        "id acronym status title startDate endDate totalCost ecMaxContribution legalBasis topics ecSignatureDate frameworkProgramme masterCall subCall "
        "fundingScheme nature objective contentUpdateDate rcn grantDoi"
    ).split()
    for n in range(number):
        words, cost, year = chance.sample(_WORDS, 4), chance.randrange(100_000, 9_000_000), chance.randrange(2021, 2027)
        code, topic = 101_000_000 + n, f"HORIZON-CL{chance.randrange(1, 7)}-{year}-{chance.randrange(1, 60):02}"
        yield (
            code, f"{words[0][:4]}{words[1][:4]}{n}".upper(), "SIGNED", f"{' '.join(words).capitalize()} {n}", f"{year}-01-01", f"{year + 4}-12-31", f"{cost},5",
            cost, "HORIZON.2.6", topic, f"{year}-01-01", "HORIZON", topic, "", "HORIZON-RIA", "", "", "2026-01-01 00:00:00", n, f"10.3030/{code}",
        )  # fmt: skip


def _participations(chance: random.Random, projects: int, number: int) -> Iterator[Iterable]:
    yield (
        "projectID projectAcronym organisationID vatNumber name shortName SME activityType street postCode city country nutsCode geolocation organizationURL "
        "contactForm contentUpdateDate rcn order role ecContribution netEcContribution totalCost endOfParticipation active"
    ).split()
    organisations = max(10, number // 25)
    kinds = list(_KINDS)
    for n in range(number):
        project, order = 101_000_000 + n % projects, n // projects + 1
        organisation = min(organisations - 1, int(chance.paretovariate(0.9)) * 7919 % organisations if chance.random() < 0.6 else chance.randrange(organisations))
        country, nuts, town = _PLACES[organisation % len(_PLACES)].split(":")
        kind = kinds[organisation % len(kinds)]
        yield (
            project, "", 900_000_000 + organisation, f"{country}{organisation:09}", f"{kind.upper()} OF {_WORDS[organisation % len(_WORDS)].upper()} {organisation}",
            f"{kind[0]}{organisation}", "false", _KINDS[kind], "", "", town, country, nuts, "", f"https://www.o{organisation}.example.org/", "", "", organisation,
            order, "coordinator" if order == 1 else "participant", f"{chance.randrange(10_000, 900_000)},25", "", "", "false", "",
        )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--projects", type=int, default=200_000)
    parser.add_argument("--participations", type=int, default=1_500_000)
    asked = parser.parse_args()
    generate(asked.path, asked.projects, asked.participations)
