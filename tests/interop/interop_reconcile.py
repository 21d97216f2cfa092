"""Every kind of answer of the reconciliation service against the published schemas of the Reconciliation Service API 0.2, through HTTP; 200 names a second.

The schemas are no part of the project: ``KVGRAPH_SPECS`` names the folder that holds ``reconciliation-0.2/``.
"""

import json
import os
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from kvgraph import open as open_graph

from ..bench.reconciliation import noisy
from ..serving import served

BATCH, SECONDS = 50, 5.0


@pytest.fixture(scope="module")
def conforms():
    """Says whether an answer is what a schema wants."""
    folder = os.environ.get("KVGRAPH_SPECS")
    assert folder, "Set KVGRAPH_SPECS to the folder that holds reconciliation-0.2/."
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted((Path(folder) / "reconciliation-0.2").glob("*.json"))}
    assert len(schemas) >= 10
    base = "https://reconciliation-api.github.io/specs/0.2/schemas/"
    # The manifest refers to the scheme of Swagger for authentication, which we have none of.
    swagger = {"definitions": {"securityDefinitions": {"additionalProperties": {}}}}
    made = [(base + name, DRAFT202012.create_resource(schema)) for name, schema in schemas.items()]
    registry = Registry().with_resources([*made, ("http://swagger.io/v2/schema.json", DRAFT202012.create_resource(swagger))])

    def check(name: str, answer) -> None:
        schema = {**schemas[name], "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": base + name}
        jsonschema.Draft202012Validator(schema, registry=registry).validate(answer)

    return check


@pytest.fixture(scope="module")
def base(bundled_home):
    with served(bundled_home) as address:
        yield address


def ask(address: str, **form):
    body = urllib.parse.urlencode({name: json.dumps(value) for name, value in form.items()}).encode() if form else None
    with urllib.request.urlopen(urllib.request.Request(address, body), timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("path", ["/reconcile", "/reconcile/fr", "/reconcile?lang=el"])
def test_the_manifest(base, conforms, path):
    manifest = ask(base + path)
    conforms("manifest.json", manifest)
    assert set(manifest) >= {"view", "feature_view", "defaultTypes", "suggest", "preview", "extend", "batchSize", "logo", "documentation"}
    for type_ in manifest["defaultTypes"]:
        conforms("type.json", type_)


def test_the_check_would_notice(conforms):
    for name, wrong in (("manifest.json", {"versions": ["0.1"]}), ("reconciliation-result-batch.json", {"q": {"result": [{"id": 1}]}}), ("data-extension-response.json", {"meta": [], "rows": {"a": {"b": [{"date": "2020"}]}}})):
        with pytest.raises(jsonschema.ValidationError):
            conforms(name, wrong)


BATCHES = [
    {"q0": {"query": "KU Leuven"}, "q1": {"query": "Slovénie", "type": "country", "limit": 1}},
    {"q0": {"query": "Univ. of Ljubljana", "type": ["actor", "practice"], "type_strict": "should", "limit": 3, "properties": [{"pid": "country", "v": "Slovenia"}, {"pid": "region", "v": {"id": "region/SI04", "name": "Zahodna Slovenija"}}, {"pid": "year", "v": [2015, "2016"]}]}},
    {"q0": {"properties": [{"pid": "identifier", "v": "https://ror.org/0181xnw06"}]}},
    {"q0": {"query": "nothing is called so at all"}}, {"ключ": {"query": "Σλοβενία"}}, {},
]  # fmt: skip


@pytest.mark.parametrize("batch", BATCHES, ids=range(len(BATCHES)))
def test_batches_by_post_and_get(base, conforms, batch):
    conforms("reconciliation-query-batch.json", batch)
    answer = ask(f"{base}/reconcile", queries=batch)
    conforms("reconciliation-result-batch.json", answer)
    assert answer.keys() == batch.keys()
    assert ask(f"{base}/reconcile?" + urllib.parse.urlencode({"queries": json.dumps(batch)})) == answer


@pytest.mark.parametrize(("what", "schema"), [("entity", "suggest-entities-response.json"), ("type", "suggest-types-response.json"), ("property", "suggest-properties-response.json")])
@pytest.mark.parametrize("prefix", ["a", "co", "Lju", "", "zzzz"])
def test_suggestions(base, conforms, what, schema, prefix):
    for cursor in ("", "&cursor=5"):
        conforms(schema, ask(f"{base}/reconcile/suggest/{what}?prefix={prefix}{cursor}"))


@pytest.mark.parametrize("type_", ["actor", "practice", "policy", "region", "learning-example", "channel"])
def test_proposals(base, conforms, type_):
    answer = ask(f"{base}/reconcile/properties?type={type_}&limit=30")
    conforms("data-extension-property-proposal.json", answer)
    assert answer["properties"]


def test_data_extension_with_every_property_of_things_of_every_type(base, conforms):
    properties = [p["id"] for p in ask(f"{base}/reconcile/properties")["properties"]]
    ids = [c["id"] for t in ("actor", "practice", "policy", "region", "country", "principle", "channel", "learning-example", "source", "concept") for c in ask(f"{base}/reconcile", queries={"q": {"query": "research", "type": t, "limit": 6}})["q"]["result"]]
    assert len(properties) > 20 and len(ids) > 20
    kinds = set()
    for start in range(0, len(properties), 10):
        for content in ("thing", "name", "iri"):
            asked = {"ids": [*ids, "no/such-thing"], "properties": [{"id": p, "settings": {"limit": "3", "content": content}} for p in properties[start : start + 10]]}
            conforms("data-extension-query.json", asked)
            answer = ask(f"{base}/reconcile", extend=asked)
            conforms("data-extension-response.json", answer)
            kinds |= {tuple(sorted(value)) for row in answer["rows"].values() for values in row.values() for value in values}
    assert {("id", "name"), ("str",)} <= kinds


def test_two_hundred_names_a_second(base, bundled_home):
    """New names in batches of fifty over two connections, for a few seconds."""
    names = [a.name for a in noisy(open_graph(bundled_home).backend.store, limit=700)]
    batches = [names[n : n + BATCH] for n in range(0, len(names), BATCH)]
    done, began = [], time.perf_counter()

    def send(batch: list[str]) -> None:
        if time.perf_counter() - began < SECONDS:
            answer = ask(f"{base}/reconcile", queries={f"q{n}": {"query": name, "type": "actor"} for n, name in enumerate(batch)})
            done.append(len(answer))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, batches))
    rate = sum(done) / (time.perf_counter() - began)
    print(f"{rate:,.0f} names a second, {sum(done)} names")
    assert rate >= 200
