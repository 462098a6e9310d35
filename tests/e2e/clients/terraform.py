"""How the Terraform provider of Harbor speaks: its requests, and of the answers no more than it reads."""

import json
from dataclasses import dataclass
from typing import Any

from tests.e2e.clients.wire import Account, Answer, Wire

GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class Provider:
    """The provider's client: one status is right for each request, and ids are the ends of locations."""

    address: str
    account: Account | None = None
    session: str = ""

    def create(self, path: str, body: dict[str, Any]) -> str:
        """Make something and return its id for Terraform: the Location, without what all have in common."""
        answer = self.send("POST", path, body, expected=201)
        return answer.headers["location"].replace("/api", "").replace("/v2.0", "")

    def read(self, path: str) -> Any:
        return self.send("GET", path).json()

    def update(self, path: str, body: dict[str, Any]) -> None:
        self.send("PUT", path, body)

    def destroy(self, path: str) -> None:
        self.send("DELETE", path)

    def is_gone(self, path: str) -> bool:
        """Whether the provider takes it out of its state: only 404 says so."""
        return self._answer("GET", path, None).status == 404

    def pages(self, path: str, query: str = "", *, size: int | None = None) -> list[Any]:
        """Read a list as data sources do: page after page, until one is empty."""
        found: list[Any] = []
        sized = f"&page_size={size}" if size else ""
        for page in range(1, 1_000):
            items = self.read(f"{path}?page={page}{sized}{query}")
            if not items:
                break
            found += items
        return found

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, expected: int = 200
    ) -> Answer:
        answer = self._answer(method, path, body)
        if answer.status == 403 and self.session:
            answer = self._answer(method, path, body, answer)
        assert answer.status == expected, (method, path, answer)
        return answer

    def _answer(
        self, method: str, path: str, body: dict[str, Any] | None, refused: Answer | None = None
    ) -> Answer:
        headers = {"Content-Type": "application/json"}
        if self.session:
            headers["Cookie"] = f"sid={self.session}"
        if refused is not None:
            forged = refused.headers["set-cookie"].partition(";")[0]
            assert forged.startswith("_gorilla_csrf=")
            headers["Cookie"] += f"; {forged}"
            headers["X-Harbor-Csrf-Token"] = refused.headers["x-harbor-csrf-token"]
        content = None if body is None else json.dumps(body).encode() + b"\n"
        wire = Wire(self.address, self.account.basic if self.account else "")
        return wire.send(method, f"/api/v2.0{path}", headers=headers, body=content)


def project_body(name: str, *, quota: int = -1, **metadata: str) -> dict[str, Any]:
    return {
        "project_name": name,
        "cve_allowlist": {},
        "storage_limit": quota * GIBIBYTE if quota != -1 else -1,
        "metadata": {
            "enable_content_trust": "false",
            "enable_content_trust_cosign": "false",
            "auto_scan": "true",
            "severity": "low",
            "reuse_sys_cve_allowlist": "true",
            "public": "false",
            "prevent_vul": "false",
            "auto_sbom_generation": "false",
            "proxy_speed_kb": "-1",
            "proxy_cache_local_on_not_found": "false",
            **metadata,
        },
    }


def user_body(name: str, password: str, **further: Any) -> dict[str, Any]:
    return {
        "username": name,
        "password": password,
        "realname": "A User",
        "email": f"{name}@example.org",
        "new_password": password,
        **further,
    }
