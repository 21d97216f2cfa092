"""The linkage model: what is compared, at which levels two values can agree, and how much each level says.

After Fellegi and Sunter (1969), as Splink does it: a level weighs log2(m/u), where m is the share of pairs of one organisation that are at
this level and u that of candidate pairs of two. The levels are here; m and u are in ``model.json``, counted on names of ROR
(``tests/linking/fit.py``), so that a run needs no training and gives the same links each time.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


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


_SHARES = (999, 850, 650, 450, 250)  # thousandths of the weight of a name's words
_TELLING = 1300  # weight of the words in common
def _word_levels() -> list[Level]:
    """Levels by what share of the asked name's words the other has, and the other way round; apart for words that say much together."""
    found = []
    for form, said in (("all", "in its names together"), ("name", "in a name")):
        for asked in _SHARES:
            for other in _SHARES:
                where = f"form_l = '{form}' AND asked_l >= {asked} AND found_l >= {other}"
                text = f"{_percent(asked)} of the words asked, {_percent(other)} of those found, {said}"
                found += [Level(f"{text}; telling", f"{where} AND telling_l >= {_TELLING}"), Level(text, where)]
        found.append(Level(f"few words {said}", f"form_l = '{form}'"))
    return found


def _percent(thousandths: int) -> str:
    return "all" if thousandths >= 999 else f"{thousandths / 10:g} %"


COMPARISONS = (
    Comparison(
        "name",
        None,
        (
            Level("equal short name", "form_l = 'short' AND key_l = key_r"),
            Level("equal name", "form_l = 'name' AND key_l = key_r AND telling_l >= 700"),
            Level("equal name of common words", "form_l = 'name' AND key_l = key_r"),
            Level("short name, like", "form_l = 'short' AND asked_l >= 999"),
            Level("short name", "form_l = 'short'"),
            *_word_levels(),
            Level("nothing in common", None),
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
    Comparison("kind", "kind_l IS NULL OR kind_r IS NULL", (Level("same kind", "kind_l = kind_r"), Level("another kind", None))),
)
COLUMNS = ("row_l", "row_r", "record_l", "record_r", "text_l", "text_r", *(f"gamma_{c.name}" for c in COMPARISONS))


@dataclass(frozen=True)
class Model:
    """Numbers of a fitted model: the share of candidate pairs that are one organisation, m and u of every level, thresholds.

    ``none`` is how much speaks for none of the candidates, as odds beside theirs; ``accept`` and ``review`` are in bits.
    """

    prior: float
    levels: dict[str, dict[str, tuple[float, float]]]
    none: float
    accept: float
    review: float

    def settings(self) -> dict:
        """The model as Splink's settings."""
        comparisons = []
        for comparison in COMPARISONS:
            levels = [{"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}] if comparison.unknown else []
            for level in comparison.levels:
                m, u = self.levels.get(comparison.name, {}).get(level.label, (0.5, 0.5))
                levels.append({"sql_condition": level.condition or "ELSE", "label_for_charts": level.label, "m_probability": m, "u_probability": u})
            comparisons.append({"output_column_name": comparison.name, "comparison_levels": levels})
        return {
            "link_type": "link_only", "unique_id_column_name": "row", "comparisons": comparisons,
            "probability_two_random_records_match": self.prior, "blocking_rules_to_generate_predictions": ["l.key = r.key"],
            "retain_matching_columns": True, "retain_intermediate_calculation_columns": False, "additional_columns_to_retain": ["record", "text"],
        }  # fmt: skip


def level(comparison: Comparison, gamma: int) -> Level | None:
    """The level behind Splink's number for it; None for what is unknown.

    >>> level(COMPARISONS[3], 1).label, level(COMPARISONS[3], 0).label, level(COMPARISONS[3], -1)
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
    levels = {name: {label: (m, u) for label, (m, u) in rows.items()} for name, rows in content["levels"].items()}
    return Model(content["prior"], levels, **content["thresholds"])
