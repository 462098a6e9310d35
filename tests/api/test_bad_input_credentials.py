"""Tokens that expired or were forged, and credentials that are none."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import msgspec
import pytest

from app.access import Actor, Grant
from app.auth.tokens import TokenSigner
from app.settings import Secret
from tests.conformance.client import Repository, bearer, open_repository
from tests.conformance.content import digest_of
from tests.support.eventually import until
from tests.support.registry import Registry

Forgery = Callable[[str], str]


def encode(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def decode(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def forged(token: str, *, header: dict[str, Any], payload: dict[str, Any], key: bytes | None = None) -> str:
    """The token with other fields: signed with a key of our own, or with its old signature."""
    old_header, old_payload, signature = token.split(".")
    text = f"{encode(decode(old_header) | header)}.{encode(decode(old_payload) | payload)}"
    if key is not None:
        mac = hmac.digest(key, text.encode(), hashlib.sha256)
        signature = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    return f"{text}.{signature}"


def signed_with(key: bytes, **header: str) -> Forgery:
    return lambda token: forged(token, header={"alg": "HS256", **header}, payload={}, key=key)


def unsigned(algorithm: str) -> Forgery:
    return lambda token: forged(token, header={"alg": algorithm}, payload={}).rpartition(".")[0] + "."


def flipped(token: str) -> str:
    middle = len(token) - 20
    return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]


def more_access(token: str) -> str:
    everything = [{"type": "repository", "name": "library/all", "actions": ["*"]}]
    return forged(token, header={}, payload={"access": everything})


FORGERIES: dict[str, Forgery] = {
    "flipped": flipped,
    "cut": lambda token: token[:-5],
    "without-signature": lambda token: token.rpartition(".")[0],
    "empty-signature": lambda token: token.rpartition(".")[0] + ".",
    "alg-none": unsigned("none"),
    "alg-None": unsigned("None"),
    "other-algorithm": lambda token: forged(token, header={"alg": "HS512"}, payload={}),
    "empty-key": signed_with(b""),
    "guessed-key": signed_with(b"secret"),
    "service-as-key": signed_with(b"roadstead"),
    "key-from-a-path": signed_with(b"", kid="../../../../dev/null"),
    "key-from-a-url": signed_with(b"", jku="http://127.0.0.1:1/keys"),
    "more-access": more_access,
    "later-expiry": lambda token: forged(token, header={}, payload={"exp": 2**40}),
    "odd-expiry": lambda token: forged(token, header={}, payload={"exp": "never"}, key=b"x"),
    "four-parts": lambda token: f"{token}.{token[:4]}",
    "no-json": lambda _: "bm8.bm8.bm8",
    "no-base64": lambda _: "a.b.c",
    "deep-json": lambda token: base64.urlsafe_b64encode(b"[" * 5000).decode() + token[token.index(".") :],
    "text": lambda _: "nonsense",
    "long": lambda _: "x" * 5000,
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_forged_token_opens_nothing(repo: Repository, forgery: Forgery) -> None:
    good = repo.authorization["Authorization"].removeprefix("Bearer ")
    digest = await repo.push_blob(b"protected")
    bad = Repository(repo.registry, repo.name, bearer(forgery(good)))
    for method, path in (("GET", f"blobs/{digest}"), ("POST", "blobs/uploads/"), ("GET", "/v2/")):
        answer = await bad.send(method, path)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert (await repo.get(f"blobs/{digest}")).status == 200


@pytest.mark.parametrize("actions", ["pull", "push", "delete", "pull,push"])
async def test_token_opens_only_what_it_names(repo: Repository, actions: str) -> None:
    digest = await repo.push_blob(b"protected")
    narrow = await open_repository(repo.registry, actions, repo.name)
    needed = {
        ("GET", f"blobs/{digest}"): "pull",
        ("POST", "blobs/uploads/"): "push",
        ("DELETE", "manifests/x"): "delete",
    }
    for (method, path), action in needed.items():
        answer = await narrow.send(method, path)
        if action in actions.split(","):
            assert answer.status in {200, 202, 404}
        else:
            assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
            assert f"repository:{repo.name}:" in answer.headers["WWW-Authenticate"]


async def test_token_for_one_repository_does_not_open_its_neighbours(repo: Repository) -> None:
    for name in (f"{repo.name}/below", repo.name[:-1], "conformance", "library/x", f"{repo.name}-more"):
        neighbour = Repository(repo.registry, name, repo.authorization)
        answer = await neighbour.get(f"blobs/{digest_of(b'x')}")
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"admin:wrong").decode(),
        "Basic " + base64.b64encode(b"admin:").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic " + base64.b64encode(b"nobody:x").decode(),
        "Basic " + base64.b64encode(b"adm\x00in:x").decode(),
        "Basic " + base64.b64encode(b"admin:\x00").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode("\u00fcser:p\u00e4ss".encode()).decode(),
        "Basic " + base64.b64encode(b"' OR 1=1 --:x").decode(),
        "Basic " + base64.b64encode(b"admin:" + b"x" * 3000).decode(),
        "Bearer",
        "Bearer ",
        "bearer",
        "Digest username=admin",
        "Negotiate abc",
        "\u00fc",
    ],
)
@pytest.mark.parametrize("path", ["/v2/", "tags/list", "/service/token?service=roadstead"])
async def test_credentials_that_are_none_are_refused(repo: Repository, header: str, path: str) -> None:
    answer = await Repository(repo.registry, repo.name).send("GET", path, headers={"Authorization": header})
    assert answer.status == 401 or (
        path.startswith("/service") and header[:6] != "Basic " and answer.status == 200
    )
    if path.startswith("/v2"):
        assert answer.code == "UNAUTHORIZED"


@pytest.mark.parametrize(
    "query",
    [
        "scope=nonsense",
        "scope=repository:UPPER:pull",
        "scope=repository:../../x:pull",
        "scope=repository:%00:pull",
        "scope=repository:a:b:c:pull",
        "scope=repository:a/b:everything",
        "scope=registry:catalog:%2A",
        "scope=registry:catalog:*&scope=repository:a/b:*",
        "scope=" + "x" * 5000,
        "&".join(["scope=repository:a/b:pull"] * 300),
        "scope=%ff",
        "account=%00",
        "service=%ff",
    ],
)
async def test_odd_scopes_give_nothing_to_nobody(repo: Repository, query: str) -> None:
    """Anonymous callers get a token without rights, or are refused; never an internal error."""
    answer = await Repository(repo.registry, repo.name).get(f"/service/token?{query}")
    assert answer.status in {200, 400, 401, 414}
    if answer.status == 200:
        token = answer.json()["token"]
        assert not [entry for entry in decode(token.split(".")[1]).get("access", []) if entry["actions"]]
        for path in ("/v2/_catalog", "/v2/a/b/tags/list"):
            refused = await Repository(repo.registry, "a/b", bearer(token)).get(path)
            assert (refused.status, refused.code) == (401, "UNAUTHORIZED")


def issued(registry: Registry, name: str, *, expires_in: float = 60, **changed: Any) -> Repository:
    """With a token as only the registry could sign it, or one with other settings."""
    signer = TokenSigner(msgspec.structs.replace(registry.resources.settings.auth, **changed))
    admin = Actor(username="admin", user_id=1)
    text = signer.issue(admin, [Grant("repository", name, ("pull", "push", "delete"))]).text
    claims = decode(text.split(".")[1]) | {"exp": time.time() + expires_in}
    return Repository(registry, name, bearer(jwt.encode(claims, signer._keys[0])))


async def test_token_as_these_tests_make_them_opens(shared: Registry) -> None:
    """Or else the next test would show nothing."""
    good = issued(shared, "conformance/tokens")
    assert (await good.get(f"blobs/{await good.push_blob(b'protected')}")).status == 200


@pytest.mark.parametrize(
    "changed",
    [{"expires_in": -1}, {"service": "another-registry"}, {"secret_key": Secret("another-secret-" * 3)}],
    ids=["expired", "of-another-service", "of-another-key"],
)
async def test_token_of_another_time_or_place_opens_nothing(
    shared: Registry, changed: dict[str, Any]
) -> None:
    bad = issued(shared, "conformance/tokens", **changed)
    for method, path in (("GET", "tags/list"), ("POST", "blobs/uploads/"), ("GET", "/v2/")):
        answer = await bad.send(method, path)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.slow
async def test_token_that_was_taken_is_refused_once_it_expires(shared: Registry) -> None:
    """A token is remembered as verified, and no longer than it lives."""
    repo = issued(shared, "conformance/tokens", expires_in=1)
    assert (await repo.send("POST", "blobs/uploads/")).status == 202
    expired = await until(lambda: repo.send("POST", "blobs/uploads/"), lambda answer: answer.status != 202)
    assert (expired.status, expired.code) == (401, "UNAUTHORIZED")
    assert 'error="invalid_token"' in expired.headers["WWW-Authenticate"]
