"""Linking 5,000 names against 100,000 organisations: kvgraph, rapidfuzz and equal names beside each other.

    python -m tests.bench.linking

The organisations are made up from words of real ones, so that nothing needs to be fetched.
"""

import random
import time
from collections.abc import Callable

from kvgraph.link import engines, run
from kvgraph.link.names import folded
from kvgraph.link.organisations import Organisation
from tests.linking.noise import add_form, drop_word, shout, typing_error

KINDS = ("University of {0}", "{1} Institute of {2} {0}", "{0} Hospital for {2}", "{1} Centre of {2}", "{1} {3} GmbH", "Foundation {1} for {2}", "{0} Academy of {2}")
FIELDS = "Physics Chemistry Biology Materials Energy Medicine Economics Law History Linguistics Robotics Genetics Oceanography Forestry Nutrition".split()
TRADES = "Systems Technologies Engineering Pharma Software Foods Logistics Instruments Consulting Optics".split()
SYLLABLES = "ba be bo da de do fa fi ga go ha ka ki la le lo ma me mo na no pa pe ra ri ro sa se so ta te to va vi wa zo burg stadt ville heim ford".split()
COUNTRIES = "AUT BEL CZE DEU DNK ESP FIN FRA GRC HUN ITA NLD POL PRT SWE".split()


def made_up(size: int, seed: int = 5) -> list[Organisation]:
    """Organisations that nobody has, with country and town."""
    chance = random.Random(seed)
    towns = ["".join(chance.choices(SYLLABLES, k=3)).title() for _ in range(4000)]
    found = []
    for number in range(size):
        town, other = chance.choice(towns), "".join(chance.choices(SYLLABLES, k=3)).title()
        name = chance.choice(KINDS).format(town, other, chance.choice(FIELDS), chance.choice(TRADES))
        found.append(Organisation(f"https://ror.org/0{number:08d}", (name,), country=chance.choice(COUNTRIES), place=town))
    return found


def asked(known: list[Organisation], size: int, seed: int = 6) -> list[tuple[Organisation, str]]:
    """Spoilt names of some of them, each with its answer."""
    chance = random.Random(seed)
    found = []
    for number, organisation in enumerate(chance.sample(known, size)):
        name = organisation.names[0]
        for spoil in chance.sample([typing_error, drop_word, add_form, shout], 2):
            name = spoil(name, organisation, chance)
        found.append((Organisation(f"asked:{number}", (name,), country=organisation.country, place=organisation.place if chance.random() < 0.8 else ""), organisation.iri))
    return found


def by_kvgraph(names: list[Organisation], known: list[Organisation]) -> dict[str, str]:
    with engines.engine("duckdb") as made:
        return {link.subject_id: link.object_id for link in run.match(names, known, "ror", made) if link.accepted}


def by_rapidfuzz(names: list[Organisation], known: list[Organisation]) -> dict[str, str]:
    """The best name by token sort ratio, from 85 on; of a twentieth of the names, since each is compared with all."""
    from rapidfuzz import fuzz, process

    choices = [folded(o.names[0]) for o in known]
    found = {o.iri: process.extractOne(folded(o.names[0]), choices, scorer=fuzz.token_sort_ratio, score_cutoff=85) for o in names[: len(names) // 20]}
    return {iri: known[match[2]].iri for iri, match in found.items() if match}


def by_equal_name(names: list[Organisation], known: list[Organisation]) -> dict[str, str]:
    """The organisation whose name is the same, case and accents aside."""
    by_name = {folded(o.names[0]): o.iri for o in known}
    return {o.iri: by_name[folded(o.names[0])] for o in names if folded(o.names[0]) in by_name}


def main(size: int = 100_000, names: int = 5_000) -> None:
    known = made_up(size)
    questions = asked(known, names)
    ways: list[tuple[str, Callable, int]] = [("kvgraph", by_kvgraph, 1), ("rapidfuzz", by_rapidfuzz, 20), ("equal names", by_equal_name, 1)]
    for way, link, share in ways:
        began, processor = time.perf_counter(), time.process_time()
        found = link([o for o, _ in questions], known)
        wall, spent = (time.perf_counter() - began) * share, (time.process_time() - processor) * share
        right = sum(found.get(o.iri) == answer for o, answer in questions)
        recall = right * share / len(questions)
        print(f"{way:12} {wall:7.1f} s, {spent:7.1f} s of processor time; precision {right / max(1, len(found)):.3f}, recall {recall:.3f}", flush=True)


if __name__ == "__main__":
    main()
