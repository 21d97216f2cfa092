"""Why warnings of the shapes remain in the bundled data: what was looked for, and why it is not there. Shown on ``/quality``."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .language import N_

SHAPES = "https://w3id.org/kvgraph/shapes#"

# By the shape that remarks on it. A test holds that every kind of warning of the bundled data has its reason here.
REASONS = {
    "Record-hasStart": N_(
        "Pages tell what a practice does more often than since when. A year that a page does not give as the beginning is left out; "
        "where two pages disagree, both years are kept."
    ),
    "Record-hasLead": N_("The pages name several organisations as equals, or none that answers for the whole. Who is named stands as a partner."),
    "Record-hasDescription": N_("Only its name, place and kind were seen, as in lists of members or of award winners."),
    "LocatedRecord": N_(
        "Most are national, so that their country says where they are; the others span several countries or are of a region that no page names."
    ),
    "Policy-hasIssued": N_("Known from pages that name it without its date: answers of governments to surveys, plans of the EU funds, lists of titles."),
    "Actor-hasCountry": N_(
        "Institutions of the EU, bodies of several states, networks and companies of many countries belong to none; for a few others no page names it."
    ),
    "LearningExample-hasLesson": N_(
        "Of a project or study only its aim or its questions were seen, not the report that says what was learned."
    ),
}


@dataclass(frozen=True)
class Remark:
    """One kind of warning: how many records it concerns, the message that a contributor sees, and why it remains: in English, for gettext; empty if not known."""

    number: int
    message: str
    reason: str


def remaining(results: Iterable[dict]) -> list[Remark]:
    """The kinds of warning of a validation report, the commonest first.

    >>> remaining([{"severity": "Info", "shape": SHAPES + "Record-hasStart", "message": "When?"}])
    []
    """
    warnings = [r for r in results if r["severity"] == "Warning"]
    messages = {r["shape"]: r["message"] for r in warnings}
    counted = Counter(r["shape"] for r in warnings).most_common()
    return [Remark(number, messages[shape], REASONS.get(shape.removeprefix(SHAPES), "")) for shape, number in counted]
