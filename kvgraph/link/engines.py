"""Where linking runs: DuckDB in this process, or Spark on as many machines as it is given."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from ..errors import KvgraphError
from . import candidates
from .model import COLUMNS, Model
from .rows import Side

FOUND = 8  # organisations that are kept for each one asked for
_PARTITION = 200_000  # rows of a table that one worker of Spark takes at a time


class DuckDB:
    """Splink on DuckDB."""

    def __init__(self):
        import duckdb

        self.connection = duckdb.connect()

    def begin(self) -> None:
        """For another comparison, with another register: Splink takes a name for a table once only."""
        from splink import DuckDBAPI

        self.api = DuckDBAPI(self.connection)

    def put(self, name: str, table: pa.Table) -> None:
        """A table under a name."""
        self.connection.register(f"{name}_arrow", table)
        self.make(name, f"SELECT * FROM {name}_arrow")

    def make(self, name: str, query: str) -> None:
        """The answer of a query as a table."""
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS {query}")

    def fetch(self, query: str) -> pa.Table:
        """The answer of a query."""
        return self.connection.sql(query).to_arrow_table()

    def close(self) -> None:
        self.connection.close()


class Spark:
    """Splink on Spark. ``master`` is as Spark has it: ``spark://host:7077``, ``local[2]``, ``local-cluster[2,1,2048]`` …

    Memory of the workers and the like are Spark's own settings (``spark-defaults.conf`` in ``$SPARK_CONF_DIR``).
    """

    def __init__(self, master: str = "local[*]"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.session = _session(master)
        self.parts = 1

    def begin(self) -> None:
        """For another comparison, with another register: Splink takes a name for a table once only."""
        from splink import SparkAPI

        self.api = SparkAPI(spark_session=self.session, break_lineage_method="persist")

    def put(self, name: str, table: pa.Table) -> None:
        """A table under a name. The largest says in how many parts all are: Spark's own 200 are too many for one machine and too few for many."""
        self.parts = max(self.parts, self.session.sparkContext.defaultParallelism, table.num_rows // _PARTITION)
        self.session.conf.set("spark.sql.shuffle.partitions", self.parts)
        self.api.num_partitions_on_repartition = self.parts
        self._keep(name, self.session.createDataFrame(table).repartition(self.parts))

    def make(self, name: str, query: str) -> None:
        """The answer of a query as a table."""
        self._keep(name, self.session.sql(query))

    def _keep(self, name: str, answer) -> None:
        """Works an answer out at once and forgets how: a plan that is only kept for later is planned anew, whole, wherever its table is used."""
        answer.localCheckpoint().createOrReplaceTempView(name)

    def fetch(self, query: str) -> pa.Table:
        """The answer of a query."""
        return self.session.sql(query).toArrow()

    def close(self) -> None:
        self.session.stop()


def _session(master: str):
    """A session of Spark. Raises :class:`KvgraphError` where Spark or Java is missing."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
        from splink.backends.spark import similarity_jar_location
    except ImportError:
        raise KvgraphError("Spark is not installed.", hint="Run: pip install 'kvgraph[spark]'; it needs Java 17 or newer.") from None
    try:
        return (
            SparkSession.builder.master(master).appName("kvgraph link").config("spark.jars", similarity_jar_location())
            .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.execution.arrow.pyspark.enabled", "true").config("spark.log.level", "ERROR").getOrCreate()
        )  # fmt: skip
    except (PySparkException, OSError) as error:
        raise KvgraphError("Spark does not start.", hint=f"It needs Java 17 or newer: is there a java, or JAVA_HOME? Spark says: {str(error)[:200]}") from None


Engine = DuckDB | Spark


@contextmanager
def engine(name: str, master: str | None = None) -> Iterator[Engine]:
    """An engine by its name, closed in the end. Raises :class:`KvgraphError` where it is not installed."""
    made = DuckDB() if name == "duckdb" else Spark(master) if master else Spark()
    try:
        yield made
    finally:
        made.close()


def score(made: Engine, left: Side, right: Side, model: Model, most: int = FOUND) -> pa.Table:
    """For each organisation asked for the best candidates, with how they agree: ``record_l``, ``record_r``, ``weight`` (log2 of the odds), levels."""
    predictions = compare(made, left, right, model)
    return made.fetch(candidates.BEST.format(predictions=predictions, columns=", ".join((*COLUMNS, "weight")), most=most))


def compare(made: Engine, left: Side, right: Side, model: Model) -> str:
    """The name of a table of all candidates, by each of their names, with how they agree."""
    from splink import Linker

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.begin()
        made.put("asked", left.rows)
        made.put("asked_words", left.words)
        made.put("known", right.rows)
        made.put("known_words", right.words)
        made.put("known_parents", right.parents)
        for name in ("candidates", "pairs"):
            made.make(name, getattr(candidates, name.upper()))
        made.make("known_rows", candidates.KNOWN)
        made.make("blocked", candidates.BLOCKED)
        register = made.api.register
        tables = [register("pairs", dataset_display_name="asked"), register("known_rows", dataset_display_name="known")]
        logging.getLogger("splink").setLevel(logging.ERROR)
        linker = Linker(tables, model.settings(), log_level=None, validate_settings=False)
        linker.table_management.register_blocked_pairs_for_predict(register("blocked", table_name="blocked_pairs"))
        return linker.inference.predict(warning_mode="never").physical_name
