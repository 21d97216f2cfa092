"""The Reconciliation Service API 0.2, clause by clause, over the invented facts; /resolve and /crosswalk beside it."""

import json

import pytest

from .conftest import client_of
from .html import check

HTML = {"Accept": "text/html"}


@pytest.fixture
def ask(client):
    """A batch by POST, as OpenRefine sends it; gives the answer."""

    def ask(batch, address="/reconcile", **options):
        return client.post(address, data={"queries": json.dumps(batch)}, **options)

    return ask


def refused(response, status, *words):
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    said = response.json["detail"] + response.json.get("hint", "")
    assert all(word in said for word in words), said
    assert response.headers["Access-Control-Allow-Origin"] == "*"


# ── Service definition (section 3) ───────────────────────────────────────────────────────────────────────────────────


def test_the_manifest(client):
    response = client.get("/reconcile", base_url="https://kv.example")
    manifest = response.json
    assert response.mimetype == "application/json" and response.headers["Access-Control-Allow-Origin"] == "*"
    assert "0.2" in manifest["versions"] and manifest["name"] and manifest["batchSize"] == 100
    assert manifest["identifierSpace"] == "https://w3id.org/kvgraph/id/" and manifest["schemaSpace"] == "https://w3id.org/kvgraph/def/kv"
    for template in (manifest["view"], manifest["feature_view"], manifest["preview"]):
        assert template["url"].startswith("https://kv.example/") and "{{id}}" in template["url"]
    assert all(t["id"] and t["name"] for t in manifest["defaultTypes"])


def test_every_address_of_the_manifest_answers(client):
    for root in ("/reconcile", "/reconcile/fr"):
        manifest = client.get(root, base_url="https://kv.example").json
        addresses = [manifest["documentation"], manifest["logo"], manifest["view"]["url"].replace("{{id}}", "practice%2Fliving-lab")]
        addresses += [manifest["preview"]["url"].replace("{{id}}", "practice%2Fliving-lab"), manifest["feature_view"]["url"].partition("#")[0]]
        for what, id_ in (("entity", "practice%2Fliving-lab"), ("type", "actor"), ("property", "country")):
            suggest = manifest["suggest"][what]
            addresses.append(suggest["service_url"] + suggest["service_path"] + "?prefix=a")
            addresses.append(suggest["flyout_service_url"] + suggest["flyout_service_path"].replace("${id}", id_))
        proposals = manifest["extend"]["propose_properties"]
        addresses.append(proposals["service_url"] + proposals["service_path"] + "?type=actor")
        for address in addresses:
            assert client.get(address.removeprefix("https://kv.example"), base_url="https://kv.example").status_code in (200, 303), address


def test_other_sites_may_ask(client):
    response = client.options("/reconcile", headers={"Origin": "https://refine.example", "Access-Control-Request-Method": "POST"})
    assert response.status_code == 200 and response.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"] and "Content-Type" in response.headers["Access-Control-Allow-Headers"]


def test_jsonp_for_old_clients(client):
    response = client.get("/reconcile?callback=jQuery123_4.done")
    assert response.mimetype == "application/javascript" and response.text.startswith("/**/jQuery123_4.done({") and response.text.endswith("});")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "<" not in client.get("/reconcile/suggest/entity?prefix=hostile&callback=f").text
    for bad in ("alert(1)", "a-b", "1a", "<x>", "a" * 101, "a.b.c.d.e.f.g.h"):
        refused(client.get("/reconcile", query_string={"callback": bad}), 400, "callback")


