"""Why two organisations are, or are not, one: the evidence as a waterfall."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import reading
from .mappings import CURATION
from .mappings import Mapping as Link
from .names import parse
from .organisations import Organisation

BAR = 30  # letters of the longest bar


@dataclass(frozen=True)
class Step:
    """One line of a waterfall: what speaks for it (bits above zero) or against it, and the chance before and after, from 0 to 1."""

    feature: str
    finding: str
    bits: float
    before: float
    after: float


def waterfall(link: Link) -> Iterator[Step]:
    """How the evidence of a link adds up.

    >>> from .mappings import EXACT, MODEL
    >>> link = Link("a", "A", EXACT, "b", "B", MODEL, other="before=how often a candidate is the one (-4.50)|name=equal name (+9.00)")
    >>> [(step.feature, round(step.after, 2)) for step in waterfall(link)]
    [('before', 0.04), ('name', 0.96)]
    """
    total = 0.0
    for line in link.evidence:
        before, total = total, total + line.bits
        yield Step(line.feature, line.finding, line.bits, _chance(before), _chance(total))


def _chance(bits: float) -> float:
    return 1 / (1 + 2**-bits)


def find(organisations: Iterable[Organisation], text: str) -> Organisation | None:
    """The organisation with this address, the end of it, or this name.

    >>> find([Organisation("http://example.org/id/actor/alpha", ("Alpha Institute",))], "actor/alpha").names
    ('Alpha Institute',)
    """
    key = parse(text).key
    for organisation in organisations:
        if organisation.iri == text or organisation.iri.endswith(f"/{text}") or any(parse(name).key == key for name in (*organisation.names, *organisation.short)):
            return organisation
    return None


def explain(
    asked: Organisation, ours: Sequence[Organisation], tables: Mapping[str, Path], address: str, reviewed: Mapping[tuple[str, str], Link] | None = None
) -> Link | None:  # fmt: skip
    """The link between an organisation of ours and one of an import with all its evidence, as it is or as ``reviewed`` has decided; None where there is no such one.

    The whole import is read, since how telling a word is depends on all of it.
    """
    from dataclasses import replace

    from .engines import engine
    from .model import fitted
    from .run import decided, match

    for source, path in tables.items():
        theirs = list(reading.of_import(path))
        there = next((organisation for organisation in theirs if organisation.iri == address), None)
        if there is not None:
            owners = [o for o in ours if o.iri != asked.iri and {there.iri, *there.identifiers} & {*o.identifiers}]
            with engine("duckdb") as made:
                links = match([asked, *owners], theirs, source, made, replace(fitted(), review=-99.0))
            pair = asked.iri, address
            found = next((link for link in links if link.pair == pair), None) or _nothing(asked, there, source)
            return decided([found], {pair: reviewed[pair]} if pair in (reviewed or {}) else {})[0]
    return None


def _nothing(asked: Organisation, there: Organisation, source: str) -> Link:
    from .mappings import CLOSE, MODEL

    labels = [next(iter((*o.names, *o.short)), "") for o in (asked, there)]
    return Link(asked.iri, labels[0], CLOSE, there.iri, labels[1], MODEL, 0.0, "Not", source, comment="They have too little in common to be compared, or others fit better.")


def text(link: Link) -> str:
    """A waterfall for the terminal: a bar for each piece of evidence, to the right what speaks for it, to the left what speaks against it."""
    lines = [f"{link.subject_label}  <{link.subject_id}>", f"{link.object_label}  <{link.object_id}>", ""]
    steps = list(waterfall(link))
    scale = max((abs(step.bits) for step in steps), default=1) or 1
    for step in steps:
        size = round(BAR * abs(step.bits) / scale)
        left, right = ("", "█" * size) if step.bits >= 0 else ("░" * size, "")
        lines.append(f"{step.feature:>12}  {step.bits:+6.2f}  {left:>{BAR}}│{right:<{BAR}}  {step.after:7.2%}  {step.finding}")
    verdict = "not one" if link.predicate_modifier else "accepted: the same" if link.accepted else "to review: may be the same"
    verdict = f"decided by a curator: {verdict.removeprefix('accepted: ')}" if link.mapping_justification == CURATION else verdict
    confidence = f" (confidence {link.confidence:.2%})" if link.confidence is not None and link.mapping_justification != CURATION else ""
    return "\n".join([*lines, "", f"{verdict}{confidence}", *([link.comment] if link.comment else [])])
