"""The Docker token flow by hand, step by step as its specification has it."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.wire import Account, Answer, Wire


def challenge_of(answer: Answer) -> dict[str, str]:
    assert answer.status == 401
    scheme, _, parameters = answer.headers["www-authenticate"].partition(" ")
    assert scheme == "Bearer"
    return dict(re.findall(r'(\w+)="([^"]*)"', parameters))


def ask(registry: Registry, account: Account | None, **parameters: str) -> Answer:
    wire = Wire(registry.address, account.basic if account else "")
    return wire.send("GET", f"/service/token?{urlencode(parameters)}")


def bearer(registry: Registry, answer: Answer) -> Wire:
    assert answer.status == 200
    assert answer.json()["token"] == answer.json()["access_token"]
    return Wire(registry.address, f"Bearer {answer.json()['token']}")


def test_the_challenge_leads_to_a_token_that_opens_the_door(registry: Registry, repository: str) -> None:
    image = registry.wire.push(repository, content.image(size=1000), "v1")
    path = f"/v2/{repository}/manifests/v1"
    challenge = challenge_of(registry.anyone.send("GET", path))
    realm = urlsplit(challenge["realm"])
    assert f"{realm.scheme}://{realm.netloc}" == f"http://{registry.address}"
    assert challenge["scope"].startswith(f"repository:{repository}:pull")

    query = urlencode({"service": challenge["service"], "scope": challenge["scope"]})
    granted = Wire(registry.address, registry.admin.basic).send("GET", f"{realm.path}?{query}")
    assert granted.json()["expires_in"] >= 60
    assert bearer(registry, granted).fetch(repository, "v1") == image


def test_the_first_request_of_every_client_is_challenged(registry: Registry) -> None:
    refused = registry.anyone.send("GET", "/v2/")
    granted = ask(registry, registry.admin, service=challenge_of(refused)["service"])
    admitted = bearer(registry, granted).send("GET", "/v2/")
    assert admitted.status == 200
    for answer in (refused, admitted):  # without this, `docker manifest` of Debian 12 refuses to work
        assert answer.headers["docker-distribution-api-version"] == "registry/2.0"


def test_a_token_opens_only_what_it_names(registry: Registry, repository: str) -> None:
    registry.wire.push(repository, content.image(size=1000), "v1")
    registry.wire.push(f"{repository}-other", content.image(size=1000), "v1")
    pull = bearer(registry, ask(registry, registry.admin, scope=f"repository:{repository}:pull"))
    assert pull.send("GET", f"/v2/{repository}/manifests/v1").status == 200
    for method, path in (
        ("GET", f"/v2/{repository}-other/manifests/v1"),
        ("POST", f"/v2/{repository}/blobs/uploads/"),
        ("DELETE", f"/v2/{repository}/manifests/v1"),
    ):
        refused = pull.send(method, path, body=b"" if method == "POST" else None)
        assert challenge_of(refused)["scope"].startswith(f"repository:{path.split('/')[2]}/")
        assert refused.json()["errors"][0]["code"] == "UNAUTHORIZED"


def test_one_token_serves_several_scopes(registry: Registry, repository: str) -> None:
    image = registry.wire.push(repository, content.image(size=1000), "v1")
    scopes = [("scope", f"repository:{repository}:pull"), ("scope", f"repository:{repository}-new:pull,push")]
    granted = registry.wire.send("GET", f"/service/token?{urlencode(scopes)}")
    both = bearer(registry, granted)
    assert both.fetch(repository, "v1") == image
    assert both.push(f"{repository}-new", image, "v1") == both.fetch(f"{repository}-new", "v1")


def test_nobody_gets_a_token_that_pulls_public_content_only(
    registry: Registry, repository: str, public_repository: str
) -> None:
    for name in (repository, public_repository):
        registry.wire.push(name, content.image(size=1000), "v1")
    for name, pulled in ((public_repository, 200), (repository, 401)):
        nobody = bearer(registry, ask(registry, None, scope=f"repository:{name}:pull,push"))
        assert nobody.send("GET", f"/v2/{name}/manifests/v1").status == pulled
        assert nobody.send("POST", f"/v2/{name}/blobs/uploads/", body=b"").status == 401


def test_a_stranger_learns_nothing_about_what_exists(registry: Registry, repository: str) -> None:
    registry.wire.push(repository, content.image(size=1000), "v1")
    answers = [
        bearer(registry, ask(registry, registry.stranger, scope=f"repository:{name}:pull")).send(
            "GET", f"/v2/{name}/manifests/v1"
        )
        for name in (repository, f"{repository}-missing", "nowhere/missing")
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(401, answers[0].body)}


@pytest.mark.parametrize(
    ("name", "password"), [("admin", "wrong"), ("nobody", "wrong"), ("", ""), ("admin", "")]
)
def test_a_wrong_password_gets_no_token(registry: Registry, name: str, password: str) -> None:
    refused = ask(registry, Account(name, password), scope="repository:private/x:pull")
    assert refused.status == 401
    assert refused.json()["errors"][0]["code"] == "UNAUTHORIZED"


OAUTH: Mapping[str, str] = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_token_is_given_to_the_password_grant(registry: Registry, repository: str) -> None:
    image = registry.wire.push(repository, content.image(size=1000), "v1")
    form = {
        "grant_type": "password",
        "service": "roadstead",
        "client_id": "test",
        "username": registry.admin.name,
        "password": registry.admin.password,
        "scope": f"repository:{repository}:pull",
    }
    granted = registry.anyone.send("POST", "/service/token", headers=OAUTH, body=urlencode(form).encode())
    assert granted.status == 200
    token = granted.json()["access_token"]
    assert Wire(registry.address, f"Bearer {token}").fetch(repository, "v1") == image

    wrong = registry.anyone.send(
        "POST", "/service/token", headers=OAUTH, body=urlencode(form | {"password": "wrong"}).encode()
    )
    assert wrong.status == 401


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."])
def test_a_forged_token_opens_nothing(registry: Registry, token: str) -> None:
    answer = Wire(registry.address, f"Bearer {token}").send("GET", "/v2/_catalog")
    assert challenge_of(answer)["service"] == "roadstead"
