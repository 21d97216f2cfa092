"""``python -m kvgraph``: the command line."""

from .cli import main

main(prog_name="kvgraph")
