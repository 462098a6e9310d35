"""The description of the API is valid, whole, and can be browsed."""

import re

from openapi_spec_validator import validate

from app.main import ROUTES
from tests.management.client import API, Caller

PLACE = re.compile(r":[^{}]*}")


async def test_document_is_valid_and_has_every_endpoint(stranger: Caller) -> None:
    document = (await stranger.get("/openapi.json")).json
    validate(document)
    described = {
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    }
    routes = {
        f"{route.method} {PLACE.sub('}', route.path)}"
        for route in ROUTES
        if route.path.startswith(API) or route.shown
    }
    assert described == routes - {f"GET {API}/openapi.json", f"GET {API}/docs"}


async def test_operations_have_names_of_their_own(stranger: Caller) -> None:
    document = (await stranger.get("/openapi.json")).json
    names = [
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    ]
    assert sorted(names) == sorted(set(names))


async def test_an_answer_without_a_body_is_described_without_one(stranger: Caller) -> None:
    paths = (await stranger.get("/openapi.json")).json["paths"]
    made = paths[f"{API}/projects"]["post"]["responses"]["201"]
    assert "content" not in made
    assert "Location" in made["headers"]


async def test_list_of_members_is_described(stranger: Caller) -> None:
    document = (await stranger.get("/openapi.json")).json
    operation = document["paths"][f"{API}/projects/{{project_name_or_id}}/members"]["get"]
    assert [(parameter["name"], parameter["in"]) for parameter in operation["parameters"]] == [
        ("project_name_or_id", "path"),
        ("X-Is-Resource-Name", "header"),
        ("page", "query"),
        ("page_size", "query"),
        ("q", "query"),
        ("sort", "query"),
        ("entityname", "query"),
    ]
    assert set(operation["responses"]) == {"200", "400", "401", "403", "404", "422", "429", "503"}
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"type": "array", "items": {"$ref": "#/components/schemas/ProjectMemberEntity"}}
    assert operation["x-permission"] == "member:list"


async def test_what_is_made_has_a_body_only_where_a_client_has_to_see_one(stranger: Caller) -> None:
    paths = (await stranger.get("/openapi.json")).json["paths"]
    robot = paths[f"{API}/robots"]["post"]["responses"]["201"]
    assert robot["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/RobotCreated"}
    assert "content" not in paths[f"{API}/projects"]["post"]["responses"]["201"]


async def test_signed_urls_for_uploads_are_described(stranger: Caller) -> None:
    document = (await stranger.get("/openapi.json")).json
    operation = document["paths"]["/v2/{name}/blobs/uploads/{upload_id}"]["get"]
    assert [parameter["name"] for parameter in operation["parameters"]] == [
        *("name", "upload_id"),
        *("presigned", "list_parts", "part_number", "parts", "digest", "size"),
    ]
    assert set(operation["responses"]) == {
        *("200", "202", "204"),
        *("400", "401", "403", "404", "410", "429", "503"),
    }
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["oneOf"] == [
        {"$ref": f"#/components/schemas/{name}"} for name in ("SignedUpload", "SignedParts", "UploadedParts")
    ]
    shown = document["components"]["schemas"]
    assert list(shown["SignedUpload"]["properties"]) == ["presigned_url", "expires_at", "headers"]
    assert shown["SignedParts"]["properties"]["parts"]["items"] == {
        "$ref": "#/components/schemas/PresignedPart"
    }


async def test_page_shows_every_operation_and_runs_nothing(stranger: Caller) -> None:
    document = (await stranger.get("/openapi.json")).json
    page = await stranger.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for methods in document["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page.json
    assert "<script" not in page.json
