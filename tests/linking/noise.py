"""Names as people write them: typing errors, dropped words, legal forms, other orders, acronyms added, wrong spellings of towns, missing countries.

Made from the names of a register with one seed, so that the same set comes out each time. A share of what is asked for is not in the register at all.
"""

import random
import string
from dataclasses import replace

from kvgraph.link.organisations import Organisation

from .labelled import TEST, Labelled, part

FORMS = {"DE": "GmbH", "FR": "SAS", "IT": "S.p.A.", "ES": "S.L.", "PT": "Lda.", "NL": "B.V.", "AT": "GmbH", "GB": "Ltd", "PL": "sp. z o.o.", "CZ": "s.r.o.", "FI": "Oy", "SE": "AB"}
_DROPPED = ("of", "de", "the", "und", "la", "for", "di", "do", "da")


def noisy(every: list[Organisation], parts: frozenset[int] = TEST, size: int = 4000, seed: int = 11, absent: float = 0.1) -> tuple[list[Labelled], list[Organisation]]:
    """``size`` names spoilt in one to three ways, and a register that lacks a share ``absent`` of their organisations."""
    chance = random.Random(seed)
    asked = chance.sample([o for o in every if part(o.iri) in parts and o.names], size)
    gone = {o.iri for o in asked if chance.random() < absent}
    labelled = []
    for number, organisation in enumerate(asked):
        name = chance.choice(organisation.names)
        for spoil in chance.sample([typing_error, drop_word, add_form, add_acronym, swap, shout, typing_error], chance.randint(1, 3)):
            name = spoil(name, organisation, chance)
        place = spoilt_place(organisation.place, organisation, chance)
        question = Organisation(f"asked:{number}", (name,), country=organisation.country if chance.random() < 0.9 else "", place=place)
        labelled.append(Labelled(question, "" if organisation.iri in gone else organisation.iri, "noisy"))
    return labelled, [replace(o) for o in every if o.iri not in gone]


def spoilt_place(place: str, organisation: Organisation, chance: random.Random) -> str:
    """A place, with an error in three of ten, and left out in two of ten."""
    kind = chance.random()
    return typing_error(place, organisation, chance) if kind < 0.3 else "" if kind < 0.5 else place


def typing_error(text: str, _: Organisation, chance: random.Random) -> str:
    """One letter wrong, missing, doubled, or two changed over."""
    if len(text) < 5:
        return text
    at = chance.randrange(1, len(text) - 2)
    return chance.choice([
        text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:], text[:at] + text[at + 1] + text[at] + text[at + 2 :],
        text[:at] + chance.choice(string.ascii_lowercase) + text[at + 1 :],
    ])  # fmt: skip


def drop_word(text: str, _: Organisation, chance: random.Random) -> str:
    """Without a word: a little one if there is any."""
    words = text.split()
    if len(words) < 3:
        return text
    little = [n for n, word in enumerate(words) if word.lower() in _DROPPED]
    words.pop(chance.choice(little) if little else chance.randrange(len(words)))
    return " ".join(words)


def add_form(text: str, organisation: Organisation, _: random.Random) -> str:
    """With a legal form of its country."""
    return f"{text} {FORMS.get(organisation.country, 'Ltd')}"


def add_acronym(text: str, organisation: Organisation, chance: random.Random) -> str:
    """With its acronym in brackets."""
    return f"{text} ({chance.choice(organisation.short)})" if organisation.short else text


def swap(text: str, _: Organisation, __: random.Random) -> str:
    """The part behind a comma or the last word in front."""
    head, _, tail = text.partition(", ")
    words = text.split()
    return f"{tail}, {head}" if tail else " ".join([words[-1], *words[:-1]]) if len(words) > 2 else text


def shout(text: str, _: Organisation, __: random.Random) -> str:
    """In capitals."""
    return text.upper()
