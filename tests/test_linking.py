"""Linking: names compared, evidence added up, decisions of people, contradictions, and what is written."""

import csv
import os
import re
from dataclasses import replace
from math import log2
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyoxigraph as ox
import pytest
import yaml
from click.testing import CliRunner

from kvgraph.build.read import MalformedSource, read, source_files
from kvgraph.cli import main
from kvgraph.errors import KvgraphError
from kvgraph.link import candidates, engines, explanation, features, identifiers, reading, run
from kvgraph.link.conflicts import conflicts, settled
from kvgraph.link.decide import ACCEPT, REVIEW, Evidence, decide
from kvgraph.link.mappings import CHAIN, CLOSE, CURATION, EXACT, MODEL, Mapping, evidence_text, read_table, reviewed, table
from kvgraph.link.model import COMPARISONS, fitted
from kvgraph.link.names import parse, script
from kvgraph.link.organisations import Organisation, domain
from kvgraph.link.rows import sides
from kvgraph.link.statements import LINKS, quads
from kvgraph.namespaces import KV
from kvgraph.resources import folder
from kvgraph.sources.organisations import SCHEMA

ROR = "https://ror.org/0"
DAY = "2026-11-28"


def known(number: int, *names: str, short: str = "", country: str = "AUT", place: str = "", homepage: str = "", identifiers: tuple = ()) -> Organisation:
    return Organisation(f"{ROR}{number:08d}", names, (short,) if short else (), country, place, homepage, "", identifiers)


def actor(name: str, country: str = "AUT", place: str = "", **more) -> Organisation:
    return Organisation(f"https://w3id.org/kvgraph/id/actor/{parse(name).folded.replace(' ', '-')}", (name,), (), country, place, **more)


# Enough of them that some words are common and others telling.
REGISTER = [
    known(1, "Universität Wien", "University of Vienna", place="Vienna", homepage="https://www.univie.ac.at/"),
    known(2, "Medizinische Universität Wien", "Medical University of Vienna", place="Vienna"),
    known(3, "Technische Universität Wien", "TU Wien", place="Vienna"),
    known(4, "Montanuniversität Leoben", place="Leoben"),
    known(5, "Universität für Bodenkultur", "University of Natural Resources and Life Sciences", short="BOKU", place="Vienna"),
    known(6, "Centre national de la recherche scientifique", short="CNRS", country="FRA", place="Paris", identifiers=("http://www.wikidata.org/entity/Q280413",)),
    known(7, "Aristotle University of Thessaloniki", "Αριστοτέλειο Πανεπιστήμιο Θεσσαλονίκης", country="GRC", place="Thessaloniki"),
    known(8, "University of Ljubljana", "Univerza v Ljubljani", country="SVN", place="Ljubljana"),
    *(known(100 + n, f"{word} Institute of Research", place=place) for n, (word, place) in enumerate(
        [("Graz", "Graz"), ("Linz", "Linz"), ("Salzburg", "Salzburg"), ("Alpine", "Innsbruck"), ("Danube", "Krems"), ("Carinthian", "Klagenfurt")] * 5)),
]  # fmt: skip


@pytest.fixture(scope="module")
def links() -> dict[str, Mapping]:
    """What becomes of names that people may write, by name: the best link, linked once for all tests."""
    asked = [
        actor("University of Vienna", place="Vienna"), actor("Universitaet Wien", place="Wien"), actor("BOKU", place="Vienna"), actor("Univeristy of Ljubljana d.o.o.", "SVN"),
        actor("Πανεπιστήμιο Αριστοτέλειο Θεσσαλονίκης", "GRC"), actor("Leoben Montanuniversität GmbH", place="Leoben"), actor("University of Vienna", "FRA", "Paris"),
        actor("Bakery Müller", place="Vienna"),
    ]  # fmt: skip
    asked[6] = replace(asked[6], iri="https://w3id.org/kvgraph/id/actor/elsewhere")
    with engines.engine("duckdb") as made:
        found = run.match(asked, REGISTER, "ror", made, day=DAY)
    best: dict[str, Mapping] = {}
    for link in sorted(found, key=lambda link: -link.confidence):
        best.setdefault(link.subject_id.rpartition("/")[2], link)
    return best


