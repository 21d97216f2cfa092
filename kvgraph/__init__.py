"""kvgraph: how Europe turns research results into solutions for society, as a knowledge graph.

:func:`open` gives the current release as a :class:`Graph`, which answers questions and SPARQL, searches, reconciles and connects.

    import kvgraph

    graph = kvgraph.open()
    graph.run("practices-per-country").to_pandas()
"""

__version__ = "0.1.0"

__all__ = ["Graph", "open"]


def __getattr__(name: str):
    # Imported when first used: the command line and an unchanged build need neither the engine nor the indexes.
    if name in __all__:
        from . import graph

        return getattr(graph, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
