"""Raw files as they were published: plain, gzipped, or packed in a zip; read in pieces, and never more than is bearable.

Nothing is unpacked to a disk, so the paths in an archive lead nowhere.
"""

import codecs
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ..errors import KvgraphError

MOST_BYTES = 32 * 2**30  # of one file, unpacked: twenty times the largest that is published
MOST_RATIO = 250  # unpacked to packed; tables and JSON reach 30
FREE = 64 * 2**20  # bytes from which on the ratio counts
LONGEST_LINE = 4 * 2**20  # bytes
KINDS = {".csv", ".tsv", ".txt", ".json", ".geojson", ".jsonl", ".rdf", ".xml", ".ttl", ".nt", ".xlsx", ".xlsm"}


class UnreadableFile(KvgraphError):
    """A file that cannot be read as what it should be."""


@dataclass(frozen=True)
class Raw:
    """A file to be read. ``name`` is what people know it by, ``kind`` its suffix (``.csv``); ``open`` gives its bytes from the start.

    ``size`` is in bytes, of the packed file where it is packed.
    """

    name: str
    kind: str
    open: Callable[[], BinaryIO]
    size: int = 0


def raw_files(path: Path) -> Iterator[Raw]:
    """What a path holds: itself, or the members of a zip in the order of their names.

    Raises :class:`UnreadableFile` for what is missing, no archive, encrypted or out of proportion.
    """
    if not path.is_file():
        raise UnreadableFile(f"There is no file {path}.", hint="Check the name; a folder is not taken.")
    if path.suffix.lower() == ".zip":
        yield from _members(path)
    elif path.suffix.lower() == ".gz":
        kind = PurePosixPath(path.stem).suffix.lower()
        yield Raw(path.name, kind, lambda: _bounded(gzip.open(path), path.name, path.stat().st_size), path.stat().st_size)
    else:
        yield Raw(path.name, path.suffix.lower(), lambda: open(path, "rb"), path.stat().st_size)


def _members(path: Path) -> Iterator[Raw]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.infolist(), key=lambda m: m.filename)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableFile(f"{path.name} is no complete zip archive: {error}.", hint="It may be cut off: fetch it again.") from None
    if len(members) > 1_000:
        raise UnreadableFile(f"{path.name} holds {len(members):,} files; 1,000 are the most.")
    for member in members:
        inner = PurePosixPath(member.filename)
        kind = inner.suffix.lower()
        if member.is_dir() or kind not in KINDS or inner.name.startswith("."):  # a hidden file is one of a system, not of a publisher
            continue
        if inner.is_absolute() or ".." in inner.parts or "\\" in member.filename:
            raise UnreadableFile(f"{path.name} holds a file that wants to lie elsewhere: {member.filename[:100]!r}.", hint="This is no archive as published; do not use it.")
        if member.flag_bits & 1:
            raise UnreadableFile(f"{inner.name} in {path.name} is encrypted.")
        name = f"{path.name}/{inner.name}"

        def opened(member=member, name=name) -> BinaryIO:
            try:
                stream = zipfile.ZipFile(path).open(member)
            except NotImplementedError as error:  # said of a way of packing that Python does not know
                raise UnreadableFile(f"{name} is packed in a way that cannot be read: {error}.", hint="Unpack it, and import what was in it.") from None
            except zipfile.BadZipFile as error:
                raise UnreadableFile(f"{name} is damaged: {error}.", hint="Fetch it again.") from None
            return _bounded(stream, name, max(member.compress_size, 1))

        yield Raw(name, kind, opened, member.compress_size)


def _bounded(stream, name: str, packed: int) -> BinaryIO:
    return io.BufferedReader(_Bounded(stream, name, packed), 1 << 20)


class _Bounded(io.RawIOBase):
    """A stream that ends with an error when more comes out of an archive than its size explains, or when it is damaged."""

    def __init__(self, stream, name: str, packed: int):
        self.stream, self.name, self.packed, self.read_so_far = stream, name, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            data = self.stream.read(len(buffer))
        except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise UnreadableFile(f"{self.name} is damaged or cut off: {error}.", hint="Fetch it again.") from None
        self.read_so_far += len(data)
        if self.read_so_far > MOST_BYTES or (self.read_so_far > FREE and self.read_so_far > MOST_RATIO * self.packed):
            raise UnreadableFile(f"{self.name} unpacks to far more than its size explains.", hint="This is no file as published; do not use it.")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.stream.close()
        super().close()


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line of text with its number; ``problem`` says why there is no text."""

    number: int
    text: str
    problem: str = ""


def lines(stream: BinaryIO, encoding: str | None = None) -> Iterator[Line]:
    """The lines of a text, with their ends, as its byte order mark says or in UTF-8. A line that cannot be read is one with a problem.

    Raises :class:`UnreadableFile` for an ``encoding`` that there is not.

    >>> [line.text for line in lines(io.BytesIO(b"a\\r\\nb"))]
    ['a\\r\\n', 'b']
    """
    reader = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)
    start = reader.peek(4)[:4]
    encoding = encoding or next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    try:
        one_byte = "a\n".encode(encoding) == b"a\n"  # where a line ends can be seen in the bytes
    except (LookupError, ValueError):
        raise UnreadableFile(f"There is no encoding {encoding[:40]!r}.", hint="For example: utf-8, cp1252, iso-8859-2, utf-16.") from None
    if not one_byte:
        return _decoded(io.TextIOWrapper(reader, encoding, errors="strict", newline=""), encoding)
    if start.startswith(codecs.BOM_UTF8):
        reader.read(len(codecs.BOM_UTF8))
    return _lines(reader, encoding)


def _lines(reader: io.BufferedReader, encoding: str) -> Iterator[Line]:
    number = 0
    while line := reader.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            while (rest := reader.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield Line(number, "", f"is longer than {LONGEST_LINE:,} bytes")
            continue
        try:
            yield Line(number, line.decode(encoding))
        except UnicodeDecodeError as error:
            hint = "save the file as UTF-8, or say --encoding (cp1252, for example)"
            yield Line(number, "", f"is not in {encoding.upper()}: byte {error.start + 1} is 0x{error.object[error.start]:02x}; {hint}")


def _decoded(text: io.TextIOWrapper, encoding: str) -> Iterator[Line]:
    number = 0
    try:
        while line := text.readline(LONGEST_LINE):
            number += 1
            yield Line(number, line if number > 1 else line.removeprefix("\ufeff"))  # the mark, which utf-16-le and its like leave in
    except UnicodeError as error:
        yield Line(number + 1, "", f"is not {encoding.upper()}, nor is what follows: {error}")
    finally:
        text.detach()  # whoever opened the file closes it
