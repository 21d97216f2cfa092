"""The table of organisations that an import leaves for linking and reconciliation: ``organisations.parquet``."""

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .record import Organisation

FILE = "organisations.parquet"
_TEXT = pa.string()
SCHEMA = pa.schema(
    [
        ("iri", _TEXT),
        ("names", pa.list_(pa.struct([("value", _TEXT), ("lang", _TEXT), ("kind", _TEXT)]))),
        ("country", _TEXT),
        ("place", _TEXT),
        ("nuts", _TEXT),
        ("homepage", _TEXT),
        ("kind", _TEXT),
        ("identifiers", pa.list_(_TEXT)),
        ("parents", pa.list_(_TEXT)),
    ]
)
_BATCH = 10_000  # rows held in memory


class Writer:
    """Writes organisations as they come; ``count`` says how many. A file appears with the first of them."""

    def __init__(self, folder: Path):
        self.path, self.count = folder / FILE, 0
        self._rows: list[dict] = []
        self._file: pq.ParquetWriter | None = None

    def add(self, organisation: Organisation) -> None:
        self._rows.append(asdict(organisation))
        self.count += 1
        if len(self._rows) >= _BATCH:
            self._flush()

    def close(self) -> None:
        self._flush()
        if self._file:
            self._file.close()

    def _flush(self) -> None:
        if not self._rows:
            return
        self._file = self._file or pq.ParquetWriter(self.path, SCHEMA, compression="zstd")
        self._file.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
        self._rows.clear()