# ── Queries (section 4) ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_shape_of_an_answer(ask):
    batch = {"q0": {"query": "Harbour University", "type": "actor", "type_strict": "should", "limit": 3, "properties": [{"pid": "country", "v": "Spain"}]}, "q1": {"query": "Living lab of the harbour"}}
    answer = ask(batch).json
    assert answer.keys() == {"q0", "q1"}
    for result in answer.values():
        for candidate in result["result"]:
            assert isinstance(candidate["id"], str) and candidate["name"] and 0 <= candidate["score"] <= 100 and isinstance(candidate["match"], bool)
            assert all(t["id"] and t["name"] for t in candidate["type"])
            assert len({f["id"] for f in candidate["features"]}) == len(candidate["features"])
    assert len(answer["q0"]["result"]) <= 3
    assert answer["q1"]["result"][0]["id"] == "practice/living-lab" and answer["q1"]["result"][0]["match"]


def test_get_and_post_are_the_same(client, ask):
    batch = {"q": {"query": "harbour", "limit": 2}}
    assert client.get("/reconcile", query_string={"queries": json.dumps(batch)}).json == ask(batch).json


def test_a_single_query_as_older_clients_ask(client):
    plain = client.get("/reconcile?query=Living+lab+of+the+harbour").json["result"]
    assert plain[0]["id"] == "practice/living-lab"
    assert client.post("/reconcile", data={"query": '{"query": "Living lab of the harbour", "limit": 10}'}).json["result"] == plain


@pytest.mark.parametrize("query", [
    {"query": "harbour", "type": ["actor", "practice"], "type_strict": "any"},
    {"query": "harbour", "type": {"id": "actor", "name": "Actor"}},
    {"query": "harbour", "type": "kv:Actor", "limit": "3"},
    {"query": "harbour", "properties": [{"pid": "country", "v": {"id": "country/ESP", "name": "Spain"}}]},
    {"query": "harbour", "properties": [{"pid": "country", "v": ["Spain", {"id": "country/PRT"}]}, {"p": "Year", "pid": "year", "v": 2015}]},
    {"query": "harbour", "properties": []},
    {"properties": [{"pid": "identifier", "v": "practice/living-lab"}]},
    {"query": "harbour", "preferred": "unknown members are no reason to refuse"},
])  # fmt: skip
def test_shapes_that_clients_send(ask, query):
    response = ask({"q": query})
    assert response.status_code == 200 and response.json["q"]["result"], response.text


@pytest.mark.parametrize(("sent", "words"), [
    ("{", ["queries is no JSON", "character"]), ("[]", ["an object"]), ('{"q7": []}', ["q7", "an object"]), ('{"q7": {}}', ["q7", "needs query or properties"]),
    ('{"q7": {"query": ["a"]}}', ["q7", "must be text"]), ('{"q7": {"query": "a", "limit": 0}}', ["q7", "limit"]), ('{"q7": {"query": "a", "limit": true}}', ["limit"]),
    ('{"q7": {"query": "a", "limit": 1e999}}', ["limit"]), ('{"q7": {"query": "a", "properties": [{"v": 1}]}}', ["pid and v"]),
    ('{"q7": {"query": "a", "properties": [{"pid": "x", "v": "y"}]}}', ["no property 'x'", "country"]), ('{"q7": {"query": "a", "type": "acter"}}', ["Did you mean actor?"]),
    ('{"q7": {"query": "a", "type": [1]}}', ["type"]), ('{"q7": {"query": "a", "type_strict": "very"}}', ["should"]), ('{"q7": {"query": "a", "type_strict": [1]}}', ["should"]),
    ("[" * 100_000, ["no JSON"]), ('{"q": {"query": "a", "properties": [{"pid": "country", "v": [[]]}]}}', ["v must be"]),
])  # fmt: skip
def test_what_is_no_batch_is_refused_with_the_reason(client, sent, words):
    refused(client.post("/reconcile", data={"queries": sent}), 400, *words)


@pytest.mark.parametrize("cell", ["", " \t", "a" * 10_000])
def test_a_cell_that_names_nothing_costs_its_own_row_only(ask, cell):
    """OpenRefine sends ten rows at once; one with an essay in it must not leave nine others without an answer."""
    answer = ask({"q0": {"query": cell, "type": "practice"}, "q1": {"query": "Living lab of the harbour"}}).json
    assert answer["q0"] == {"result": []} and answer["q1"]["result"][0]["id"] == "practice/living-lab"


