"""Artifacts: lists with all that can be shown, in one statement each, and one artifact by tag or digest."""

import json
from datetime import datetime
from typing import Any

import pytest

from app.access import Role
from tests.conformance.content import (
    EMPTY,
    INDEX,
    MANIFEST,
    Content,
    Kind,
    image,
    index,
    unique,
)
from tests.management.client import Caller
from tests.management.conftest import MakeUser, Project
from tests.management.content import digests, fresh_image, immutable_rule, path_of, pusher

ADDITIONS = "/api/v2.0{path}/additions/{name}"


def tag_of(shown: Any, name: str) -> dict[str, Any]:
    """The only tag of an artifact that was never pulled."""
    tag = shown["tags"][0]
    assert datetime.fromisoformat(tag["push_time"]).tzinfo
    return {
        "id": tag["id"],
        "repository_id": shown["repository_id"],
        "artifact_id": shown["id"],
        "name": name,
        "push_time": tag["push_time"],
        "pull_time": "0001-01-01T00:00:00Z",
        "immutable": False,
    }


async def test_artifact_is_shown_as_harbor_shows_it(admin: Caller, project: Project) -> None:
    name = f"{project.name}/team/app"
    pushed = fresh_image(annotations={"org.example": "\ud83d\ude00"})
    digest = await pusher(admin, name).push(pushed, "v1")
    path = path_of(name, digest)
    shown = (await admin.get(path)).json
    assert shown == {
        "id": shown["id"],
        "type": "IMAGE",
        "media_type": "application/vnd.oci.image.config.v1+json",
        "manifest_media_type": MANIFEST,
        "artifact_type": "application/vnd.oci.image.config.v1+json",
        "project_id": project.id,
        "repository_id": shown["repository_id"],
        "repository_name": name,
        "digest": digest,
        "size": len(pushed.body) + sum(map(len, pushed.blobs)),
        "icon": "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06",
        "push_time": shown["push_time"],
        "pull_time": "0001-01-01T00:00:00Z",
        "annotations": {"org.example": "\U0001f600"},
        "references": None,
        "tags": [tag_of(shown, "v1")],
        "addition_links": {
            "build_history": {"href": ADDITIONS.format(path=path, name="build_history"), "absolute": False}
        },
        "labels": None,
        "accessories": None,
    }
    assert (await admin.get(path_of(name, "v1"))).json == shown
    listed = await admin.get(path_of(name) + "/artifacts")
    assert (listed.json, listed.total) == ([shown], 1)


@pytest.mark.parametrize("encoded", ["team%252Fapp", "team%2Fapp"])
async def test_slash_in_a_name_is_encoded_twice_or_once(
    admin: Caller, project: Project, encoded: str
) -> None:
    digest = await pusher(admin, f"{project.name}/team/app").push(fresh_image(), "v1")
    answer = await admin.get(f"/projects/{project.name}/repositories/{encoded}/artifacts/v1")
    assert answer.json["digest"] == digest


