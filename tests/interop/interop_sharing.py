"""A busy day for those who share: a hundred contributors and five curators at once, while others read; and kills between submit and publish.

``KVGRAPH_SHARING_SECONDS`` says how long the day is (300 in ``make endurance``, else 30), ``KVGRAPH_KILLS`` how often it is killed (50 there, else 3).
"""

import os
import random
import re
import statistics
import threading
import time
from collections import Counter
from html import unescape
from http.client import HTTPConnection
from urllib.parse import urlencode

from kvgraph.contribute import accounts, decisions, submissions
from kvgraph.contribute.book import book
from kvgraph.contribute.publish import publish

from ..conftest import SMALL
from ..serving import served, until
from ..sharing.killing import killed_often
from ..sharing.people import PASSWORD, PRACTICE

SECONDS = float(os.environ.get("KVGRAPH_SHARING_SECONDS", "30"))
KILLS = int(os.environ.get("KVGRAPH_KILLS", "3"))
CONTRIBUTORS, CURATORS, READERS = 100, 5, 4
PAUSE = 20.0, 60.0  # seconds somebody takes to write a record
THOUGHT = 2.0, 6.0  # seconds a curator takes to decide, and a reader to read, divided by ten
FACTOR = 1.5  # of what reading takes when nobody shares
LONG = 300  # seconds from which on that is asserted: in a shorter day a release or two decide what the slowest twentieth is
PAGES = ("/", "/doc/practice/living-lab", "/search?q=harbour", "/doc/actor/harbour-university", "/map", "/search?type=practice")


class Somebody:
    """A client with a cookie, who sends the forms that are on pages."""

    def __init__(self, base: str, errors: list):
        self.host = base.removeprefix("http://")
        self.cookies: dict[str, str] = {}
        self.errors = errors

    def ask(self, method: str, address: str, fields: dict | None = None, fine: tuple[int, ...] = (200, 303)) -> tuple[int, str]:
        headers = {"Accept": "text/html", "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        http = HTTPConnection(self.host, timeout=60)
        try:
            http.request(method, address, urlencode(fields) if fields else None, headers)
            answer = http.getresponse()
            body = answer.read()
        finally:
            http.close()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.status not in fine:
            self.errors.append((method, address, answer.status, re.sub(r"<[^>]+>|\s+", " ", body.decode())[:3000]))
        return answer.status, answer.headers.get("Location") or body.decode()

    def sign_in(self, name: str) -> None:
        self.ask("POST", "/account/sign-in", {"proof": field(self.ask("GET", "/account/sign-in")[1], "proof"), "name": name, "password": PASSWORD})


def field(page: str, name: str) -> str:
    return unescape(re.search(rf'name="{name}" value="([^"]*)"', page)[1])


def contributor(base, name, end, errors, sent):
    chance, me = random.Random(name), Somebody(base, errors)
    me.sign_in(name)
    time.sleep(chance.uniform(0, PAUSE[1]))
    number = 0
    while time.monotonic() < end:
        page = me.ask("GET", "/contribute/new/practice")[1]
        title = f"{name} {chance.getrandbits(64):x}"
        fields = {**PRACTICE, "title": title, "proof": field(page, "proof"), "form": field(page, "form"), "action": "submit", "different": "yes"}
        for _ in range(1 + (number % 3 == 0)):  # every third time the button is pressed twice
            me.ask("POST", "/contribute/new/practice", fields)
        sent.append(title)
        number += 1
        time.sleep(chance.uniform(*PAUSE))


def curator(base, name, end, errors, decided):
    chance, me = random.Random(name), Somebody(base, errors)
    me.sign_in(name)
    while time.monotonic() < end:
        waiting = re.findall(r'href="(/curate/\d+-[0-9a-f]+)"', me.ask("GET", "/curate")[1])
        if waiting:
            address = chance.choice(waiting[:10])  # the oldest, as everybody does: they meet
            page = me.ask("GET", address)[1]
            if 'value="accept"' in page:
                action = chance.choice(("accept", "accept", "accept", "reject", "changes"))
                status, _ = me.ask("POST", address, {"proof": field(page, "proof"), "version": field(page, "version"), "action": action, "text": "Because."}, (303, 409))
                decided.append((status, address.rpartition("/")[2], action))
        time.sleep(chance.uniform(*THOUGHT) / 4)


def reader(base, name, end, errors, took):
    chance, me = random.Random(name), Somebody(base, errors)
    while time.monotonic() < end:
        began = time.monotonic()
        me.ask("GET", chance.choice(PAGES))
        took.append(time.monotonic() - began)
        time.sleep(chance.uniform(*THOUGHT) / 10)


def together(*groups) -> None:
    threads = [threading.Thread(target=who, args=args, daemon=True) for who, args in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def p95(took: list[float]) -> float:
    return statistics.quantiles(took, n=20)[-1]


def test_a_busy_day(tmp_path):
    publish(tmp_path, data=SMALL)
    kept = book(tmp_path)
    for role, number in (("contributor", CONTRIBUTORS), ("curator", CURATORS)):
        for n in range(number):
            accounts.sign_up(kept, f"{role}-{n}", PASSWORD, role)
    errors, sent, decided, idle, busy = [], [], [], [], []
    with served(tmp_path, "--data", str(SMALL)) as base:
        together(*((reader, (base, f"idle-{n}", time.monotonic() + min(30, SECONDS / 4), errors, idle)) for n in range(READERS)))
        end = time.monotonic() + SECONDS
        together(
            *((contributor, (base, f"contributor-{n}", end, errors, sent)) for n in range(CONTRIBUTORS)),
            *((curator, (base, f"curator-{n}", end, errors, decided)) for n in range(CURATORS)),
            *((reader, (base, f"reader-{n}", end, errors, busy)) for n in range(READERS)),
        )
        until(lambda: not decisions.pending(kept), 300)
        assert errors == []  # in here, so that what the server said is shown with it
    print(f"\n{len(sent)} sent, {len(decided)} decisions, of them {sum(s == 409 for s, *_ in decided)} too late; reading p95 {p95(idle) * 1000:.0f} ms idle, {p95(busy) * 1000:.0f} ms busy")
    there = submissions.queue(kept, submissions.STATES, limit=100_000)
    assert Counter(s.title for s in there) == Counter(sent), "nothing lost, nothing doubled"
    won = Counter(i for status, i, _ in decided if status == 303)
    made = Counter(s.id for s in there for e in s.events if e.action in ("accepted", "rejected", "changes-requested"))
    assert won == made and max(won.values(), default=1) == 1, "one decision each, and none without whoever took it being told"
    assert {s.state for s in there if (303, s.id, "accept") in set(decided)} <= {"published"}
    if SECONDS >= LONG:
        assert p95(busy) <= FACTOR * p95(idle)


def test_killed_often(tmp_path):
    where = killed_often(tmp_path, KILLS)
    print(f"\nkilled {where.total()} times, at: {dict(where)}")
    assert where.total() == KILLS and len(where) > min(4, KILLS // 4)