@pytest.mark.parametrize("slug, number", [
    ("university-of-vienna", 1), ("univeristy-of-ljubljana-doo", 8), ("leoben-montanuniversitat-gmbh", 4), ("universitaet-wien", 1),
    ("panepistimio-aristoteleio-thessalonikis", 7),
])  # fmt: skip
def test_names_are_found(links, slug, number):
    assert links[slug].object_id == f"{ROR}{number:08d}"


def test_an_acronym_is_never_accepted_whatever_its_place(links):
    assert links["boku"].object_id == f"{ROR}{5:08d}"
    assert not links["boku"].accepted


@pytest.mark.parametrize("more, verdict", [
    ({}, REVIEW), ({"initials": "initials are no acronym"}, REVIEW), ({"initials": "initials are an acronym of three letters"}, ACCEPT), ({"homepage": "same page"}, ACCEPT),
    ({"name": "equal name"}, ACCEPT),
])  # fmt: skip
def test_few_words_and_a_small_place_are_not_enough_without_initials_or_a_homepage(more, verdict):
    found = {"name": "few of the words asked, few of those found, in its names together", "place": "same place, with few organisations", **more}
    at = {c.name: next((len(c.levels) - 1 - n for n, level in enumerate(c.levels) if level.label == found.get(c.name)), -1) for c in COMPARISONS}
    row = {"record_l": 0, "record_r": 0, "text_l": "asked", "text_r": "known", "weight": 9.0, **{f"gamma_{name}": level for name, level in at.items()}}
    assert [decision.verdict for decision in decide(pa.Table.from_pylist([row]), fitted())] == [verdict]


def test_a_homepage_finds_what_shares_no_word():
    asked = [actor("Life Sciences Campus", homepage="boku.example/"), actor("Rector's Office", homepage="https://shared.example/")]
    register = [*REGISTER, known(50, "Universität für Bodenkultur Wien", homepage="https://www.boku.example"), known(51, "Clinic", homepage="shared.example"),
                known(52, "Archive", homepage="shared.example")]  # fmt: skip
    with engines.engine("duckdb") as made:
        found = run.match(asked, register, "ror", made, day=DAY)
    assert {(link.subject_id[-6:], link.object_id[-2:]) for link in found if link.accepted} <= {("campus", "50")}
    assert ("campus", "50") in {(link.subject_id[-6:], link.object_id[-2:]) for link in found}


def test_the_name_of_the_whole_in_front_finds_its_part():
    register = [*REGISTER, replace(known(60, "Institute of Hydrology", place="Vienna"), parents=(f"{ROR}{1:08d}",)), known(61, "Institute of Hydrology", place="Vienna")]
    with engines.engine("duckdb") as made:
        found = run.match([actor("University of Vienna, Institute of Hydrology", place="Vienna")], register, "ror", made, day=DAY)
    best = max(found, key=lambda link: link.confidence)
    assert best.object_id == f"{ROR}{60:08d}"
    assert "parents" in {line.feature for line in best.evidence}


def test_what_sounds_almost_like_a_word_agrees_for_less_than_the_word():
    saints = [known(200 + n, f"{saint} Hospital", place="Linz") for n, saint in enumerate(("Francis", "Barbara", "Elisabeth", "Vincent", "Joseph", "Martin"))]
    asked = [actor("Franziskus-Spital", place="Linz"), actor("Krankenhaus Francis", place="Linz")]
    words = [(row["row"], row["word"], row["cost"]) for row in sides(asked, saints)[0].words.to_pylist() if row["slot"] == 0]
    assert words == [(0, "frnscs", 0), (0, "frncsc", 139), (1, "frncsc", 0)]
    with engines.engine("duckdb") as made:
        found = run.match(asked, saints, "ror", made, replace(fitted(), review=-99.0), day=DAY)
    sure = {link.subject_label: link.confidence for link in found if link.object_id.endswith("200")}
    assert sure["Krankenhaus Francis"] > sure["Franziskus-Spital"] > max(link.confidence for link in found if not link.object_id.endswith("200"))


