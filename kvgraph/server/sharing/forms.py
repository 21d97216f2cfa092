"""The form of a record: what a page shows of each field, and what comes back from it. It works without a script: every step is a form that is sent."""

from dataclasses import dataclass, field


from babel import Locale
from werkzeug.datastructures import MultiDict

from ...contribute import known
from ...contribute.checks import Finding
from ...contribute.fields import ROLES, Field, form, origin
from ...contribute.files import CONTRIBUTION
from ...contribute.known import Known
from ...contribute.record import Record, Value, date_value, plain
from ...graph import Graph
from ...namespaces import COUNTRY_SCHEME, DEF, ID
from .. import context, language

MOST = 60  # values of one field that are read

FIND = ".find"


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    chosen: bool = False
    help: str = ""


@dataclass(frozen=True)
class Row:
    """A text with its language, or a name that was typed with the things it may mean."""

    text: str = ""
    lang: str = "en"
    candidates: tuple[Known, ...] = ()


@dataclass
class Box:
    """A field as the page shows it. ``options`` can be chosen, ``chosen`` are things that were, ``rows`` are texts."""

    field: Field
    options: list[Option] = field(default_factory=list)
    chosen: list[Option] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def bad(self) -> bool:
        return any(f.severity == "Violation" for f in self.findings)


@dataclass(frozen=True)
class Part:
    """A section of the form. ``heading`` is in English, as the shapes have it."""

    name: str
    heading: str
    boxes: list[Box]


def languages() -> list[tuple[str, str]]:
    """The languages a text may be in: tag and name."""
    locale = Locale.parse(language.interface())
    return [(tag, locale.languages.get(tag, tag)) for tag in context.LANGUAGES]


# ── Showing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def parts(record: Record, graph: Graph, findings: list[Finding], more: str = "") -> list[Part]:
    """The form with what the record holds. ``more`` names a field that is to have another empty row."""
    by_field: dict[str, list[Finding]] = {}
    for finding in findings:
        by_field.setdefault(finding.field, []).append(finding)
    return [
        Part(section.name, section.heading, [_box(f, record, graph, by_field.get(f.name, []), more == f.name) for f in section.fields])
        for section in form(record.type)
    ]  # fmt: skip


def source_kinds(record: Record, graph: Graph) -> list[Option]:
    kind = next(f for f in origin() if f.name == "sourceKind")
    # That it is a contribution is said of each: it is no kind of page.
    return [option for option in _options(kind, graph, {record.source_kind}) if option.value != CONTRIBUTION]


def _box(field: Field, record: Record, graph: Graph, findings: list[Finding], more: bool) -> Box:
    values, lang = record.values.get(field.path, []), context.language()
    box = Box(field, findings=findings)
    if field.kind == "choice":
        box.options = _options(field, graph, {v.get("iri", "") for v in values})
    elif field.types == ("country",):
        box.options = [Option(iri, graph.facets.label(iri, lang)[0], any(v.get("iri") == iri for v in values)) for iri in _countries(graph)]
        box.options.sort(key=lambda o: o.label)
        box.rows = [Row(v["iri"]) for v in values if "iri" in v] + [Row()] * (1 if more or not values else 0)
    elif field.kind == "part":
        roles = dict((o.value, o.label) for o in _listed(graph, "role"))
        box.options = [Option(f"{ID}role/{r}", roles.get(f"{ID}role/{r}", r)) for r in ROLES]
        box.chosen = [Option(f"{v['agent']} {v['role']}", f"{known.label(graph, v['agent'], lang)} ({roles.get(v['role'], v['role'].rpartition('/')[2])})", True) for v in values]
    elif field.kind == "thing":
        box.chosen = [Option(v["iri"], known.label(graph, v["iri"], lang), True) for v in values if "iri" in v]
    else:
        box.rows = [Row(v.get("text") or v.get("iri", ""), v.get("lang", "")) for v in values] + [Row()] * (1 if more or not values else 0)
    if field.kind in ("thing", "part") and field.types != ("country",):
        unclear = [Row(text, candidates=tuple(known.meant(graph, text.partition(" | ")[0], field.types, lang)[1])) for text in record.unclear.get(field.name, [])]
        box.rows = unclear + ([Row()] if not unclear or more else [])
    return box


