"""Projects and what is in them by Terraform: the requests of Harbor's provider, in its shapes.

Terraform itself is not needed. What the provider leaves out of a body when it is empty, or sends though
nobody asked for it, is left out and sent here too.
"""

from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.terraform import GIBIBYTE, Provider, project_body, user_body


@pytest.fixture
def provider(registry: Registry) -> Provider:
    return Provider(registry.address, registry.admin)


@pytest.fixture
def name() -> str:
    return f"terraform-{uuid4().hex[:8]}"


@pytest.fixture
def project(provider: Provider, name: str) -> str:
    """The id that Terraform keeps of a project."""
    return provider.create("/projects", project_body(name))


def test_project_is_applied_twice_imported_and_destroyed(provider: Provider, name: str) -> None:
    project = provider.create("/projects", project_body(name, quota=5))
    shown = provider.read(project)
    assert project == f"/projects/{shown['project_id']}"
    assert (shown["name"], shown.get("registry_id"), shown.get("cve_allowlist", {}).get("items")) == (
        name,
        None,
        None,
    )
    sent = project_body(name)["metadata"]
    kept = {key: value for key, value in sent.items() if key != "proxy_speed_kb"}
    assert shown["metadata"] == kept
    provider.update(project, project_body(name, public="true", auto_scan="false", prevent_vul="true"))
    assert provider.read(project)["metadata"] == kept | {
        "public": "true",
        "auto_scan": "false",
        "prevent_vul": "true",
    }
    provider.destroy(project)
    assert provider.is_gone(project)


def test_quota_of_a_project_is_changed_by_the_list_of_quotas(
    provider: Provider, project: str, name: str
) -> None:
    provider.update(project, project_body(name, quota=7))
    assert provider.read("/configurations")["quota_per_project_enable"]["value"] is True
    quota = quota_of(provider, project)
    assert quota["hard"] == {"storage": -1}
    provider.update(f"/quotas/{quota['id']}", {"hard": {"storage": 7 * GIBIBYTE}})
    assert quota_of(provider, project)["hard"] == {"storage": 7 * GIBIBYTE}
    provider.update(f"/quotas/{quota['id']}", {"hard": {"storage": -1}})
    assert quota_of(provider, project)["hard"] == {"storage": -1}


def quota_of(provider: Provider, project: str) -> Any:
    (quota,) = (
        quota
        for quota in provider.pages("/quotas/", size=100)
        if f"/projects/{quota['ref']['id']}" == project
    )
    return quota


def test_destroying_a_project_by_force_destroys_its_repositories_first(
    provider: Provider, registry: Registry, project: str, name: str
) -> None:
    for repository in ("app", "team/app", "team/deep/app"):
        registry.wire.push(f"{name}/{repository}", content.image(size=100), "v1")
    found = provider.pages(f"/projects/{name}/repositories", size=100)
    assert {repository["name"] for repository in found} == {
        f"{name}/app",
        f"{name}/team/app",
        f"{name}/team/deep/app",
    }
    for repository in found:
        below = repository["name"].removeprefix(f"{name}/").replace("/", "%252F")
        provider.destroy(f"/projects/{name}/repositories/{below}")
    assert provider.pages(f"/projects/{name}/repositories", size=100) == []
    provider.destroy(project)


def test_members_of_a_project(provider: Provider, project: str, name: str) -> None:
    provider.create("/users", user_body(name, "Terraform-password-1"))
    wanted = {"role_id": 2, "member_group": {}, "member_user": {"username": name}}
    member = provider.create(f"{project}/members", wanted)
    assert member.startswith(f"{project}/members/")
    shown = provider.read(member)
    assert (shown["role_id"], shown["entity_name"], shown["entity_type"]) == (2, name, "u")
    assert f"/projects/{shown['project_id']}" == project
    provider.update(member, wanted | {"role_id": 4})
    assert provider.read(member)["role_id"] == 4
    listed = provider.pages(f"{project}/members")
    assert name in {found["entity_name"] for found in listed if found["entity_type"] == "u"}
    provider.destroy(member)
    assert provider.is_gone(member)


@pytest.mark.parametrize("kind", [1, 2, 3], ids=["ldap", "http", "oidc"])
def test_groups_and_their_membership(provider: Provider, project: str, name: str, kind: int) -> None:
    place = {"ldap_group_dn": f"cn={name},dc=example,dc=org"} if kind == 1 else {}
    group = provider.create("/usergroups", {"group_name": name, "group_type": kind, **place})
    shown = provider.read(group)
    assert (shown["group_name"], shown["group_type"]) == (name, kind)
    listed = [found for found in provider.pages("/usergroups") if found["group_name"] == name]
    assert [f"/usergroups/{found['id']}" for found in listed] == [group]
    named = {"group_type": kind, "group_name": name, **place}
    by_id = {"group_type": kind, "id": shown["id"]}
    for member_group in (named, by_id):
        wanted = {"role_id": 3, "member_group": member_group, "member_user": {}}
        member = provider.create(f"{project}/members", wanted)
        seen = provider.read(member)
        assert (seen["role_id"], seen["entity_name"], seen["entity_type"]) == (3, name, "g")
        provider.update(member, wanted | {"role_id": 1})
        assert provider.read(member)["role_id"] == 1
        provider.destroy(member)
    provider.destroy(group)
    assert provider.is_gone(group)


