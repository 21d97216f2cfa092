"""The fast SHACL engine, which validates every build, finds in the bundled data exactly what pyshacl, the reference, finds."""

import gzip

import pyoxigraph as ox

from kvgraph.releases import current
from kvgraph.validate import fast, validate


def test_the_engines_agree_on_the_bundled_data(bundled_home, tmp_path):
    with gzip.open(current(bundled_home).nquads) as file:
        merge = [quad.triple for quad in ox.parse(file, format=ox.RdfFormat.N_QUADS) if isinstance(quad.graph_name, ox.DefaultGraph)]
    data = tmp_path / "merge.nt"
    data.write_bytes(ox.serialize(merge, format=ox.RdfFormat.N_TRIPLES))
    found = fast(data).results
    assert found == validate(merge).results
    assert len(found) > 500