def test_what_other_names_have_in_place_of_a_word_agrees_once_for_it(monkeypatch):
    monkeypatch.setattr(features, "instead", lambda: {"tcn": {"tcnlg": 100, "pltcn": 100}})
    towns = [known(300 + n, f"{town} Polytechnic of Technology", country="CZE", place=town) for n, town in enumerate(("Liberec", "Ostrava", "Brno", "Zlín", "Plzeň", "Kladno"))]
    with engines.engine("duckdb") as made:
        for name, table in zip(("asked", "known"), sides([actor("Technical Liberec", "CZE", "Liberec")], [*REGISTER, *towns])):
            made.put(name, table.rows)
            made.put(f"{name}_words", table.words)
        made.put("known_parents", table.parents)
        made.make("candidates", candidates.CANDIDATES)
        made.make("pairs", candidates.PAIRS)
        shared = made.fetch("SELECT p.telling FROM pairs p JOIN known k ON k.row = p.right_row WHERE k.text LIKE 'Liberec%'").to_pylist()
        weights = {word: weight for word, weight in made.connection.execute("SELECT DISTINCT word, weight FROM known_words").fetchall()}
    technical = max(weights["tcnlg"], weights["pltcn"]) - 100
    assert [row["telling"] for row in shared] == [technical + weights["lbrc"]]


def test_the_only_museum_of_a_town_is_said_to_be_that():
    register = [*REGISTER, known(80, "Muzeum Vysočiny", country="CZE", place="Jihlava"), known(81, "Vysoká škola polytechnická", country="CZE", place="Jihlava")]
    with engines.engine("duckdb") as made:
        found = run.match([actor("Highlands Museum", "CZE", "Jihlava")], register, "ror", made, replace(fitted(), review=-99.0), day=DAY)
    best = max(found, key=lambda link: link.confidence)
    assert best.object_id[-2:] == "80"
    assert "same kind, of which there is one in the same place" in {line.finding for line in best.evidence}


def test_a_person_is_asked_about_five_candidates_at_most():
    rows = [{"record_l": 0, "record_r": n, "text_l": "asked", "text_r": "known", "weight": -1.0, **{f"gamma_{c.name}": -1 for c in COMPARISONS}, "gamma_name": 0} for n in range(8)]
    assert [decision.verdict for decision in decide(pa.Table.from_pylist(rows), replace(fitted(), review=-4.0))].count(REVIEW) == 5


def test_the_only_one_of_its_kind_in_its_place_is_said_to_be_that():
    register = [*REGISTER, known(70, "Steyr University", place="Steyr"), known(71, "Steyr Institute of Research", place="Steyr")]
    with engines.engine("duckdb") as made:
        found = run.match([actor("Anton Bruckner Universität Steyr", place="Steyr"), actor("Universität Wien", place="Wien")], register, "ror", made, day=DAY)
    kinds = {link.object_id[-2:]: line.finding for link in found for line in link.evidence if line.feature == "kind"}
    assert kinds["70"] == "same kind, of which there is one in the same place"
    assert kinds["01"] == "same kind, of which there are up to ten in the same place"


def test_what_speaks_for_others_speaks_against_each():
    asked = [actor("Research Institute", place="")]
    with engines.engine("duckdb") as made:
        found = run.match(asked, REGISTER, "ror", made, day=DAY)
    assert not any(link.accepted for link in found)


def test_another_country_and_what_is_not_there_find_nothing(links):
    assert "elsewhere" not in links
    assert "bakery-muller" not in links or not links["bakery-muller"].accepted


def test_evidence_adds_up_to_the_confidence(links):
    link = links["university-of-vienna"]
    assert [line.feature for line in link.evidence][:2] == ["before", "name"]
    assert list(explanation.waterfall(link))[-1].after == pytest.approx(link.confidence, abs=0.002)
    shown = explanation.text(link)
    assert "same country" in shown and "│" in shown and f"confidence {link.confidence:.2%}" in shown


def test_several_registers_are_linked_one_after_the_other(tmp_path):
    """As after `kvgraph import ror` and `kvgraph import wikidata`: each is compared by itself, and none keeps the next from being."""
    ours = [actor("University of Vienna", place="Vienna")]
    tables = {}
    for name, iri in (("ror", f"{ROR}00000001"), ("wikidata", "http://www.wikidata.org/entity/Q165980")):
        tables[name] = tmp_path / f"{name}.parquet"
        names = [{"value": "University of Vienna", "lang": "en", "kind": "label"}]
        row = {"iri": iri, "names": names, "country": "AUT", "place": "Vienna", "nuts": "", "homepage": "", "kind": "", "identifiers": [], "parents": []}
        pq.write_table(pa.Table.from_pylist([row], schema=SCHEMA), tables[name])
    with engines.engine("duckdb") as made:
        linked = run.link(ours, tables, made)
    assert [row["source"] for row in linked.counts()] == ["ror", "wikidata"]