async def test_index_shows_its_members_and_their_size(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    members = [fresh_image(), fresh_image()]
    digest = await pusher(admin, name).push(index(members), "v1")
    shown = (await admin.get(path_of(name, "v1"))).json
    amd64 = (await admin.get(path_of(name, members[0].digest))).json
    assert (shown["type"], shown["media_type"], shown["artifact_type"]) == ("IMAGE", INDEX, "")
    assert shown["references"][0] == {
        "parent_id": shown["id"],
        "child_id": amd64["id"],
        "child_digest": members[0].digest,
        "platform": {"architecture": "amd64", "os": "linux"},
        "annotations": None,
        "urls": None,
    }
    assert [entry["platform"]["architecture"] for entry in shown["references"]] == ["amd64", "arm64"]
    blobs = sum(len(blob) for member in members for blob in member.blobs)
    assert shown["size"] == blobs + sum(len(member.body) for member in members) + len(index(members).body)
    listed = await admin.get(path_of(name) + "/artifacts")
    assert (digests(listed), listed.total) == ([digest], 1), "members without a tag are left out"
    everything = await admin.get(path_of(name) + "/artifacts", q="base=*")
    assert everything.total == 3


async def test_tagged_member_of_an_index_is_listed(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    member = fresh_image()
    await pusher(admin, name).push(index([member]), "v1")
    await pusher(admin, name).put_tag(member, "amd64")
    assert member.digest in digests(await admin.get(path_of(name) + "/artifacts"))


async def test_members_that_no_list_can_read_are_shown_by_digest(admin: Caller, project: Project) -> None:
    member = fresh_image()
    entry = {**member.descriptor(), "platform": "not a platform", "annotations": {"a": "\ud800"}}
    odd = Content(
        json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode(),
        INDEX,
        children=(member,),
    )
    await pusher(admin, f"{project.name}/app").push(odd, "v1")
    shown = (await admin.get(path_of(f"{project.name}/app", "v1"))).json
    assert [entry["child_digest"] for entry in shown["references"]] == [member.digest]
    assert shown["references"][0]["platform"] is None


async def test_what_large_manifests_say_is_shown_one_at_a_time(admin: Caller, project: Project) -> None:
    notes = {"note": "x" * 100_000}
    member = fresh_image(annotations=notes)
    listed = index([member], annotations=notes)
    name = f"{project.name}/app"
    repository = pusher(admin, name)
    await repository.push(listed, "v1")
    shown = (await admin.get(path_of(name) + "/artifacts", q="base=*")).json
    assert [(one.get("annotations"), one.get("references")) for one in shown] == [(None, None)] * 2
    for content, references in ((member, None), (listed, [member.digest])):
        one = (await admin.get(path_of(name, content.digest))).json
        assert one["annotations"] == notes
        assert references == (one["references"] and [entry["child_digest"] for entry in one["references"]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"artifactType": "application/vnd.goharbor.harbor.sbom.v1"}, "SBOM"),
        ({"artifactType": "application/vnd.acme.rocket.config.v1+json"}, "ROCKET"),
        ({"artifactType": "text/plain"}, "UNKNOWN"),
        ({"annotations": {"run.oci.handler": "wasm"}}, "WASM"),
        ({"config": "application/vnd.cncf.helm.config.v1+json"}, "CHART"),
        ({"config": "application/vnd.acme.rego.config.v1+json"}, "REGO"),
    ],
)
async def test_type_is_read_off_the_media_types(
    admin: Caller, project: Project, kind: dict[str, Any], expected: str
) -> None:
    name = f"{project.name}/app"
    kind = {**kind}
    types = Kind(config=kind.pop("config", EMPTY))
    await pusher(admin, name).push(image([unique()], kind=types, config=b"{}", **kind), "v1")
    assert (await admin.get(path_of(name, "v1"))).json["type"] == expected
    assert (await admin.get(path_of(name) + "/artifacts", q=f"type={expected}")).total == 1
    assert (await admin.get(path_of(name) + "/artifacts", q="type=OTHER")).total == 0


