"""Build: from sources to a release.

One function, :func:`build`, and one module per step: ``read`` parses the files, ``validation`` checks the merge,
``write`` writes the release directory and switches ``current`` to it.
"""

from .run import BuildRefused, Built, build

__all__ = ["BuildRefused", "Built", "build"]
