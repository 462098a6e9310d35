"""The shape of a slice, read off the graph of imports.

The order of the slices among themselves stands in pyproject.toml for import-linter; what holds inside of
every slice, also of one added tomorrow, stands here.
"""

from collections.abc import Iterator

from grimp import ImportGraph

PLATFORM = frozenset({"access", "db", "events", "harbor", "http", "jobs", "oci", "storage"})

# Each kind of module may import those of lower rank; what is not named here is a use case. A slice may have
# several of a kind: `upload_routes.py` beside `routes.py`.
_RANKS = {"routes": 3, "store": 1, "schemas": 1, "model": 0}
_USE_CASE = 2


def slices(graph: ImportGraph) -> list[str]:
    """List the packages of the app that are slices."""
    packages = [module for module in sorted(graph.find_children("app")) if graph.find_children(module)]
    return [package for package in packages if package.rpartition(".")[2] not in PLATFORM]


def violations(graph: ImportGraph) -> list[str]:
    """Say which import of which file goes against the shape of its slice, and the remedy."""
    return [violation for package in slices(graph) for violation in _of_slice(graph, package)]


def _of_slice(graph: ImportGraph, package: str) -> Iterator[str]:
    for imported in sorted(graph.find_children(package)):
        for importer in sorted(graph.find_modules_that_directly_import(imported)):
            if reason := _reason(importer, imported, package):
                yield f"{_place(graph, importer, imported)}: {importer} imports {imported}. {reason}"
        if _kind(imported) in {"store", "model"} and "aiohttp" in graph.find_upstream_modules(imported):
            chain = graph.find_shortest_chain(imported, "aiohttp") or (imported, "aiohttp")
            place = _place(graph, chain[0], chain[1])
            yield f"{place}: {' > '.join(chain)}. A {_kind(imported)} does not know HTTP"


def _reason(importer: str, imported: str, package: str) -> str:
    is_own = importer == package or importer.startswith(f"{package}.")
    match _kind(imported):
        case "store" if not is_own:
            return f"A store is private to its slice: call a use case of {package}, or add one"
        case "routes" if not is_own and importer != "app.main":
            return "Routes are for app.main to mount; what both need is a use case"
    if is_own and importer != package and not _is_downwards(_rank(importer), _rank(imported)):
        return "Inside a slice: routes > use cases > store, schemas > model"
    return ""


def _is_downwards(importer: int, imported: int) -> bool:
    return importer > imported or importer == imported == _USE_CASE


def _kind(module: str) -> str:
    return module.split(".")[2].rpartition("_")[2]


def _rank(module: str) -> int:
    return _RANKS.get(_kind(module), _USE_CASE)


def _place(graph: ImportGraph, importer: str, imported: str) -> str:
    details = graph.get_import_details(importer=importer, imported=imported)
    return f"{importer.replace('.', '/')}.py:{details[0]['line_number'] if details else 1}"