@pytest.mark.parametrize("is_global", [True, False], ids=["global", "project"])
def test_labels(provider: Provider, project: str, name: str, *, is_global: bool) -> None:
    wanted = {
        "description": "",
        "color": "false",
        "deleted": False,
        "scope": "g" if is_global else "p",
        "project_id": 0 if is_global else int(project.removeprefix("/projects/")),
        "id": 0,
        "name": name,
    }
    label = provider.create("/labels", wanted)
    shown = provider.read(label)
    assert {key: shown[key] for key in ("name", "description", "color", "scope")} == {
        key: wanted[key] for key in ("name", "description", "color", "scope")
    }
    provider.update(label, wanted | {"name": f"{name}-2", "color": "#FFFFFF", "description": "said"})
    shown = provider.read(label)
    assert (shown["name"], shown["color"], shown["description"]) == (f"{name}-2", "#FFFFFF", "said")
    provider.destroy(label)
    assert provider.is_gone(label)


def test_immutable_tag_rules(provider: Provider, project: str) -> None:
    rules = f"{project}/immutabletagrules"

    def body(tags: tuple[str, str], repositories: tuple[str, str], **further: Any) -> dict[str, Any]:
        return {
            "disabled": False,
            "scope_selectors": {"repository": [selector(*repositories)]},
            "tag_selectors": [selector(*tags)],
            "action": "immutable",
            "template": "immutable_template",
            **further,
        }

    rule = provider.create(rules, body(("matches", "v*"), ("repoMatches", "**")))
    number = int(rule.removeprefix(f"{rules}/"))
    changed = body(("excludes", "dev-*"), ("repoExcludes", "tmp/**"), id=number, disabled=True)
    provider.update(rule, changed)
    (shown,) = (found for found in rules_of(provider, rules) if found["id"] == number)
    assert {key: shown[key] for key in ("disabled", "action", "template")} == {
        "disabled": True,
        "action": "immutable",
        "template": "immutable_template",
    }
    assert shown["tag_selectors"][0]["pattern"] == "dev-*"
    assert shown["scope_selectors"]["repository"][0]["decoration"] == "repoExcludes"
    provider.destroy(rule)
    assert rules_of(provider, rules) == []


def selector(decoration: str, pattern: str) -> dict[str, str]:
    return {"kind": "doublestar", "decoration": decoration, "pattern": pattern}


def rules_of(provider: Provider, rules: str) -> list[Any]:
    found: list[Any] = provider.read(f"{rules}?page=1&page_size=15")
    return found


def webhook_body(**target: Any) -> dict[str, Any]:
    """The provider misnames the format, so that it never sends one."""
    never = "0001-01-01T00:00:00Z"
    posted_to = {
        "type": "http",
        "auth_header": "Basic c2VjcmV0",
        "skip_cert_verify": True,
        "address": "https://hooks.example.com/build",
        "payload_format:omitempty": "",
    }
    return {
        "update_time": never,
        "description": "",
        "creator": "",
        "creation_time": never,
        "enabled": True,
        "targets": [posted_to | target],
        "event_types": ["DELETE_ARTIFACT", "PUSH_ARTIFACT"],
        "project_id": 0,
        "id": 0,
        "name": "build",
    }


def test_webhooks_of_a_project(provider: Provider, project: str) -> None:
    def target_of(webhook: str) -> dict[str, Any]:
        (target,) = provider.read(webhook)["targets"]
        return {name: target[name] for name in ("type", "auth_header", "skip_cert_verify", "address")}

    webhook = provider.create(f"{project}/webhook/policies", webhook_body())
    shown = provider.read(webhook)
    assert (shown["name"], shown["description"], shown["enabled"]) == ("build", "", True)
    assert shown["event_types"] == ["DELETE_ARTIFACT", "PUSH_ARTIFACT"]
    sent = {name: value for name, value in webhook_body()["targets"][0].items() if ":" not in name}
    assert target_of(webhook) == sent
    changed = {"type": "slack", "auth_header": "", "address": "https://hooks.slack.com/services/T/B/x"}
    provider.update(webhook, webhook_body(**changed))
    assert target_of(webhook) == sent | changed
    provider.destroy(webhook)
    assert provider.is_gone(webhook)


def test_configuration_of_the_system(provider: Provider) -> None:
    wanted = {
        "project_creation_restriction": "everyone",
        "read_only": False,
        "robot_token_duration": 30,
        "token_expiration": 5,
        "session_timeout": 60,
        "quota_per_project_enable": True,
        "robot_name_prefix": "robot$",
        "storage_per_project": -1,
        "scanner_skip_update_pulltime": False,
        "skip_audit_log_database": False,
        "banner_message": '{"closable":false,"message":"m","type":"info","fromDate":"","toDate":""}',
        "notification_enable": True,
    }
    provider.update("/configurations", wanted)
    shown = provider.read("/configurations")
    assert {key: shown[key]["value"] for key in wanted} == wanted
    provider.update("/configurations", wanted | {"banner_message": ""})
    assert provider.read("/configurations")["banner_message"]["value"] == ""


def test_configuration_of_authentication_while_there_are_only_passwords(provider: Provider) -> None:
    nothing = (
        "oidc_verify_cert",
        "oidc_auto_onboard",
        "oidc_logout",
        "self_registration",
        "ldap_verify_cert",
    )
    wanted = {
        **dict.fromkeys(nothing, False),
        "scan_all_policy": {"parameter": {}},
        "ldap_scope": 0,
        "ldap_group_search_scope": 0,
    }
    provider.update("/configurations", wanted)
    shown = provider.read("/configurations")
    assert (shown["auth_mode"]["value"], shown["primary_auth_mode"]["value"]) == ("db_auth", False)
    ldap = wanted | {"auth_mode": "ldap_auth", "ldap_url": "ldap://directory.example.org", "ldap_scope": 2}
    refused = provider.send("PUT", "/configurations", ldap, expected=400)
    assert "can't be changed by the API" in refused.json()["errors"][0]["message"]
