"""Requests made from the API's own description find no server error and no answer that is not described."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from aiohttp import encode_basic_auth
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.main import ROUTES
from app.openapi.document import describe
from tests.support.roadstead import UNMEASURED, RunningRoadstead, roadstead_up

pytestmark = pytest.mark.slow

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 12


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRoadstead]:
    data = tmp_path_factory.mktemp("examined") / "data"
    with roadstead_up(data, ROADSTEAD_PROCESSES="1", **UNMEASURED) as running:
        yield running


described = schemathesis.openapi.from_dict(describe(ROUTES, version="tests"))


@described.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_endpoint_answers_as_it_is_described(case: "Case[Any]", up: RunningRoadstead) -> None:
    if isinstance(case.body, dict):
        case.body.pop("read_only", None)  # every change after it would only be refused
    headers = {"Authorization": encode_basic_auth("admin", up.password)}
    case.call_and_validate(base_url=f"http://{up.address}", headers=headers, checks=CHECKS, timeout=30)
