"""Which way imports may go: lower rows know nothing of higher rows (README, "Inside kvgraph")."""

import ast
from pathlib import Path

import kvgraph

PACKAGE = Path(kvgraph.__file__).parent

# Highest first. A module may import from its own row and from any row below.
ROWS = [
    ["__main__"],
    ["cli"],
    ["output", "doctor"],
    ["serve"],
    ["server"],
    ["build", "contribute", "export", "push"],
    ["gathering"],
    ["graph"],
    ["sources", "store", "search", "search_facets", "search_index", "search_snippets", "search_values", "connections", "connection_parts", "connection_index", "connection_groups", "connection_network", "layout", "regions", "region_index", "shortest_paths", "similarity", "entities", "validate", "links", "link", "identifiers", "reconciliation", "tables", "releases", "changes", "event_stream", "results"],
    ["queries", "params", "formats", "spreadsheet"],
    ["model"],
    ["namespaces", "errors", "resources", "logs"],
]
ROW = {name: number for number, row in enumerate(ROWS) for name in row}


def imports_of(path: Path) -> set[str]:
    """The top-level parts of kvgraph that a module imports, wherever in the module it does."""
    inside = path.relative_to(PACKAGE).with_suffix("").parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = list(inside[: len(inside) - node.level]) if node.level else []
            dotted = base + (node.module or "").split(".") if node.module else base
            if not node.level:
                if dotted[:1] != ["kvgraph"]:
                    continue
                dotted = dotted[1:]
            found |= {dotted[0]} if dotted and dotted[0] else {a.name for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("kvgraph.")}
    return found & ROW.keys()


def modules() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p.parent.name != "_resources" and p != PACKAGE / "__init__.py"]


def test_every_module_has_a_row():
    assert {p.relative_to(PACKAGE).with_suffix("").parts[0] for p in modules()} == ROW.keys()


def test_lower_rows_know_nothing_of_higher_rows():
    upward = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in modules()
        for name in imports_of(path)
        if ROW[name] < ROW[path.relative_to(PACKAGE).with_suffix("").parts[0]]
    ]
    assert upward == []


def test_the_check_sees_imports():
    assert {"store", "queries", "search"} <= imports_of(PACKAGE / "graph.py")


def test_sparql_text_lives_in_queries_only():
    """No string of ours looks like a query; docstrings may show one."""
    guilty = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and node.body and isinstance(node.body[0], ast.Expr)
        }  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                text = node.value.upper()
                if "{" in text and "?" in text and any(w in text for w in ("SELECT ", "CONSTRUCT ", "ASK {")):
                    guilty.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    # The example in the help of `kvgraph query` is meant to be read, not run.
    assert [g for g in guilty if not g.startswith("cli/asking.py")] == []
