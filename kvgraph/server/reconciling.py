"""``/reconcile``: the Reconciliation Service API 0.2 of the W3C Entity Reconciliation Community Group, as OpenRefine asks it.

The endpoint itself: its manifest, batches of queries, data extension. What helps a person to choose is in :mod:`kvgraph.server.reconciling_aids`.
Below ``/reconcile/<language>`` the same service names things in that language, whatever ``Accept-Language`` says.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext

from .. import __version__
from ..errors import KvgraphError
from ..namespaces import DEF, ID
from ..reconciliation import TYPES, type_of
from ..reconciliation.candidates import LONGEST_QUERY, MOST_LIMIT
from ..store import QueryError
from . import context, errors, headers
from .addresses import root
from .reconciling_values import SETTINGS, extension

blueprint = Blueprint("reconciling", __name__)

BATCH = 100  # queries in one request
ROWS = 500  # things of a request for data extension
MOST_PROPERTIES = 20  # of a query, or of a request for data extension
PER_COST = 10  # queries that cost as much as one query of an engine
PREVIEW = {"width": 430, "height": 260}
DEFAULT_TYPES = ("actor", "organisation", "practice", "policy", "learning-example", "region", "country", "principle", "channel")
_CALLBACK = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*){0,5}", re.ASCII)


class BadBatch(KvgraphError):
    """What was sent is no batch of queries; the message says where and why."""


class BatchTooLarge(QueryError):
    """More at once than is answered."""

    code = "batch"
    status = 413


@blueprint.errorhandler(KvgraphError)
def refused(error: KvgraphError) -> Response:
    """Every error here is for a program."""
    return errors.retry(errors.document(errors.problem(error)), error)


def language(in_path: str | None = None) -> str:
    """The language to name things in: of the address, of ``?lang=``, else of ``Accept-Language``. Raises :class:`BadBatch` for one that no label is in."""
    wanted = in_path or request.args.get("lang", "").strip().lower()[:20]
    if wanted and wanted.partition("-")[0] not in context.LANGUAGES:
        raise BadBatch(f"Nothing is named in the language {wanted!r} here.", hint=f"The languages are: {', '.join(context.LANGUAGES)}.")
    return wanted.partition("-")[0] or context.language()


def answer(make: Callable[[], dict], *also: str) -> Response:
    """What ``make`` makes as JSON, or as a script that calls ``?callback=`` (JSONP, section 3.3); a GET under its ETag."""
    callback = request.args.get("callback", "")
    if callback and (len(callback) > 100 or not _CALLBACK.fullmatch(callback)):
        raise BadBatch("callback is no name of a function.", hint="Letters, digits, _ and $, with dots between names. Or leave it out: CORS is open.")

    def made() -> Response:
        text = _json_of(make())
        if callback:  # the comment keeps old plug-ins from taking the answer for something else
            return Response(f"/**/{callback}({text.replace('<', chr(92) + 'u003c')});", mimetype="application/javascript")
        return Response(text, mimetype="application/json")

    if request.method == "POST":
        request.environ[headers.KEEP] = request.endpoint
        return made()
    return headers.tagged("json", made, *also, keep=True)


def _json_of(told: dict) -> str:
    """The answer in letters as they are; half characters, which come back as keys, only JSON's own escapes can write."""
    text = json.dumps(told, ensure_ascii=False)
    return text if text.encode(errors="ignore").decode() == text else json.dumps(told)


