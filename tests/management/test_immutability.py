"""Immutable tags: the rules in Harbor's API, and what they keep from happening."""

import asyncio
from time import process_time
from typing import Any

import pytest

from app.access import Role
from app.db import SQL
from app.harbor.doublestar import BadPattern, matches, parse
from app.immutability.model import ScopeSelector, Selectors, TagSelector, is_immutable
from app.oci.names import RepositoryName
from tests.conformance.client import Repository, open_repository
from tests.conformance.content import image, unique
from tests.management.client import Caller
from tests.management.conftest import MakeUser, Project, make_project
from tests.support.registry import Registry

EVENTS = SQL("""
    SELECT type FROM outbox
    WHERE payload->>'project_name' = %(project)s AND type LIKE 'immutable%%' ORDER BY id
""")


def rule(tags: str = "v*", repositories: str = "**", **fields: Any) -> dict[str, Any]:
    return {
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags}],
        "scope_selectors": {
            "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": repositories}]
        },
        "action": "immutable",
        "template": "immutable_template",
        **fields,
    }


def path_of(project: Project) -> str:
    return f"{project.path}/immutabletagrules"


@pytest.fixture
async def repo(shared: Registry, project: Project) -> Repository:
    return await open_repository(shared, name=f"{project.name}/team/app")


async def test_rule_is_added_shown_changed_and_removed(
    admin: Caller, project: Project, shared: Registry
) -> None:
    made = await admin.post(path_of(project), rule())
    path = f"{path_of(project)}/{made.new_id}"
    assert made.headers["Location"] == f"/api/v2.0{path}"
    shown = await admin.get(path_of(project))
    assert shown.total == 1
    selector = {"pattern": "v*", "decoration": "matches", "kind": "doublestar", "extras": ""}
    scope = {"pattern": "**", "decoration": "repoMatches", "kind": "doublestar", "extras": ""}
    expected = {
        "id": made.new_id,
        "priority": 0,
        "disabled": False,
        "action": "immutable",
        "template": "immutable_template",
        "params": {},
        "tag_selectors": [selector],
        "scope_selectors": {"repository": [scope]},
    }
    assert shown.json == [expected]
    assert (await admin.put(path, {**expected, "disabled": True})).status == 200
    assert (await admin.get(path_of(project))).json == [{**expected, "disabled": True}]
    assert (await admin.delete(path)).status == 200
    assert (await admin.delete(path)).status == 404
    assert (await admin.put(path, rule())).status == 404
    assert (await admin.get(path_of(project))).json == []
    async with shared.resources.database.autocommit() as statements:
        events = await statements.values(EVENTS, project=project.name)
    assert events == [f"immutable-rule.{what}" for what in ("created", "updated", "deleted")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (rule("[a"), 400),
        (rule("{a,"), 400),
        (rule(repositories="\\"), 400),
        (rule(tags=""), 422),
        (rule(tags="a" * 256), 422),
        (rule(action="retain"), 422),
        (rule(template="other"), 422),
        (rule() | {"tag_selectors": []}, 422),
        (rule() | {"scope_selectors": {}}, 422),
        (rule() | {"tag_selectors": [{"decoration": "repoMatches", "pattern": "a"}]}, 422),
        (rule() | {"tag_selectors": [{"kind": "label", "pattern": "a"}]}, 422),
        ([], 422),
    ],
)
async def test_bad_rule_is_refused(admin: Caller, project: Project, body: object, status: int) -> None:
    assert (await admin.post(path_of(project), body)).status == status
    assert (await admin.get(path_of(project))).total == 0


async def test_same_rule_twice_is_a_conflict(admin: Caller, project: Project) -> None:
    first = (await admin.post(path_of(project), rule("a"))).new_id
    second = (await admin.post(path_of(project), rule("b"))).new_id
    assert (await admin.post(path_of(project), rule("a"))).status == 409
    assert (await admin.put(f"{path_of(project)}/{second}", rule("a"))).status == 409
    assert (await admin.put(f"{path_of(project)}/{first}", rule("a", disabled=True))).status == 200
    assert (await admin.put(f"{path_of(project)}/{first}", rule("a", id=second))).status == 400


async def test_sixteenth_rule_is_refused_also_when_many_come_at_once(admin: Caller, project: Project) -> None:
    answers = await asyncio.gather(*(admin.post(path_of(project), rule(f"v{n}")) for n in range(20)))
    assert sorted(answer.status for answer in answers) == [201] * 15 + [400] * 5
    assert (await admin.get(path_of(project))).total == 15


async def test_rule_of_another_project_is_not_there(
    admin: Caller, project: Project, shared: Registry
) -> None:
    other = await make_project(shared, is_public=False)
    rule_id = (await admin.post(path_of(other), rule())).new_id
    assert (await admin.put(f"{path_of(project)}/{rule_id}", rule())).status == 404
    assert (await admin.delete(f"{path_of(project)}/{rule_id}")).status == 404
    assert (await admin.get(path_of(other))).total == 1


async def test_developers_cannot_see_rules_and_maintainers_can_change_them(
    project: Project, make_user: MakeUser
) -> None:
    developer, maintainer = await make_user(Role.DEVELOPER), await make_user(Role.MAINTAINER)
    assert (await developer.get(path_of(project))).status == 403
    assert (await developer.post(path_of(project), rule())).status == 403
    assert (await maintainer.post(path_of(project), rule())).status == 201