def test_the_same_input_gives_the_same_links():
    asked = [actor("University of Vienna", place="Vienna"), actor("Danube Institute")]
    answers = []
    for _ in range(2):
        with engines.engine("duckdb") as made:
            answers.append(run.match(asked, REGISTER, "ror", made, day=DAY))
    assert answers[0] == answers[1] != []


def test_identifiers_come_before_names():
    ours = [actor("Something else altogether", identifiers=(f"{ROR}{4:08d}",))]
    assert [(a, REGISTER[b].names[0], e.feature) for a, b, e in identifiers.by_identifier(ours, REGISTER)] == [(0, "Montanuniversität Leoben", "identifier")]


def test_a_name_does_not_contest_an_identifier():
    """A department that is called like the whole is for a person to look at; the whole, which gives its identifier, stays accepted."""
    ours = [actor("Montanuniversität Leoben", identifiers=(f"{ROR}{4:08d}",)), replace(actor("Leoben Montanuniversität", place="Leoben"), iri="https://example.org/department")]
    with engines.engine("duckdb") as made:
        found = run.match(ours, REGISTER, "ror", made, day=DAY)
    assert [(link.subject_id, link.accepted, bool(link.comment)) for link in found if link.object_id == f"{ROR}{4:08d}"] == [(ours[0].iri, True, False), (ours[1].iri, False, True)]


def test_two_of_ours_with_one_identifier_are_shown_as_a_contradiction(home):
    ours = [replace(actor(name), identifiers=(f"{ROR}{4:08d}",)) for name in ("Mining School", "Academy of Mines")]
    with engines.engine("duckdb") as made:
        linked = run.link(ours, run.sources(home, ["ror"]), made)
    assert [(link.object_id, link.accepted) for link in linked.links] == [(f"{ROR}{4:08d}", False)] * 2
    assert {conflict.link.subject_label for conflict in linked.conflicts} == {"Mining School", "Academy of Mines"}
    assert all("Another thing of ours is linked to the same entry" in link.comment for link in linked.links)


def test_a_homepage_in_common_needs_names_that_could_be_one():
    ours = [actor("Uni Wien", homepage="http://univie.ac.at"), actor("Bakery", homepage="http://www.univie.ac.at/")]
    assert [a for a, _, _ in identifiers.by_homepage(ours[:1], REGISTER)] == [0]
    assert list(identifiers.by_homepage(ours[1:], REGISTER)) == []
    assert list(identifiers.by_homepage(ours, REGISTER)) == [], "two of ours have it"


def test_what_others_say_of_their_own_entries_follows():
    link = Mapping("ours", "A", EXACT, f"{ROR}{6:08d}", "CNRS", MODEL, 0.99, object_source="ror")
    followed = list(identifiers.following([link, replace(link, predicate_id=CLOSE)], {o.iri: o.identifiers for o in REGISTER}, run.FOLLOWED))
    assert [(f.object_id, f.object_source, f.mapping_justification) for f in followed] == [("http://www.wikidata.org/entity/Q280413", "wikidata", CHAIN)]


# ── Decisions and contradictions ─────────────────────────────────────────────────────────────────────────────────────


def a_link(ours: str = "a", theirs: int = 1) -> Mapping:
    evidence = evidence_text([Evidence("place", "same place", 2.0)])
    iri = f"https://w3id.org/kvgraph/id/actor/{ours}"
    return Mapping(iri, ours, EXACT, f"{ROR}{theirs:08d}", "B", MODEL, 0.97, object_source="ror", mapping_date=DAY, other=evidence)


def test_what_a_person_decided_wins():
    refused = replace(a_link(), predicate_modifier="Not")
    chosen = a_link("b", 3)
    found = run.decided([a_link(), a_link("b", 2), a_link("c", 4)], {refused.pair: refused, chosen.pair: chosen})
    assert [(link.subject_label, link.object_id[-1], link.accepted, link.mapping_justification) for link in found] == [
        ("a", "1", False, CURATION), ("b", "3", True, CURATION), ("c", "4", True, MODEL)]  # fmt: skip


