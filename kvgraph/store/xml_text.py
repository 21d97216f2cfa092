"""What XML can hold, which is less than RDF can: an answer in XML is well-formed, or none at all."""

from __future__ import annotations

import re

from kvgraph.formats import RDFXML, XML, Format
from kvgraph.store.errors import NotWritable

_TAKEN_OUT = bytes(c for c in range(32) if c not in b"\t\n\r")  # XML 1.0, section 2.2: no reference stands for these either
_NO_CHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")  # U+FFFE and U+FFFF
_NO_NAME = re.compile(rb'<[\w.-]*:(?: xmlns:[\w.-]*="([^"]*)|[ >])')  # how the engine writes a property or a class whose IRI ends in no name
_OTHERS = "Ask for another format: Turtle, N-Triples and JSON-LD can hold all of it."
_RESERVED = b"<xmlns:"  # Namespaces in XML 1.0, section 3: no element has this prefix; the engine writes what is in the namespace of that name so
_SEAM = 128  # bytes of what stands before that are looked at once more


def checked(output, format: Format):
    """The file to write an answer to: for a format in XML one that looks at what is written, else the file itself."""
    return _Xml(output, rdf=format is RDFXML) if format is XML or format is RDFXML else output


class _Xml:
    """Takes XML as the engine writes it, piece by piece.

    A carriage return is passed on as a reference, since every parser makes a line feed of a bare one (section 2.11).

    Raises:
        NotWritable: there is a character, or the name of a property or class, that XML cannot hold.
    """

    def __init__(self, output, rdf: bool):
        self.output, self.rdf, self.before = output, rdf, b""

    def write(self, chunk: bytes) -> int:
        seen = self.before + chunk
        self.before = seen[-_SEAM:]
        # What each piece is searched for is a few bytes that are seldom there: regular expressions take ten times as long.
        if len(chunk.translate(None, _TAKEN_OUT)) < len(chunk) or (b"\xef\xbf" in seen and _NO_CHARACTER.search(seen)):
            raise NotWritable("The answer holds a character that XML does not allow.", "Ask for another format: JSON and N-Triples can hold all of it.")
        if self.rdf and (b": " in seen or b":>" in seen) and (found := _NO_NAME.search(seen)):
            named = f"<{found[1].decode('utf-8', 'replace')}>" if found[1] else "one"
            raise NotWritable(
                f"RDF/XML cannot hold a property or class whose IRI ends in no name, as {named} does.",
                _OTHERS,
            )
        if self.rdf and _RESERVED in seen:
            raise NotWritable("RDF/XML cannot hold a property or class of the namespace http://www.w3.org/2000/xmlns/.", _OTHERS)
        self.output.write(chunk.replace(b"\r", b"&#xD;"))
        return len(chunk)

    def flush(self) -> None:
        self.output.flush()