def test_an_address_with_a_slash_behind_it_is_the_same(client):
    for address in ("/reconcile", "/reconcile/fr"):
        assert client.get(address + "/").json == client.get(address).json


def test_too_much_at_once(client, ask):
    assert ask({f"q{n}": {"query": "harbour"} for n in range(100)}).status_code == 200
    refused(ask({f"q{n}": {"query": "harbour"} for n in range(101)}), 413, "100")
    assert client.post("/reconcile", data={"queries": " " * 1_100_000}).status_code == 413


def test_a_body_that_is_no_form(client):
    refused(client.post("/reconcile", data="{}", content_type="application/json"), 400, "no form")
    refused(client.post("/reconcile", data={"other": "x"}), 400, "neither queries nor extend")
    assert client.put("/reconcile").status_code == 405


def test_languages(client, ask):
    query = {"q": {"query": "Spain", "type": "country"}}
    names = {ask(query, "/reconcile/es").json["q"]["result"][0]["name"], ask(query, "/reconcile?lang=es").json["q"]["result"][0]["name"], ask(query, headers={"Accept-Language": "es"}).json["q"]["result"][0]["name"]}
    assert names == {"España"} and ask(query).json["q"]["result"][0]["name"] == "Spain"
    refused(client.get("/reconcile/xx"), 400, "language")
    refused(client.get("/reconcile?lang=xx"), 400, "language")


def test_a_batch_costs_by_its_size(invented):
    client = client_of(invented, {"RATE": "20 per minute"})
    far = {"REMOTE_ADDR": "192.0.2.9"}
    batch = {"queries": json.dumps({f"q{n}": {"query": f"harbour {n}"} for n in range(100)})}
    assert client.post("/reconcile", data=batch, environ_base=far).headers["RateLimit"].startswith('"queries";r=10;')
    assert client.post("/reconcile?lang=fr", data=batch, environ_base=far).status_code == 200
    response = client.post("/reconcile?lang=de", data=batch, environ_base=far)
    refused(response, 429, "20 per minute")
    assert int(response.headers["Retry-After"]) > 0


# ── Preview, suggest, flyout (sections 5 and 6) ──────────────────────────────────────────────────────────────────────


def test_a_preview_may_stand_in_a_frame_and_no_other_page_may(client):
    response = client.get("/reconcile/preview?id=practice%2Fliving-lab", headers=HTML)
    check(response.text)
    assert "frame-ancestors *" in response.headers["Content-Security-Policy"] and "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "<script" not in response.text and "Living lab of the harbour" in response.text
    assert "frame-ancestors 'none'" in client.get("/resolve", headers=HTML).headers["Content-Security-Policy"]
    refused(client.get("/reconcile/preview?id=nothing", headers=HTML), 404, "nothing")


def test_hostile_labels_are_text_everywhere(client, invented):
    hostile = [t for n in range(len(invented.reconciler.index)) if "<" in (t := invented.reconciler.index.thing(n)).label()[0]]
    assert hostile
    for thing in hostile:
        from kvgraph.reconciliation.candidates import short_id

        text = client.get("/reconcile/preview", query_string={"id": short_id(thing.iri)}).text
        assert "<script" not in text and "<img" not in text
        html = client.get("/reconcile/flyout/entity", query_string={"id": short_id(thing.iri)}).json["html"]
        assert "<script" not in html and "<img" not in html