def test_nothing_follows_from_what_a_person_refused_and_what_they_chose_is_followed(home):
    """The entry with the number 6 says which item of Wikidata it is."""
    ours = [actor("Centre national de la recherche scientifique", "FRA", "Paris")]
    pair = (ours[0].iri, f"{ROR}{6:08d}")
    refused = Mapping(pair[0], "CNRS", EXACT, pair[1], "CNRS", CURATION, predicate_modifier="Not", object_source="ror", mapping_date=DAY, author_id="https://example.org/me")
    chosen = replace(refused, subject_id=f"{pair[0]}-2", predicate_modifier="")
    with engines.engine("duckdb") as made:
        found, without, other = (run.link(ours, run.sources(home, ["ror"]), made, reviewed=decided).links for decided in ({}, {pair: refused}, {chosen.pair: chosen}))
    item = "http://www.wikidata.org/entity/Q280413"
    assert (ours[0].iri, item) in {link.pair for link in found if link.accepted}
    assert [(link.object_id, link.accepted) for link in without] == [(pair[1], False)]
    (follows,) = [link for link in other if link.pair == (chosen.subject_id, item)]
    assert (follows.mapping_justification, follows.author_id) == (CHAIN, "")


def test_contradictions_are_found_and_no_longer_accepted():
    links = [a_link("a", 1), a_link("a", 2), a_link("b", 3), a_link("c", 3), a_link("d", 4)]
    countries = [replace(actor("d", "FRA"), iri=a_link("d").subject_id), known(4, "D", country="AUT")]
    found = list(conflicts(links, countries))
    assert {(c.link.subject_label, c.link.object_id[-1]) for c in found} == {("a", "1"), ("a", "2"), ("b", "3"), ("c", "3"), ("d", "4")}
    assert [link.accepted for link in settled(links, found)] == [False] * 5
    assert [link.comment != "" for link in settled(links, found)] == [True] * 5


def test_agreeing_links_are_no_conflict():
    assert list(conflicts([a_link("a", 1), a_link("b", 2), replace(a_link("a", 3), object_source="cordis")])) == []


# ── SSSOM and RDF ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_table_can_be_read_back(tmp_path):
    path = tmp_path / "links.tsv"
    links = [a_link(), replace(a_link("b", 2), subject_label="ü | x", comment="tabs\tand\nlines")]
    path.write_text(table(links, "Test", DAY), encoding="utf-8")
    back = list(read_table(path))
    assert back[0] == links[0]
    assert back[1].comment == "tabs and lines"
    assert path.read_text().startswith("#mapping_set_id: ")


def test_a_table_is_as_sssom_has_it():
    """Identifiers are in short, with prefixes that the table declares; the licence of somebody's own table is not ours to give."""
    law = replace(a_link(), subject_id="http://data.europa.eu/eli/reco/2022/2415/oj", object_id="http://eurovoc.europa.eu/6306", object_source="eurovoc")
    head, rows = split_table(table([a_link(), law], "Links: a test", DAY))
    assert [(row["subject_id"], row["object_id"], row["object_source"]) for row in rows] == [
        ("id:actor/a", "ror:000000001", "source:ror"), ("act:reco/2022/2415/oj", "eurovoc:6306", "source:eurovoc")]  # fmt: skip
    declared = yaml.safe_load("\n".join(line[1:] for line in head))
    assert {cell.partition(":")[0] for row in rows for column, cell in row.items() if column.endswith(("_id", "_source", "_justification")) and cell} <= declared["curie_map"].keys()
    assert declared["mapping_set_title"] == "Links: a test" and "creativecommons" in declared["license"]
    own = yaml.safe_load("\n".join(line[1:] for line in split_table(table([], "", DAY, own=True))[0]))
    assert own["license"] == "https://w3id.org/sssom/license/unspecified" and own["mapping_set_id"] != declared["mapping_set_id"]


def test_a_table_holds_no_formula_and_no_control_character():
    link = replace(a_link(), subject_id="@SUM(1)", subject_label="=cmd|' /C calc'!A1", object_label="a\x07b")
    _, (row,) = split_table(table([link], "", DAY))
    assert (row["subject_id"], row["subject_label"], row["object_label"]) == ("'@SUM(1)", "'=cmd|' /C calc'!A1", "a b")


def split_table(text: str) -> tuple[list[str], list[dict[str, str]]]:
    lines = text.splitlines()
    return [line for line in lines if line[0] == "#"], list(csv.DictReader((line for line in lines if line[0] != "#"), delimiter="\t"))


