"""The objects of a large JSON file one after the other, without holding the file in memory."""

import json
import re
from collections.abc import Iterator

from .raw import Raw, UnreadableFile
from .record import SetAside

LONGEST = 16 * 2**20  # characters of one object
_CHUNK = 1 << 18
_BETWEEN = re.compile(r"[ \t\r\n,]*")
_DECODER = json.JSONDecoder()


def objects(raw: Raw, under: str | None = None) -> Iterator[tuple[int, dict] | SetAside]:
    """Each object of an array (or of a file with one object per line), with its number from 1.

    ``under`` is the key whose array it is (``"features"``); None for a file that begins with the array. What is no object is set
    aside. Raises :class:`UnreadableFile` for what is no JSON and cannot be gone on with.
    """
    with raw.open() as stream:
        try:
            yield from _Reader(raw.name, stream).objects(under)
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"{raw.name} is not in UTF-8: {error.reason}.", hint="JSON is in UTF-8.") from None


class _Reader:
    def __init__(self, name: str, stream):
        import codecs

        self.name, self._stream, self._decoder = name, stream, codecs.getincrementaldecoder("utf-8-sig")()
        self.text, self.at, self.ended = "", 0, False

    def objects(self, under: str | None) -> Iterator[tuple[int, dict] | SetAside]:
        lined = self._find_start(under)
        number = 0
        while (first := self._next_character()) and (lined or first != "]"):
            number += 1
            value = self._value(number)
            if isinstance(value, dict):
                yield number, value
            else:
                yield SetAside(self.name, number, f"record {number} is no object")
        if not first and not lined:
            raise UnreadableFile(f"{self.name} is cut off: it ends after record {number}.", hint="Fetch it again.")
        self.at += 1
        if under is None and not lined and (more := self._next_character()):
            raise UnreadableFile(f"{self.name} goes on after the end of its list, with {more!r}.", hint="Take the file as published.")

    def _find_start(self, under: str | None) -> bool:
        """Go to the first object; whether there is an object per line and no array."""
        if under is None:
            first = self._next_character()
            if first not in ("[", "{"):
                raise UnreadableFile(f"{self.name} is no list in JSON: it begins with {first!r}.", hint="Take the JSON file of the dump.")
            self.at += first == "["
            return first == "{"
        key = json.dumps(under)
        while (place := self.text.find(key)) < 0:
            if not self._more() or len(self.text) > LONGEST:
                raise UnreadableFile(f"{self.name} has no list {under!r}.", hint="Take the file as published.")
        self.at = place + len(key)
        if self._next_character() != ":":
            raise UnreadableFile(f"{self.name} has no list {under!r}.")
        self.at += 1
        if self._next_character() != "[":
            raise UnreadableFile(f"{self.name}: {under!r} is no list.")
        self.at += 1
        return False

    def _value(self, number: int):
        while True:
            try:
                value, self.at = _DECODER.raw_decode(self.text, self.at)
                return value
            except json.JSONDecodeError as error:
                if len(self.text) - self.at > LONGEST:
                    raise UnreadableFile(f"{self.name}: record {number} is longer than {LONGEST:,} characters.") from None
                if not self._more():
                    raise UnreadableFile(f"{self.name}: record {number} is no JSON: {error.msg}.", hint="It may be cut off: fetch it again.") from None
            except RecursionError:
                raise UnreadableFile(f"{self.name}: record {number} is nested too deeply.") from None
            except ValueError:  # Python reads no number of more than 4,300 digits
                raise UnreadableFile(f"{self.name}: record {number} has a number that is too long.") from None

    def _next_character(self) -> str:
        while True:
            self.at = _BETWEEN.match(self.text, self.at).end()
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        if self.ended:
            return False
        data = self._stream.read(max(_CHUNK, len(self.text) - self.at))  # doubling: a long record is not decoded over and over
        self.ended = not data
        self.text = self.text[self.at :] + self._decoder.decode(data, final=self.ended)
        self.at = 0
        return bool(data)
