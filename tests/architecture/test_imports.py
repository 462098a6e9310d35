"""Imports keep to the declared order of the house and to the shape of a slice."""

import grimp
import pytest
from importlinter import cli

from tests.architecture import slices
from tests.architecture.source import ROOT

SLICE = [
    "app.blobs",
    "app.blobs.routes",
    "app.blobs.uploads",
    "app.blobs.links",
    "app.blobs.store",
    "app.blobs.model",
]
OTHERS = [
    "app",
    "app.main",
    "app.db",
    "app.db.database",
    "app.tags",
    "app.tags.routes",
    "workers",
    "workers.uploads",
]


def test_imports_keep_to_the_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = cli.lint_imports(str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert exit_code == 0, f"see [tool.importlinter] in pyproject.toml\n{capsys.readouterr().out}"


def test_every_slice_has_the_shape_of_a_slice() -> None:
    graph = grimp.build_graph("app", "workers", "cli", include_external_packages=True, cache_dir=None)
    broken = slices.violations(graph)
    assert not broken, "\n" + "\n".join(broken)


def graph_of(importer: str, imported: str) -> grimp.ImportGraph:
    graph = grimp.ImportGraph()
    for module in (*SLICE, *OTHERS):
        graph.add_module(module)
    graph.add_module("aiohttp", is_squashed=True)
    graph.add_import(
        importer="app.db.database", imported="aiohttp", line_number=3, line_contents="import aiohttp"
    )
    graph.add_import(importer=importer, imported=imported, line_number=7, line_contents="")
    return graph


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("app.blobs.store", "app.blobs.uploads"),
        ("app.blobs.uploads", "app.blobs.routes"),
        ("app.blobs.model", "app.blobs.store"),
        ("app.tags.routes", "app.blobs.store"),
        ("workers.uploads", "app.blobs.store"),
        ("app.tags.routes", "app.blobs.routes"),
        ("app.blobs.store", "app.db.database"),
        ("app.blobs.model", "aiohttp"),
    ],
)
def test_an_import_against_the_shape_is_found(importer: str, imported: str) -> None:
    (violation,) = slices.violations(graph_of(importer, imported))
    assert violation.startswith(f"{importer.replace('.', '/')}.py:7: ")


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("app.main", "app.blobs.routes"),
        ("app.blobs.routes", "app.blobs.store"),
        ("app.blobs.uploads", "app.blobs.links"),
        ("app.blobs.uploads", "app.blobs.store"),
        ("app.blobs.store", "app.blobs.model"),
        ("app.blobs", "app.blobs.uploads"),
        ("workers.uploads", "app.blobs.uploads"),
        ("app.tags.routes", "app.blobs.model"),
    ],
)
def test_an_import_that_fits_the_shape_passes(importer: str, imported: str) -> None:
    assert slices.violations(graph_of(importer, imported)) == []