@blueprint.route("/reconcile", methods=["GET", "POST"], defaults={"lang": None}, strict_slashes=False)
@blueprint.route("/reconcile/<string(length=2):lang>", methods=["GET", "POST"], strict_slashes=False)
def endpoint(lang: str | None) -> Response:
    """The manifest, or the answer to ``queries`` or ``extend``."""
    tongue = language(lang)
    sent = request.form if request.method == "POST" else request.args
    if "queries" in sent:
        batch = _queries(_json(sent["queries"], "queries"))
        return answer(lambda: _results(batch, tongue), tongue)
    if "query" in sent:  # what the API knew before it had batches, and OpenRefine still asks in its dialogs
        text = sent["query"]
        one = _query("query", _json(text, "query") if text.lstrip().startswith("{") else {"query": text, **{k: sent[k] for k in ("type", "limit") if k in sent}})
        return answer(lambda: _results({"query": one}, tongue)["query"], tongue)
    if "extend" in sent:
        asked = _extension(_json(sent["extend"], "extend"))
        return answer(lambda: _extended(*asked, tongue), tongue)
    if request.method == "POST":
        raise BadBatch(
            "The form has neither queries nor extend." if sent else "The body is no form.",
            hint='Send application/x-www-form-urlencoded: queries={"q0": {"query": "KU Leuven"}}',
        )
    return answer(lambda: manifest(lang), tongue)


def manifest(lang: str | None) -> dict:
    """The service manifest (section 3.1)."""
    here = root().rstrip("/")
    path = f"/reconcile/{lang}" if lang else "/reconcile"

    def suggests(what: str) -> dict:
        return {
            "service_url": here, "service_path": f"{path}/suggest/{what}", "flyout_service_url": here, "flyout_service_path": f"{path}/flyout/{what}?id=${{id}}",
        }  # fmt: skip

    return {
        "versions": ["0.2"],
        "name": "kvgraph: knowledge valorisation in Europe" + (f" ({lang})" if lang else ""),
        "identifierSpace": ID,
        "schemaSpace": DEF + "kv",
        "documentation": f"{here}/docs/reconciliation",
        "logo": f"{here}/static/mark.svg",
        "serviceVersion": __version__,
        "defaultTypes": [type_object(name) for name in DEFAULT_TYPES],
        "view": {"url": f"{here}/resolve?id={{{{id}}}}"},
        "feature_view": {"url": f"{here}/docs/reconciliation#feature-{{{{id}}}}"},
        "preview": {"url": f"{here}{path}/preview?id={{{{id}}}}", **PREVIEW},
        "suggest": {what: suggests(what) for what in ("entity", "type", "property")},
        "extend": {"propose_properties": {"service_url": here, "service_path": f"{path}/properties"}, "property_settings": SETTINGS},
        "batchSize": BATCH,
    }


def type_object(name: str, broader: bool = True) -> dict:
    """A type as the API gives it (type.json), with the broader one."""
    found = TYPES[name]
    told = {"id": name, "name": gettext(found.label)}
    if found.description:
        told["description"] = found.description
    return told | {"broader": [type_object(found.broader)]} if broader and found.broader else told


# ── Queries ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadBatch(f"{name} is no JSON{where}.", hint='For example: {"q0": {"query": "KU Leuven", "type": "actor", "limit": 3}}') from None


def _queries(batch: Any) -> dict[str, dict | None]:
    if not isinstance(batch, dict):
        raise BadBatch("queries must be an object with a query under each name.", hint='For example: {"q0": {"query": "KU Leuven"}}')
    if len(batch) > BATCH:
        raise BatchTooLarge(f"{len(batch)} queries are too many for one batch.", f"At most {BATCH}: batchSize of the manifest.")
    return {name: _query(name, query) for name, query in batch.items()}


