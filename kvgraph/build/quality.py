"""How complete the records of a release are, measured with the release itself and kept in it.

The criteria of a complete record are data (``ontology/lists/criterion.ttl``), the two questions ``completeness`` and ``complete-records`` count
with them, and what they count is written here in the Data Quality Vocabulary (W3C Working Group Note, 15 December 2016): each criterion is a
``dqv:Metric``, each kind of record a data set measured, each share a ``dqv:QualityMeasurement``.
"""

from collections.abc import Iterator

import pyoxigraph as ox

from .. import queries
from ..namespaces import DCTERMS, DQV, GRAPH, ID, KV, RDF, VOID
from ..store import Embedded
from .rdf import describe, english, typed

GRAPH_OF_QUALITY = GRAPH + "quality"
COMPLETENESS = "http://www.w3.org/2016/05/ldqd#completeness"
COMPLETE = GRAPH_OF_QUALITY + "#complete"  # the metric that takes all criteria of a kind together


def quality(store: ox.Store) -> Iterator[ox.Triple]:
    """The triples of the graph ``graph/quality``: a measurement for each criterion and kind of record, and one for all its criteria.

    The value is the share of records that meet the criterion, from 0 to 1.
    """
    yield from describe(
        COMPLETE,
        (RDF + "type", DQV + "Metric"),
        (DCTERMS + "title", english("Complete records")),
        (DCTERMS + "description", english("Share of records that meet every criterion of their kind.")),
        (DQV + "inDimension", COMPLETENESS),
    )
    engine = Embedded(store)
    for row in engine.select(queries.load("completeness").bind()):
        yield from _measurement(row["class"], row["criterion"].value, row["meeting"], row["records"])
    for row in engine.select(queries.load("complete-records").bind()):
        yield from _measurement(row["class"], COMPLETE, row["complete"], row["records"])


def _measurement(of: ox.NamedNode, metric: str, meeting: ox.Literal, records: ox.Literal) -> Iterator[ox.Triple]:
    kind = of.value.removeprefix(KV)
    data_set = f"{GRAPH_OF_QUALITY}#{kind}"
    share = int(meeting.value) / int(records.value)
    yield from describe(
        f"{data_set}-{metric.rpartition('/')[2].rpartition('#')[2]}",
        (RDF + "type", DQV + "QualityMeasurement"),
        (DQV + "isMeasurementOf", metric),
        (DQV + "computedOn", data_set),
        (DQV + "value", typed(f"{share:.4f}", "decimal")),
    )
    yield from describe(
        data_set,
        (RDF + "type", VOID + "Dataset"),
        (VOID + "class", of.value),
        (VOID + "entities", int(records.value)),
        (DCTERMS + "isPartOf", ID + "dataset/kvgraph"),
    )
