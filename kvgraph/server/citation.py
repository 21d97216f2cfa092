"""How to cite a release, or one thing of a release: in words (APA), for BibTeX, as CSL-JSON and as RIS.

Titles come from the data and may hold anything; each format gets them escaped in its own way, on one line.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from ..model import path_of
from ..releases import Release

AUTHOR = "kvgraph curators"
TITLE = "kvgraph: An open knowledge graph of knowledge valorisation"
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{c: "\\" + c for c in "&%$#_"},
}  # fmt: skip


@dataclass(frozen=True)
class Citation:
    """``url`` stays as long as the release is kept. ``title`` and ``kind`` are those of one thing, ``""`` where a whole release is cited.

    >>> Citation("National IP Protocol", "practice", "2026-11-22-1a2b3c4d", date(2026, 11, 22), "https://kv.example/release/2026-11-22-1a2b3c4d/").text
    'kvgraph curators. (2026, November 22). National IP Protocol [Practice]. In kvgraph: An open knowledge graph of knowledge valorisation (Release 2026-11-22-1a2b3c4d) [Data set]. https://kv.example/release/2026-11-22-1a2b3c4d/'
    """

    title: str
    kind: str
    version: str
    issued: date
    url: str

    @classmethod
    def of(cls, release: Release, host_url: str, iri: str = "", title: str = "", kind: str = "") -> "Citation":
        """The citation of a release on the host of that address, which ends in a slash; with an ``iri`` that of one thing in it."""
        below = quote(path_of(iri) or "", safe="/%").removeprefix("/") if iri else ""
        built = date.fromisoformat(release.manifest["built"][:10])
        return cls(_line(title), _line(kind), release.id, built, f"{host_url}release/{release.id}/{below}")

    @property
    def text(self) -> str:
        """As APA has it (7th edition): a data set, or an entry in one."""
        whole = f"{TITLE} (Release {self.version}) [Data set]. {self.url}"
        when = f"({self.issued:%Y, %B} {self.issued.day})"
        if not self.title:
            return f"{AUTHOR}. {when}. {whole}"
        kind = f" [{self.kind[:1].upper()}{self.kind[1:]}]" if self.kind else ""
        return f"{AUTHOR}. {when}. {self.title}{kind}. In {whole}"

    @property
    def key(self) -> str:
        """What it is called in a file of references."""
        path = self.url.partition(f"/{self.version}/")[2].removeprefix("doc/")
        return re.sub(r"[^A-Za-z0-9]+", "-", f"kvgraph-{self.version}-{path}").strip("-")

    @property
    def bibtex(self) -> str:
        """An entry for BibTeX, in which every character that means something to LaTeX is written out."""
        fields = {"author": f"{{{AUTHOR}}}", "title": f"{{{_latex(self.title or TITLE)}}}"}
        if self.title:
            fields["howpublished"] = f"In {{{_latex(TITLE)}}}"
        fields |= {
            "year": f"{self.issued:%Y}", "month": f"{self.issued:%b}".lower(), "version": _latex(self.version), "url": self.url,
            "note": "Data set, CC BY 4.0",
        }  # fmt: skip
        lines = [f"  {name} = {value if name == 'month' else f'{{{value}}}'}," for name, value in fields.items()]
        return "\n".join([f"@misc{{{self.key},", *lines, "}"])

    @property
    def csl(self) -> list[dict]:
        """An item for Zotero, pandoc and other programs that read CSL-JSON (schema 1.0.2)."""
        item = {
            "id": self.key, "type": "dataset", "title": self.title or TITLE, "author": [{"literal": AUTHOR}],
            "issued": {"date-parts": [[self.issued.year, self.issued.month, self.issued.day]]}, "version": self.version, "publisher": "kvgraph", "URL": self.url,
        }  # fmt: skip
        if self.title:
            item["container-title"] = TITLE
        if self.kind:
            item["genre"] = self.kind
        return [item]

    @property
    def csl_json(self) -> str:
        """:attr:`csl` as text."""
        return json.dumps(self.csl, ensure_ascii=False, indent=1)

    @property
    def ris(self) -> str:
        """A record for EndNote and others that read RIS."""
        fields = [("TY", "DATA"), ("AU", AUTHOR), ("TI", self.title or TITLE)]
        fields += [("T2", TITLE)] if self.title else []
        fields += [("PY", f"{self.issued:%Y}"), ("DA", f"{self.issued:%Y/%m/%d}"), ("ET", self.version), ("PB", "kvgraph"), ("UR", self.url), ("ER", "")]
        return "".join(f"{tag}  - {value}\r\n" for tag, value in fields)


def _line(text: str) -> str:
    """Text on one line, without control characters.

    >>> _line(" A\\nB\\x07 ")
    'A B'
    """
    return " ".join("".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C").split())


def _latex(text: str) -> str:
    """Text as LaTeX shows it. Braces become commands, because BibTeX counts even escaped ones.

    >>> _latex("R&D {50%}")
    'R\\\\&D \\\\textbraceleft{}50\\\\%\\\\textbraceright{}'
    """
    return "".join(_LATEX.get(c, c) for c in text)