def test_a_table_of_decisions_may_be_edited_elsewhere(tmp_path):
    """With a mark of byte order, prefixes of its own, and no justification, which is then that a person decided."""
    path = tmp_path / "mine.tsv"
    path.write_text(
        "\ufeff# curie_map:\n#   org: https://ror.org/\nsubject_id\tpredicate_id\tobject_id\tobject_label\tmapping_justification\tmapping_date\r\n"
        f"nuts:ES51\tskos:exactMatch\torg:000000001\tA\t\t{DAY}\r\n", encoding="utf-8",
    )  # fmt: skip
    assert [(link.object_id, link.mapping_justification) for link in reviewed([path]).values()] == [(f"{ROR}{1:08d}", CURATION)]


def test_a_quotation_mark_without_its_pair_is_named_and_takes_no_other_line_along(tmp_path):
    (tmp_path / "mine.tsv").write_text(table([a_link(), a_link("b", 2)], "", DAY).replace("\tB\t", '\t"B\t', 1), encoding="utf-8")
    with pytest.raises(KvgraphError, match=r"mine.tsv:\d+: mapping_date"):
        reviewed(tmp_path.glob("*.tsv"))


def test_a_pair_is_decided_once(tmp_path):
    (tmp_path / "a.tsv").write_text(table([replace(a_link(), mapping_justification=CURATION)], "", DAY), encoding="utf-8")
    (tmp_path / "b.tsv").write_text(table([replace(a_link(), mapping_justification=CURATION, predicate_modifier="Not")], "", DAY), encoding="utf-8")
    with pytest.raises(KvgraphError, match="b.tsv.*decided twice"):
        reviewed(sorted(tmp_path.glob("*.tsv")))


def test_tables_of_different_days_are_in_one_release(tmp_path):
    """The graph that they all are in was decided on the last of these days, once."""
    files = {}
    for name, day in (("a", DAY), ("b", "2026-11-30")):
        files[f"data/links/{name}.tsv"] = path = tmp_path / f"{name}.tsv"
        path.write_text(table([replace(a_link(name), mapping_justification=CURATION, mapping_date=day)], "", day), encoding="utf-8")
    days = read(files).store.quads_for_pattern(ox.NamedNode(f"{LINKS}/classified"), ox.NamedNode(KV + "seenOn"), None, None)
    assert {quad.object.value for quad in days} == {"2026-11-30"}
    files["data/links/b.tsv"].write_text(files["data/links/a.tsv"].read_text(), encoding="utf-8")
    with pytest.raises(MalformedSource, match="decided twice"):
        read(files)


@pytest.mark.parametrize("line, problem", [
    ("a\tskos:exactMatch\thttps://ror.org/0\t\t\t2026-11-28", "subject_id is no address"),
    ("nuts:ES51\towl:sameAs\thttps://ror.org/0\tsemapv:X\t\t2026-11-28", "predicate_id"),
    ("nuts:ES51\tskos:exactMatch\thttps://ror.org/0\t\t7\t2026-11-28", "confidence"),
    ("nuts:ES51\tskos:exactMatch\thttps://ror.org/0\t\thigh\t2026-11-28", "high"),
    ("nuts:ES51\tskos:exactMatch\thttps://ror.org/0\tbecause\t\t2026-11-28", "mapping_justification"),
    ("nuts:ES51\tskos:exactMatch\thttps://ror.org/0\t\t\t2026-11-31", "mapping_date"),
    ("nuts:ES51\tskos:exactMatch\thttps://ror.org/0\t\t\t2026-11-28\tmore", "has 7 cells"),
    ("nuts:ES51\tskos:exactMatch\tjavascript:alert(1)\t\t\t2026-11-28", "object_id is no address"),
    ("nuts:ES51\tskos:exactMatch\thttps://ror.org/0\t\t\tyesterday", "mapping_date"),
])  # fmt: skip
def test_a_bad_line_is_named(tmp_path, line, problem):
    path = tmp_path / "bad.tsv"
    path.write_text("# a comment\nsubject_id\tpredicate_id\tobject_id\tmapping_justification\tconfidence\tmapping_date\n" + line + "\n", encoding="utf-8")
    with pytest.raises(KvgraphError, match=problem) as error:
        list(read_table(path))
    assert error.value.message.startswith("bad.tsv:3: ")


def test_a_table_without_its_columns_is_refused(tmp_path):
    (tmp_path / "bad.tsv").write_text("one\ttwo\n1\t2\n", encoding="utf-8")
    with pytest.raises(KvgraphError, match="subject_id is missing"):
        list(read_table(tmp_path / "bad.tsv"))