def _query(name: str, query: Any) -> dict | None:
    """The options of :meth:`~kvgraph.reconciliation.Reconciler.reconcile` that a query stands for; None for text that names nothing.

    What is wrong with the cell of one row (nothing in it, or an essay) leaves that row without candidates: the other rows of its batch are none the worse. What
    is wrong with how a client asks is wrong in every row, and refused, lest it be taken for an answer. Raises :class:`BadBatch`.
    """

    def bad(what: str) -> BadBatch:
        return BadBatch(f"{name[:60]}: {what}.", hint="The members of a query are query, type, type_strict, limit and properties.")

    if not isinstance(query, dict):
        raise bad("a query must be an object")
    text, types, given = query.get("query", ""), query.get("type") or [], query.get("properties") or []
    if not isinstance(text, (str, int, float)) or isinstance(text, bool):
        raise bad("query must be text")
    if not isinstance(given, list) or not all(isinstance(p, dict) and isinstance(p.get("pid"), str) and "v" in p for p in given):
        raise bad("properties must be a list of objects with pid and v")
    if "query" not in query and not given:
        raise bad("a query needs query or properties")
    if len(given) > MOST_PROPERTIES:
        raise bad(f"there are at most {MOST_PROPERTIES} properties")
    types = [t.get("id") if isinstance(t, dict) else t for t in (types if isinstance(types, list) else [types])]
    if not all(isinstance(t, str) for t in types):
        raise bad("type must be the id of a type, or a list of them")
    where: dict[str, list] = {}
    for each in given:
        where.setdefault(each["pid"], []).extend(_values(each["v"], bad))
    strict = query.get("type_strict") or "any"
    if len(str(text)) > LONGEST_QUERY or not str(text).strip() and not given:
        return None
    return {"name": str(text), "type": types, "where": where, "limit": _limit(query.get("limit"), bad), "strict": strict if isinstance(strict, str) else "?"}


def _values(given: Any, bad: Callable[[str], BadBatch]) -> list:
    values = given if isinstance(given, list) else [given]
    if not all(value is None or isinstance(value, (str, int, float)) or isinstance(value, dict) and isinstance(value.get("id"), str) for value in values):
        raise bad("v must be text, a number, an object with id, or a list of these")
    return values


def _limit(given: Any, bad: Callable[[str], BadBatch]) -> int:
    if given is None or given == "":
        return 10
    try:
        number = int(given)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if number < 1 or isinstance(given, bool):
        raise bad("limit must be a whole number from 1")
    return min(number, MOST_LIMIT)


def _results(batch: dict[str, dict | None], tongue: str) -> dict:
    context.exchange().admit(-(-len(batch) // PER_COST) or 1)
    reconcile = context.graph().reconcile
    return {name: {"result": [_candidate(found) for found in reconcile(**query, language=tongue)] if query else []} for name, query in batch.items()}


def _candidate(found) -> dict:
    return {
        "id": found.id, "name": found.name, "description": found.description, "score": found.score, "match": found.match,
        "type": [{"id": name, "name": gettext(TYPES[name].label)} for name in found.types],
        "features": [{"id": name, "value": value} for name, value in found.features.items()],
    }  # fmt: skip


# ── Data extension ───────────────────────────────────────────────────────────────────────────────────────────────────


def _extension(asked: Any) -> tuple[list[str], list[tuple[str, dict]]]:
    ids, properties = (asked.get("ids"), asked.get("properties")) if isinstance(asked, dict) else (None, None)
    if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids) or not isinstance(properties, list):
        raise BadBatch("extend must have ids and properties.", hint='For example: {"ids": ["actor/ku-leuven"], "properties": [{"id": "country"}]}')
    if len(ids) > ROWS or len(properties) > MOST_PROPERTIES:
        raise BatchTooLarge(f"At most {ROWS} things and {MOST_PROPERTIES} properties are answered at once.", "Ask for the others in another request.")
    if not all(isinstance(p, dict) and isinstance(p.get("id"), str) and isinstance(p.get("settings") or {}, dict) for p in properties):
        raise BadBatch("Each of properties must be an object with id, and perhaps settings.")
    return ids, [(p["id"], p.get("settings") or {}) for p in properties]


def _extended(ids: list[str], properties: list[tuple[str, dict]], tongue: str) -> dict:
    context.exchange().admit(-(-len(ids) // PER_COST) or 1)
    return extension(context.graph(), ids, properties, tongue)


def default_types(names: list[str]) -> list[str]:
    """Names of types from a request, which may repeat ``type=``. Raises :class:`~kvgraph.reconciliation.UnknownType`."""
    return [type_of(name).name for name in names if name.strip()]
