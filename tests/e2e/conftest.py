"""Ids of the tests that schemathesis makes."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Names the endpoint in the id: pytest 9.2 makes ids itself, and schemathesis 4.32 does not tell it."""
    if endpoint := getattr(item, "operation_label", None):
        item._id = item.id.with_params(endpoint)