def test_the_decisions_that_come_with_kvgraph_are_right():
    decided = reviewed((folder("data") / "links").glob("*.tsv"))
    assert len(decided) > 100
    assert {link.mapping_justification for link in decided.values()} == {CURATION}
    assert list(conflicts(list(decided.values()))) == []
    entry = re.compile(r"https://(linkedopendata\.eu/entity/Q[0-9]+|ror\.org/0[a-z0-9]{8})|http://www\.wikidata\.org/entity/Q[0-9]+")
    assert [link.object_id for link in decided.values() if not entry.fullmatch(link.object_id)] == []


def test_links_are_in_graphs_by_basis():
    found = list(quads([a_link(), replace(a_link("b", 2), mapping_justification=CURATION), replace(a_link("c", 3), predicate_modifier="Not", mapping_justification=CURATION)], DAY))
    links = [(q.subject.value[-1], q.graph_name.value.removeprefix(LINKS)) for q in found if q.predicate.value.endswith("exactMatch")]
    assert links == [("a", "/derived"), ("b", "/classified")]
    assert not any(isinstance(q.subject, ox.BlankNode) or isinstance(q.object, ox.BlankNode) for q in found)


def test_links_replace_the_old_ones_whole(tmp_path):
    run.write(tmp_path, run.Linked([a_link()]))
    target = run.write(tmp_path, run.Linked([a_link("b", 2)]))
    assert sorted(p.name for p in target.iterdir()) == ["links.sssom.tsv", "links.trig"]
    assert sorted(p.name for p in (tmp_path / "sources").iterdir()) == ["imports", "links"]  # the lock of all that writes there is among the imports
    store = ox.Store()
    store.load(path=target / "links.trig", format=ox.RdfFormat.TRIG)
    assert {q.object.value for q in store.quads_for_pattern(None, ox.NamedNode("http://www.w3.org/2004/02/skos/core#exactMatch"), None)} == {f"{ROR}{2:08d}"}


def test_who_is_killed_while_writing_links_leaves_the_old_ones_or_the_new_ones(tmp_path, monkeypatch):
    folder = run.write(tmp_path, run.Linked([a_link()]))

    def killed(source, target, rename=os.replace):
        if "previous" not in str(target):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        run.write(tmp_path, run.Linked([a_link("b", 2)]))
    monkeypatch.undo()
    assert not folder.exists()
    assert {"sources/links/links.trig"} < source_files(tmp_path).keys()
    assert [link.subject_id[-1] for link in read_table(folder / "links.sssom.tsv")] == ["a"]


# ── The model ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_model_knows_every_level_and_no_other():
    model = fitted()
    assert {c.name: {level.label for level in c.levels} for c in COMPARISONS} == {name: set(weights) for name, weights in model.weights.items()}
    assert all(-20 < bits < 20 for weights in model.weights.values() for bits in weights.values())


def test_what_agrees_more_says_more():
    weights = fitted().weights
    assert weights["name"]["equal name"] > 5 + weights["name"]["few of the words asked, few of those found, in a name"]
    assert weights["place"]["same place, with few organisations"] > weights["place"]["same place, with many organisations"] > weights["place"]["another place"]


def test_a_weight_of_the_model_is_a_weight_of_splink():
    levels = [level for comparison in fitted().settings()["comparisons"] for level in comparison["comparison_levels"] if not level.get("is_null_level")]
    bits = [log2(level["m_probability"] / level["u_probability"]) for level in levels]
    assert bits == pytest.approx([weight for weights in fitted().weights.values() for weight in weights.values()])


# ── Reading, and the command line ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def home(tmp_path) -> Path:
    """A home with a small import of ROR."""
    import pyarrow as pa

    place = tmp_path / "sources" / "imports" / "ror"
    place.mkdir(parents=True)
    (place / "report.json").write_text("{}")
    rows = [
        {"iri": o.iri, "names": [{"value": n, "lang": "", "kind": "label"} for n in o.names] + [{"value": n, "lang": "", "kind": "acronym"} for n in o.short],
         "country": o.country, "place": o.place, "nuts": "", "homepage": o.homepage, "kind": "education", "identifiers": list(o.identifiers), "parents": []}
        for o in REGISTER
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), place / "organisations.parquet")
    return tmp_path