async def test_immutable_tag_can_not_be_moved_or_deleted(
    admin: Caller, project: Project, repo: Repository
) -> None:
    old, new = image([unique()]), image([unique()])
    await repo.push(old, "v1", "latest")
    await repo.push(new)
    rule_id = (await admin.post(path_of(project), rule("v*"))).new_id
    sentence = "Failed to process request due to 'team/app:v1' configured as immutable."
    answers = [
        await repo.put_manifest(new, "v1"),
        await repo.put_manifest(new, f"{new.digest}?tag=other&tag=v1"),
        await repo.delete("manifests/v1"),
        await repo.delete(f"manifests/{old.digest}"),
    ]
    for answer in answers:
        assert (answer.status, answer.json()["errors"]) == (
            412,
            [{"code": "PRECONDITION", "message": sentence}],
        )
    assert await repo.tags() == ["latest", "v1"]
    assert (await repo.get("manifests/v1")).body == old.body
    # What changes nothing is let through, as is every other tag, and a new tag that matches.
    assert (await repo.put_manifest(old, "v1")).status == 201
    assert (await repo.put_manifest(new, "latest")).status == 201
    assert (await repo.put_manifest(new, "v2")).status == 201
    assert (await admin.delete(f"{path_of(project)}/{rule_id}")).status == 200
    assert (await repo.put_manifest(new, "v1")).status == 201
    assert (await repo.delete("manifests/v1")).status == 202


async def test_disabled_rule_and_other_repositories_protect_nothing(
    admin: Caller, project: Project, repo: Repository
) -> None:
    for body in (rule("**", disabled=True), rule("v1", "other/**"), rule("x*")):
        await admin.post(path_of(project), body)
    await repo.push(image([unique()]), "v1")
    assert (await repo.push(image([unique()]), "v1")).startswith("sha256:")
    assert (await repo.delete("manifests/v1")).status == 202


async def test_manifest_of_a_refused_push_is_not_stored(
    admin: Caller, project: Project, repo: Repository
) -> None:
    await repo.push(image([b"x"]), "v1")
    await admin.post(path_of(project), rule())
    refused = image([b"x"], annotations={"a": "b"})
    assert (await repo.put_manifest(refused, "v1")).status == 412
    assert (await repo.head(f"manifests/{refused.digest}")).status == 404


async def test_once_a_rule_is_there_no_push_under_way_moves_a_tag(
    admin: Caller, project: Project, repo: Repository
) -> None:
    """What a tag pointed to when the rule was answered is what it points to ever after."""
    made = [image([b"x"], annotations={"n": str(n)}) for n in range(12)]
    for content in made:
        await repo.push(content)
    for _ in range(8):
        pushes = [asyncio.create_task(repo.put_manifest(content, "v1")) for content in made]
        rule_id = (await admin.post(path_of(project), rule())).new_id
        seen = (await repo.get("manifests/v1")).body
        statuses = {answer.status for answer in await asyncio.gather(*pushes)}
        assert statuses <= {201, 412}
        after = (await repo.get("manifests/v1")).body
        assert after == seen or seen.startswith(b'{"errors"')
        await admin.delete(f"{path_of(project)}/{rule_id}")


# Judged by github.com/bmatcuk/doublestar v1.3.4 itself.
@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "v1.0", True),
        ("*", "a/b", False),
        ("**", "v1.0", True),
        ("**", "a/b/c", True),
        ("a/**", "a/b/c", True),
        ("a/**", "a", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("**/b", "b", True),
        ("**/b", "ab", False),
        ("a**", "a/b", False),
        ("a**", "abc", True),
        ("v?.?", "v1.0", True),
        ("v?", "v", False),
        ("v[0-9]", "v7", True),
        ("v[^0-9]", "v7", False),
        ("v[!0-9]", "v!", True),
        ("{a,b}*", "b1", True),
        ("{a,b}*", "c1", False),
        ("{a/x,b}/c", "a/x/c", True),
        ("{release,v*}-{1,2}", "v9-2", True),
        ("v1.*", "v11", False),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("V1", "v1", False),
    ],
)
def test_patterns_match_as_in_harbor(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    "pattern", ["[", "[]", "[a", "{", "{a", "{a,b", "\\", "[-a]", "[a-]", "{" * 11 + "}" * 11]
)
def test_broken_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        parse(pattern)


def test_pattern_made_to_take_long_does_not() -> None:
    assert not matches("*a" * 120 + "b", "a" * 128)
    assert not matches("{a,aa}" * 40 + "b", "a" * 128)


def test_a_hundred_of_them_do_not_either() -> None:
    """A project may have that many webhook policies, and the relay has others to serve."""
    began = process_time()
    for number in range(100):
        matches("{a*,a*,a*,a*}" * 17 + f"{{b,{number}}}", "a" * 200)
    assert process_time() - began < 1


@pytest.mark.parametrize(
    ("tag", "scope", "expected"),
    [
        (("matches", "v*"), ("repoMatches", "team/*"), True),
        (("excludes", "v*"), ("repoMatches", "team/*"), False),
        (("excludes", "latest"), ("repoMatches", "**"), True),
        (("matches", "v*"), ("repoExcludes", "team/*"), False),
        (("matches", "v*"), ("repoExcludes", "other"), True),
        (("matches", "v*"), ("repoMatches", "project/team/*"), False),
    ],
)
def test_rule_says_which_tags_it_protects(tag: Any, scope: Any, expected: bool) -> None:
    selectors = Selectors((TagSelector(*tag),), (ScopeSelector(*scope),))
    assert is_immutable([selectors], RepositoryName("project/team/app"), "v1") is expected
