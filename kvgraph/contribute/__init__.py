"""Take submissions: accounts, drafts, review, and the files that accepted contributions become.

``book`` is the database ``$KVGRAPH_HOME/app.db``; ``accounts`` says who somebody is, and ``attempts`` how often they may; ``fields`` reads the shapes as a
form; ``record`` is what somebody submits, and ``reading`` takes it from a file, by way of ``parsing`` (RDF) or ``tables``; ``checks`` validates it;
``submissions`` is its way from draft to published, on which curators make ``decisions``; ``files`` writes what was accepted as TriG, and ``publish`` makes
it the next release.
"""