def test_an_import_gives_its_organisations(home):
    found = list(reading.of_import(home / "sources" / "imports" / "ror" / "organisations.parquet"))
    assert len(found) == len(REGISTER)
    assert found[4] == replace(REGISTER[4], kind="university")


def test_an_explanation_heeds_what_a_person_decided_and_who_has_the_identifier(home):
    tables, address = run.sources(home, ["ror"]), f"{ROR}{4:08d}"
    asked = actor("Montanuniversität Leoben", place="Leoben")
    owner = replace(asked, iri="https://example.org/owner", identifiers=(address,))
    refused = Mapping(asked.iri, "", EXACT, address, "", CURATION, predicate_modifier="Not", object_source="ror", mapping_date=DAY, comment="Another one.")
    said = [explanation.text(explanation.explain(asked, ours, tables, address, decisions)) for ours, decisions in (([], {}), ([owner], {}), ([], {refused.pair: refused}))]
    assert "accepted: the same" in said[0] and "to review" in said[1] and owner.iri in said[1]
    assert "decided by a curator: not one" in said[2] and said[2].endswith("Another one.") and "same place" in said[2]


def test_a_table_of_ones_own_is_linked(home, tmp_path):
    csv, into = tmp_path / "partners.csv", tmp_path / "partners.sssom.tsv"
    csv.write_text("\ufeffName;Country;City\nUniversity of Vienna;AT;Wien\nBOKU;AT;\n<b>Nobody</b>;;\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["link", "table", str(csv), "ror", "--home", str(home), "--output", str(into)])
    assert done.exit_code == 0, done.output
    assert "3 names: 1 accepted, 1 to review, 1 not found." in done.output
    assert [(m.subject_id[-6:], m.accepted) for m in map_lines(into)][0] == ("line:2", True)


def map_lines(path: Path) -> list[Mapping]:
    import csv

    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [Mapping(**{**row, "confidence": float(row["confidence"])}) for row in csv.DictReader(lines, delimiter="\t")]


def test_a_source_that_was_not_imported_is_named(home):
    done = CliRunner().invoke(main, ["link", "cordis", "--home", str(home)])
    assert done.exit_code == 1
    assert "No organisations of 'cordis' are here. There are: ror." in " ".join(done.output.split())


def test_a_table_without_names_says_what_it_needs(home, tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    done = CliRunner().invoke(main, ["link", "table", str(tmp_path / "bad.csv"), "ror", "--home", str(home)])
    assert done.exit_code == 1 and 'Call it "name"' in " ".join(done.output.split())


def test_a_table_of_ones_own_may_be_a_spreadsheet_and_have_texts_of_several_lines(tmp_path):
    import openpyxl

    from kvgraph.link.reading import of_table

    book = openpyxl.Workbook()
    for row in (["Organisation", "Country"], ["University of Vienna", "AT"]):
        book.active.append(row)
    book.save(tmp_path / "partners.xlsx")
    (tmp_path / "partners.csv").write_text('Organisation,Country\n"University\nof\u2028Vienna",AT\n', encoding="utf-8")
    for name in ("partners.xlsx", "partners.csv"):
        (found,) = of_table(tmp_path / name)
        assert (found.iri, " ".join(found.names[0].split()), found.country) == ("line:2", "University of Vienna", "AUT")
    (tmp_path / "open.csv").write_text('name,note\nA,"open\nB,x\n')
    with pytest.raises(KvgraphError, match="a quotation mark has no partner"):
        of_table(tmp_path / "open.csv")


def test_a_table_with_too_many_organisations_is_refused_and_rows_without_a_name_do_not_count(tmp_path, monkeypatch):
    from kvgraph.link.reading import of_table

    monkeypatch.setattr(reading, "MOST", 2)
    (tmp_path / "partners.csv").write_text("name,note\nA,\n,x\n,y\nB,\n")
    assert [found.names for found in of_table(tmp_path / "partners.csv")] == [("A",), ("B",)]
    (tmp_path / "partners.csv").write_text("name,note\nA,\n,x\nB,\nC,\n")
    with pytest.raises(KvgraphError, match="more than 2 organisations"):
        of_table(tmp_path / "partners.csv")


def test_spark_says_how_to_get_it(monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("pyspark"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(KvgraphError, match=r"kvgraph\[spark\]"), engines.engine("spark"):
        pass


def test_domains_and_scripts():
    assert domain("https://www.example.ac.uk/en/") == "example.ac.uk"
    assert script("Универзитет") == "cyrillic"
