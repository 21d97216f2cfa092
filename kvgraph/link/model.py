"""The linkage model: what is compared, at which levels two values can agree, and how much each level says.

After Fellegi and Sunter (1969), as Splink does it: each level has a weight in bits, and the weights of a pair add up to log2 of its odds. The levels are
here; their weights are in ``model.json``, fitted together on names of ROR (``tests/linking/fit.py``), so that a run needs no training and gives the same
links each time.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .features import SCALE


@dataclass(frozen=True)
class Level:
    """One way in which two values agree. ``condition`` is SQL that every engine reads alike; None for what is left."""

    label: str
    condition: str | None


@dataclass(frozen=True)
class Comparison:
    """What is compared. ``unknown`` is the condition under which it says nothing."""

    name: str
    unknown: str | None
    levels: tuple[Level, ...]


_SHARES = (999, 850, 700, 550, 400, 250, 100, 0)  # thousandths of the weight of a name's words
_FEW = 250  # thousandths below which words in common are few
_TELLING = (43, 36, 29, 23, 19, 16, 13, 10, 7, 4)  # bits that the words in common tell


def _word_levels() -> list[Level]:
    """Levels by what share of the asked name's words the other has, and the other way round."""
    found = []
    for form, said in (("all", "in its names together"), ("name", "in a name")):
        for asked in _SHARES:
            for other in _SHARES:
                where = f"form_l = '{form}' AND asked_l >= {asked} AND found_l >= {other}"
                found.append(Level(f"{_percent(asked)} of the words asked, {_percent(other)} of those found, {said}", where))
    return found


def _percent(thousandths: int) -> str:
    return "all" if thousandths >= 999 else f"{thousandths / 10:g} %" if thousandths else "few"


# Levels at which names have few words in common, whichever of the two is looked at.
LITTLE = frozenset(
    f"{_percent(asked)} of the words asked, {_percent(other)} of those found, {said}"
    for said in ("in a name", "in its names together") for asked in _SHARES for other in _SHARES if max(asked, other) < _FEW
)  # fmt: skip


def _telling_levels() -> list[Level]:
    """Levels by how much the words in common tell, whatever else is in the names: one of two to the power of that many organisations would have them by chance."""
    found = [Level(f"the words in common tell {bits} bits or more", f"telling_l >= {round(bits * SCALE * math.log(2))}") for bits in _TELLING]
    return [*found, Level("the words in common tell little", None)]


COMPARISONS = (
    Comparison(
        "name",
        None,
        (
            Level("equal short name", "form_l = 'short' AND key_l = key_r"),
            Level("equal name", "form_l = 'name' AND key_l = key_r"),
            Level("short name, like", "form_l = 'short' AND asked_l >= 999"),
            Level("short name", "form_l = 'short'"),
            *_word_levels(),
            Level("nothing in common", None),
        ),
    ),
    Comparison("telling", "form_l = 'short'", tuple(_telling_levels())),
    Comparison(
        "parents",
        "lent_l IS NULL",
        (
            Level("65 % of the words asked are those of what it is a part of", "lent_l >= 650"),
            Level("45 % of the words asked are those of what it is a part of", "lent_l >= 450"),
            Level("25 % of the words asked are those of what it is a part of", "lent_l >= 250"),
            Level("few of the words asked are those of what it is a part of", None),
        ),
    ),
    Comparison(
        "initials",
        "initials_l IS NULL",
        (
            Level("initials are an acronym of four letters or more", "initials_l >= 4"),
            Level("initials are an acronym of three letters", "initials_l = 3"),
            Level("initials are no acronym", None),
        ),
    ),
    Comparison(
        "place",
        "place_l IS NULL OR place_r IS NULL",
        (
            Level("same place, with few organisations", "place_l = place_r AND crowd_r <= 10"),
            Level("same place, with some organisations", "place_l = place_r AND crowd_r <= 100"),
            Level("same place, with many organisations", "place_l = place_r"),
            Level("place spelt almost the same", "length(place_l) > 4 AND levenshtein(place_l, place_r) <= 2"),
            Level("place within the other's", "place_l LIKE concat('%', place_r, '%') OR place_r LIKE concat('%', place_l, '%')"),
            Level("another place", None),
        ),
    ),
    Comparison("country", "country_l IS NULL OR country_r IS NULL", (Level("same country", "country_l = country_r"), Level("another country", None))),
    Comparison(
        "homepage",
        "page_l IS NULL OR page_r IS NULL",
        (
            Level("same page, which no other has", "page_l = page_r AND sites_r = 1"),
            Level("same page", "page_l = page_r"),
            Level("same domain", "domain_l = domain_r"),
            Level("another domain", None),
        ),
    ),
    Comparison(
        "kind",
        "kind_l IS NULL OR kind_r IS NULL",
        (
            Level("same kind, of which there is one in the same place", "kind_l = kind_r AND place_l = place_r AND peers_r <= 1"),
            Level("same kind, of which there are up to three in the same place", "kind_l = kind_r AND place_l = place_r AND peers_r <= 3"),
            Level("same kind, of which there are up to ten in the same place", "kind_l = kind_r AND place_l = place_r AND peers_r <= 10"),
            Level("same kind", "kind_l = kind_r"),
            Level("another kind", None),
        ),
    ),
)
COLUMNS = ("row_l", "row_r", "record_l", "record_r", "text_l", "text_r", *(f"gamma_{c.name}" for c in COMPARISONS))


@dataclass(frozen=True)
class Model:
    """Numbers of a fitted model, all in bits: what speaks for a candidate before it is looked at, the weight of every level, thresholds."""

    before: float
    weights: dict[str, dict[str, float]]
    accept: float
    review: float

    def settings(self) -> dict:
        """The model as Splink's settings: of a weight of w bits, m and u are those two chances that add up to one with m/u = 2^w."""
        comparisons = []
        for comparison in COMPARISONS:
            levels = [{"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}] if comparison.unknown else []
            for level in comparison.levels:
                m = _chance(self.weights.get(comparison.name, {}).get(level.label, 0.0))
                levels.append({"sql_condition": level.condition or "ELSE", "label_for_charts": level.label, "m_probability": m, "u_probability": 1 - m})
            comparisons.append({"output_column_name": comparison.name, "comparison_levels": levels})
        return {
            "link_type": "link_only", "unique_id_column_name": "row", "comparisons": comparisons,
            "probability_two_random_records_match": _chance(self.before), "blocking_rules_to_generate_predictions": ["l.key = r.key"],
            "retain_matching_columns": True, "retain_intermediate_calculation_columns": False, "additional_columns_to_retain": ["record", "text"],
        }  # fmt: skip


def _chance(bits: float) -> float:
    return 1 / (1 + 2**-bits)


def level(comparison: Comparison, gamma: int) -> Level | None:
    """The level behind Splink's number for it; None for what is unknown.

    >>> level(COMPARISONS[5], 1).label, level(COMPARISONS[5], 0).label, level(COMPARISONS[5], -1)
    ('same country', 'another country', None)
    """
    return None if gamma < 0 else comparison.levels[len(comparison.levels) - 1 - gamma]


@cache
def fitted() -> Model:
    """The model that comes with kvgraph."""
    return parsed(resources.files(__package__).joinpath("model.json").read_text(encoding="utf-8"))


def parsed(text: str) -> Model:
    """A model from its JSON."""
    content = json.loads(text)
    return Model(content["before"], content["weights"], **content["thresholds"])