async def test_artifacts_are_found_by_tags_and_times(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    listed = path_of(name) + "/artifacts"
    first, second, untagged = [
        await pusher(admin, name).push(fresh_image(), *tags) for tags in (["v1", "old_1"], ["v2"], [])
    ]
    assert digests(await admin.get(listed)) == [untagged, second, first]
    assert digests(await admin.get(listed, sort="push_time", page_size=1)) == [first]
    assert digests(await admin.get(listed, q="tags=*")) == [second, first]
    assert digests(await admin.get(listed, q="tags=nil")) == [untagged]
    assert digests(await admin.get(listed, q="tags=v2")) == [second]
    assert digests(await admin.get(listed, q="tags=~ld_")) == [first]
    assert digests(await admin.get(listed, q="tags=~%25")) == []
    assert digests(await admin.get(listed, q=f"digest={first}")) == [first]
    pushed_at = (await admin.get(path_of(name, second))).json["push_time"]
    assert digests(await admin.get(listed, q=f"push_time=[{pushed_at[:26]}~]")) == [untagged, second]
    assert digests(await admin.get(listed, page=3, page_size=1)) == [first]
    beyond = await admin.get(listed, page=4, page_size=1)
    assert (beyond.json, beyond.total) == ([], 3)


@pytest.mark.parametrize(
    ("q", "status"),
    [
        ("tags=~%' OR 1=1", 200),
        ("type=IMAGE' OR '1'='1", 200),
        ("tags={v1 v2}", 400),
        ("labels=5", 400),
        ("labels=(one)", 400),
        ("base=~*", 400),
        ("base=all", 400),
        ("push_time=yesterday", 400),
        ("size=99999999999999999999", 400),
        ("latest=nonsense,unheard=of", 200),
    ],
)
async def test_odd_queries_find_nothing_more(admin: Caller, project: Project, q: str, status: int) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    answer = await admin.get(path_of(name) + "/artifacts", q=q)
    assert answer.status == status
    if status == 200:
        assert answer.total == (1 if "unheard" in q else 0)


async def test_artifacts_of_a_project_or_the_latest_of_each_repository(
    admin: Caller, project: Project
) -> None:
    pushed = {}
    for repository in ("one", "two/three"):
        for tag in ("v1", "v2"):
            pushed[repository, tag] = await pusher(admin, f"{project.name}/{repository}").push(
                fresh_image(), tag
            )
    everything = await admin.get(f"/projects/{project.id}/artifacts")
    assert sorted(digests(everything)) == sorted(pushed.values())
    latest = await admin.get(f"/projects/{project.name}/artifacts", latest_in_repository="true")
    assert sorted(digests(latest)) == sorted([pushed["one", "v2"], pushed["two/three", "v2"]])
    named = await admin.get(f"/projects/{project.id}/artifacts", q=f"repository_name={project.name}/one")
    assert named.total == 2


async def test_immutable_tags_are_marked_where_that_is_asked_for(admin: Caller, project: Project) -> None:
    name = f"{project.name}/team/app"
    await pusher(admin, name).push(fresh_image(), "v1", "latest")
    made = await admin.post(f"{project.path}/immutabletagrules", immutable_rule("v*", "team/*"))
    assert made.status == 201
    for path in (path_of(name, "v1"), path_of(name) + "/artifacts", f"{project.path}/artifacts"):
        for flag, expected in (("true", {"v1": True, "latest": False}), ("false", {})):
            shown = (await admin.get(path, with_immutable_status=flag)).json
            tags = (shown if isinstance(shown, dict) else shown[0])["tags"]
            assert {tag["name"]: tag["immutable"] for tag in tags} == {
                "v1": False,
                "latest": False,
                **expected,
            }
    listed = (await admin.get(path_of(name, "v1") + "/tags", with_immutable_status="true")).json
    assert {tag["name"]: tag["immutable"] for tag in listed} == {"v1": True, "latest": False}


@pytest.mark.parametrize("reference", ["v9", "sha256:" + "0" * 64])
async def test_what_is_not_there_is_not_found(admin: Caller, project: Project, reference: str) -> None:
    name = f"{project.name}/app"
    assert (await admin.get(path_of(name, reference))).status == 404
    assert (await admin.get(path_of(name) + "/artifacts")).status == 404
    await pusher(admin, name).push(fresh_image(), "v1")
    for below in ("", "/tags", "/accessories"):
        answer = await admin.get(path_of(name, reference) + below)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize("reference", ["sha256:short", "md5:" + "0" * 32, "-tag", "x" * 129])
async def test_what_cannot_be_a_reference_is_refused(admin: Caller, project: Project, reference: str) -> None:
    assert (await admin.get(path_of(f"{project.name}/app", reference))).status == 400


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_reads(project: Project, admin: Caller, make_user: MakeUser, role: Role) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    member = await make_user(role)
    for path in ("/artifacts", "/artifacts/v1", "/artifacts/v1/tags", "/artifacts/v1/accessories"):
        assert (await member.get(path_of(name) + path)).status == 200


async def test_stranger_cannot_tell_what_is_private_from_what_is_missing(
    admin: Caller, project: Project, public_project: Project, stranger: Caller, make_user: MakeUser
) -> None:
    await pusher(admin, f"{project.name}/app").push(fresh_image(), "v1")
    await pusher(admin, f"{public_project.name}/app").push(fresh_image(), "v1")
    for caller in (stranger, await make_user()):
        real = await caller.get(path_of(f"{project.name}/app", "v1"))
        missing = await caller.get(path_of(f"{project.name}-not/app", "v1"))
        nothing = await caller.get(path_of(f"{project.name}/nothing", "v1"))
        assert real.json == missing.json == nothing.json
        assert real.status == missing.status == nothing.status == (403 if caller.username else 401)
        assert (await caller.get(path_of(f"{public_project.name}/app", "v1"))).status == 200
