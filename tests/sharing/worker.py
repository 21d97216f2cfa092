"""A contributor and a curator in a process of their own, made to be killed: what they did is said line by line, each when it is certain.

    python -m tests.sharing.worker HOME ROUND
"""

import sys
from pathlib import Path

from kvgraph.contribute import accounts, decisions, submissions
from kvgraph.contribute.book import book
from kvgraph.contribute.publish import publish
from kvgraph.contribute.record import LEAD, TITLE, Record, thing_of
from kvgraph.namespaces import KV

from ..conftest import SMALL
from .people import PASSWORD, SPAIN, UNIVERSITY


def record(name: str) -> Record:
    values = {TITLE: [{"text": f"Practice {name}", "lang": "en"}], KV + "country": [{"iri": SPAIN}], LEAD: [{"iri": UNIVERSITY}]}
    return Record("practice", thing=thing_of("practice", f"practice-{name}"), values=values, page="https://example.org/p", seen="2026-11", relation="none", credit="Port", licence=True)


def account(kept, name: str, role: str):
    try:
        return accounts.account_named(kept, name)
    except Exception:  # noqa: BLE001
        return accounts.sign_up(kept, name, PASSWORD, role)


def main(home: Path, number: str) -> None:
    kept = book(home)
    reader, curator = account(kept, "reader", "contributor"), account(kept, "curator", "curator")
    say("ready")
    for turn in range(50):
        draft = submissions.begin(kept, reader, f"draft-{number}-{turn}", "record", record(f"{number}-{turn}-draft"))
        say("draft", draft.id)
        for twin in "ab":
            sent = submissions.begin(kept, reader, f"sent-{number}-{turn}-{twin}", "record", record(f"{number}-{turn}-{twin}"))
            submissions.submit(kept, reader, sent.id)
            say("submitted", sent.id)
            found = submissions.find(kept, sent.id, curator)
            decisions.accept(kept, curator, sent.id, found.version)
            say("accepted", sent.id)
        publish(home, data=SMALL, step=lambda name: say("step", name))
        say("published", "-")


def say(*words: str) -> None:
    print(*words, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