def _options(field: Field, graph: Graph, chosen: set[str]) -> list[Option]:
    name = field.options[0][len(ID) :].partition("/")[0]
    labels = {o.value: o for o in _listed(graph, name)}
    return [Option(iri, labels[iri].label if iri in labels else iri.rpartition("/")[2], iri in chosen) for iri in field.options]


def _listed(graph: Graph, name: str) -> list[Option]:
    return [Option(thing.value, label.value) for thing, label, _ in graph.run("pages/options", of=DEF + name, lang=context.language()).terms]


def _countries(graph: Graph) -> list[str]:
    return graph.facets.members("country") or [t.value for t, *_ in graph.run("pages/options", of=COUNTRY_SCHEME, lang="en").terms]


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(sent: MultiDict, record: Record, graph: Graph) -> Record:
    """The record with what a form says: values it does not ask for stay as they are."""
    sent = MultiDict([(name, plain(text)) for name, text in sent.items(multi=True)])
    record.unclear = {}
    for section in form(record.type):
        for field in section.fields:
            values = _unique(_values(field, sent, record, graph))
            record.values.pop(field.path, None)
            if values:
                record.values[field.path] = values
    record.page, record.seen, record.note = (_line(sent, name, most) for name, most in (("page", 1000), ("seen", 10), ("note", 2000)))
    record.source_kind, record.relation = _line(sent, "source_kind", 200), _line(sent, "relation", 20)
    record.licence, record.form = sent.get("licence") == "yes", _line(sent, "form", 64)
    record.credit, record.credit_actor = _line(sent, "credit", 80), _credit_actor(sent, graph)
    return record


def _credit_actor(sent: MultiDict, graph: Graph) -> str:
    """The organisation to be named, if that is what was written: by its name as it is here."""
    text = _line(sent, "credit", 200)
    found, _ = known.meant(graph, text, ("actor",), context.language()) if text else ("", [])
    return found


def _values(field: Field, sent: MultiDict, record: Record, graph: Graph) -> list[Value]:
    given = [text.strip().replace("\r\n", "\n") for text in sent.getlist(field.name)[:MOST]]
    if field.kind == "choice":
        return [{"iri": iri} for iri in given if iri in field.options]
    if field.kind == "part":
        return [{"agent": agent, "role": role} for agent, _, role in (text.partition(" ") for text in given) if role] + _found_parts(field, sent, record, graph)
    if field.kind == "thing":
        return [{"iri": iri} for iri in given if iri] + [{"iri": iri} for iri in _found(field, sent.getlist(field.name + FIND), record, graph)]
    if field.kind == "date":
        return [date_value(text) for text in given if text]
    if field.kind == "link":
        return [{"iri": text} for text in given if text]
    tongues = sent.getlist(field.name + ".lang")[:MOST] + [""] * MOST
    return [{"text": text, "lang": lang or "en"} if field.tongue else {"text": text} for text, lang in zip(given, tongues) if text]


def _found(field: Field, texts: list[str], record: Record, graph: Graph) -> list[str]:
    """The things that typed names mean; those that are not clear are kept as they were typed."""
    found = []
    for text in filter(None, (t.strip()[:300] for t in texts[:MOST])):
        iri, _ = known.meant(graph, text, field.types, context.language())
        if iri:
            found.append(iri)
        else:
            record.unclear.setdefault(field.name, []).append(text)
    return found


def _found_parts(field: Field, sent: MultiDict, record: Record, graph: Graph) -> list[Value]:
    found: list[Value] = []
    roles = sent.getlist(field.name + ".role")[:MOST] + [ID + "role/partner"] * MOST
    for text, role in zip(sent.getlist(field.name + FIND)[:MOST], roles):
        role = role if role in {f"{ID}role/{r}" for r in ROLES} else ID + "role/partner"
        found += [{"agent": iri, "role": role} for iri in _found(field, [text], record, graph)]
    return found


def _unique(values: list[Value]) -> list[Value]:
    return [value for n, value in enumerate(values) if value not in values[:n]]


def _line(sent: MultiDict, name: str, most: int) -> str:
    return sent.get(name, "").strip()[: most + 1]




