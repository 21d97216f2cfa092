"""From organisations to the tables that an engine compares: one row for each name, and one for all names of an organisation together."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .organisations import Organisation
from .features import Vocabulary, stem, words, lexicon
from .names import Name, folded, is_short, parse

UNIT = 1_000_000


@dataclass
class Side:
    rows: list[dict]
    blocks: list[dict]


def place_key(place, lex):
    return " ".join(sorted({stem(m) for w in parse(place).core for m in lex.get(w, (w,))}))


def spread(organisations, lex):
    for n, o in enumerate(organisations):
        seen = set()
        both = [(t, False) for t in o.names] + [(t, True) for t in o.short]
        allw = set()
        for text, short in both:
            name = parse(text)
            w = words(name, lex)
            if not w or (name.key) in seen:
                continue
            seen.add(name.key)
            allw |= w
            yield n, o, text, name, w, ("short" if short or name.short else "name")
        yield n, o, "", None, frozenset(allw), "all"


def sides(subjects, targets, lex):
    T = list(spread(targets, lex))
    voc = Vocabulary.of(w for *_, w, form in T if form == "all")
    limit = max(200, voc.size // 50)

    def side(spreadrows, left):
        rows, blocks = [], []
        for n, o, text, name, w, form in spreadrows:
            if left and form == "all":
                continue
            if not left and form == "all" and len(w) > 40:
                continue
            if left:
                w = {voc.read(x) for x in w}
            codes = sorted((voc.encoded(x) for x in w), reverse=True)
            rid = len(rows)
            acr = sorted({"".join(parse(t).whole) for t in (*o.short, *o.names) if is_short(t) or t in o.short} - {""})
            ini = sorted(i for i in (name.initials if name else ()) if len(i) > 2)
            rows.append(dict(initials=(ini if left and form == "name" else acr) or None, row=rid, record=n, iri=o.iri, text=text, key=name.key if name else "", form=form, words=codes, total=sum(c // UNIT for c in codes), country=o.country or None, place=place_key(o.place, lex) or None, domain=o.domain or None, kind=o.kind or None))
            if left:
                import math
                few = [c for c in codes if c % UNIT]
                rare = [c for c in few if c // UNIT > 100 * math.log(voc.size / limit)]
                use = rare if len(rare) >= 2 else few[:3]
                for i, c in enumerate(few):
                    blocks.append(dict(row=rid, word=c, country=o.country, total=rows[-1]["total"], place=rows[-1]["place"], rare=c in use[:8]))
                for i in (ini if form == "name" else ["".join(name.whole)]):
                    if i in acrs:
                        blocks.append(dict(row=rid, word=acrs[i] + 600 * UNIT, country=o.country, total=rows[-1]["total"], place=rows[-1]["place"], rare=True))
            else:
                if form == "all":
                    for i in acr:
                        blocks.append(dict(row=rid, word=acrs.setdefault(i, 900000 - len(acrs)) + 600 * UNIT, country=o.country, total=rows[-1]["total"], place=rows[-1]["place"]))
                for c in codes:
                    blocks.append(dict(row=rid, word=c, country=o.country, total=rows[-1]["total"], place=rows[-1]["place"]))
        return Side(rows, blocks)

    acrs = {}
    right = side(T, False)
    return side(spread(subjects, lex), True), right, voc