def test_suggestions(client):
    def ids(what, **params):
        return [r["id"] for r in client.get(f"/reconcile/suggest/{what}", query_string=params).json["result"]]

    assert "practice/living-lab" in ids("entity", prefix="living l") and ids("entity", prefix="practice/living-lab")[0] == "practice/living-lab"
    assert "practice/living-lab" in ids("entity", prefix="livng lab") and ids("entity", prefix="") == []
    every = ids("entity", prefix="a")
    assert ids("entity", prefix="a", cursor=2)[: len(every) - 2] == every[2:]
    assert all(i.startswith("actor/") for i in ids("entity", prefix="h", type="actor"))
    assert "actor" in ids("type", prefix="act") and "learning-example" in ids("type", prefix="exam") and ids("type", prefix="kv:Actor") == []
    assert ids("property", prefix="coun") == ["country"] and "channel" in ids("property", prefix="channel")
    assert ids("type", prefix="", cursor=10) and not set(ids("type", prefix="", cursor=10)) & set(ids("type", prefix=""))
    for bad in ("x", "-1", "1001", "٣"):
        refused(client.get("/reconcile/suggest/entity", query_string={"prefix": "a", "cursor": bad}), 400, "cursor")


def test_flyouts(client):
    for what, id_ in (("entity", "practice/living-lab"), ("type", "actor"), ("property", "country")):
        answer = client.get(f"/reconcile/flyout/{what}", query_string={"id": id_}).json
        assert answer["id"] == id_ and answer["html"].startswith("<div")
    refused(client.get("/reconcile/flyout/entity?id=x"), 404)
    assert client.get("/reconcile/flyout/other?id=x").status_code == 404


# ── Data extension (section 7) ───────────────────────────────────────────────────────────────────────────────────────


def test_properties_are_proposed_by_type(client):
    answer = client.get("/reconcile/properties?type=actor&limit=4").json
    assert (answer["type"], answer["limit"], len(answer["properties"])) == ("actor", 4, 4)
    assert "actor-kind" in [p["id"] for p in client.get("/reconcile/properties?type=actor").json["properties"]]
    assert "actor-kind" not in [p["id"] for p in client.get("/reconcile/properties?type=practice").json["properties"]]
    refused(client.get("/reconcile/properties?type=x"), 400, "no type")
    refused(client.get("/reconcile/properties?limit=x"), 400, "limit")


def test_values_are_fetched(client):
    asked = {"ids": ["practice/living-lab", "nothing"], "properties": [{"id": "country"}, {"id": "participant", "settings": {"limit": "1", "content": "name"}}, {"id": "name"}, {"id": "region", "settings": {"content": "iri"}}]}
    answer = client.post("/reconcile", data={"extend": json.dumps(asked)}).json
    assert [m["id"] for m in answer["meta"]] == ["country", "participant", "name", "region"] and answer["meta"][0]["type"]["id"] == "country"
    row = answer["rows"]["practice/living-lab"]
    assert row["country"][0].keys() == {"id", "name"} and row["name"][0] == {"str": "Living lab of the harbour"}
    assert len(row["participant"]) == 1 and row["participant"][0].keys() == {"str"} and row["region"][0]["str"].startswith("http://data.europa.eu/nuts/code/")
    assert answer["rows"]["nothing"] == {"country": [], "participant": [], "name": [], "region": []}
    assert client.get("/reconcile", query_string={"extend": json.dumps(asked)}).json == answer


@pytest.mark.parametrize(("asked", "status", "word"), [
    ("{", 400, "no JSON"), ("{}", 400, "ids and properties"), ('{"ids": [1], "properties": []}', 400, "ids"), ('{"ids": [], "properties": [{}]}', 400, "object with id"),
    ('{"ids": ["a"], "properties": [{"id": "x"}]}', 400, "no property"), ('{"ids": ["a"], "properties": [{"id": "country", "settings": {"limit": -1}}]}', 400, "settings"),
    ('{"ids": ["a"], "properties": [{"id": "country", "settings": {"content": "x"}}]}', 400, "content"),
    ('{"ids": ["a"], "properties": [{"id": "country", "settings": {"content": ["x"]}}]}', 400, "content"), (json.dumps({"ids": ["a"] * 501, "properties": []}), 413, "500"),
])  # fmt: skip
def test_what_is_no_extension_is_refused(client, asked, status, word):
    refused(client.post("/reconcile", data={"extend": asked}), status, word)


def test_half_characters_come_back_as_they_were_asked(client, ask):
    """JSON can write them, UTF-8 cannot."""
    asked = json.dumps({"ids": ["\ud800", "a\0"], "properties": [{"id": "country"}]})
    assert client.post("/reconcile", data={"extend": asked}).json["rows"] == {"\ud800": {"country": []}, "a\0": {"country": []}}
    assert list(ask({"q\udfff": {"query": "KU Leuven"}}).json) == ["q\udfff"]



# ── /resolve and /crosswalk ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_identifier_leads_to_its_thing(client):
    response = client.get("/resolve?id=practice/living-lab", headers=HTML)
    assert (response.status_code, response.headers["Location"]) == (303, "/doc/practice/living-lab")
    for address in ("http://localhost/doc/region/ES51.ttl", "/doc/region/ES51", "https://w3id.org/kvgraph/id/region/ES51"):
        assert client.get("/resolve", query_string={"id": address}, headers=HTML).headers["Location"] == "/doc/region/ES51"
    found = client.get("/resolve?id=practice%2Fliving-lab", headers={"Accept": "application/json"}).json["found"]
    assert [(f["id"], f["relation"]) for f in found] == [("practice/living-lab", None)]
    for address in ("http://localhost/doc/practice/living-lab", "http://localhost/id/practice/living-lab"):
        assert client.get("/resolve", query_string={"id": address}, headers=HTML).headers["Location"] == "/doc/practice/living-lab"


def test_an_identifier_that_nothing_has_is_explained(client):
    response = client.get("/resolve?id=<script>", headers=HTML)
    assert response.status_code == 404 and "Search the graph instead" in response.text
    check(response.text)
    refused(client.get("/resolve?id=nothing", headers={"Accept": "application/json"}), 404, "ROR", "NUTS")


def test_an_identifier_of_something_wider_or_narrower_is_for_choosing(bundled_client):
    response = bundled_client.get("/resolve?id=eurovoc:6755", headers=HTML)
    assert response.status_code == 300 and "Location" not in response.headers
    assert "/id/channel/spin-offs" in check(response.text).links or "/doc/channel/spin-offs" in check(response.text).links
    found = bundled_client.get("/resolve?id=eurovoc:6755", headers={"Accept": "application/json"}).json["found"]
    assert {f["relation"].rpartition("#")[2] for f in found} <= {"broadMatch", "narrowMatch"}
    asked = {"queries": json.dumps({"q": {"query": "eurovoc:6755"}})}
    candidates = bundled_client.post("/reconcile", data=asked).json["q"]["result"]
    assert "channel/spin-offs" in {c["id"] for c in candidates} and not any(c["match"] for c in candidates)


def test_people_get_a_form(client):
    check(client.get("/resolve", headers=HTML).text)


def test_the_crosswalk(bundled_client):
    rows = bundled_client.get("/crosswalk.csv?source=ror.org").text.splitlines()
    assert rows[0] == "thing,label,kind,relation,identifier,dataset,basis,justification,confidence,page,source" and len(rows) > 30
    assert all(",https://ror.org/0" in row and "id/basis/classified" in row for row in rows[1:])
    for suffix, type_ in ((".tsv", "text/tab-separated-values"), (".json", "application/sparql-results+json"), (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")):
        response = bundled_client.get(f"/crosswalk{suffix}?source=ror.org")
        assert response.mimetype == type_ and f'filename="crosswalk{suffix}"' in response.headers["Content-Disposition"]
    assert bundled_client.get("/crosswalk?source=ror.org").headers["Location"] == "/questions/crosswalk?source=ror.org"
    assert bundled_client.get("/crosswalk.pdf").status_code == 404 and bundled_client.get("/crosswalk.csv?color=x").status_code == 400
    assert bundled_client.get("/crosswalk.csv").headers["Access-Control-Allow-Origin"] == "*"
