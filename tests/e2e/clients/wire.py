"""The registry's own protocol by hand: what clients did and will get is read and written without a client."""

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from tests.e2e.clients.content import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Content,
    digest_of,
)

ACCEPT = f"{OCI_MANIFEST}, {OCI_INDEX}, {DOCKER_MANIFEST}, {DOCKER_LIST}"
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Account:
    name: str
    password: str

    @property
    def encoded(self) -> str:
        """The form that both HTTP Basic and the clients' credential files use."""
        return base64.b64encode(f"{self.name}:{self.password}".encode()).decode()

    @property
    def basic(self) -> str:
        return f"Basic {self.encoded}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Wire:
    """One account's (or nobody's) way to a registry."""

    address: str
    authorization: str = ""

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] = NOTHING, body: bytes | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        identity = {"Authorization": self.authorization} if self.authorization else {}
        try:
            connection.request(method, path, body=body, headers={**identity, **headers})
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, fields, answer.read())
        finally:
            connection.close()

    def push(self, repository: str, content: Content, *tags: str) -> Content:
        """Puts content there, under these tags or only under its digest."""
        for each in content.manifests():
            for digest, blob in each.blobs.items():
                self._push_blob(repository, digest, blob)
            references = tags if each is content and tags else (each.digest,)
            for reference in references:
                answer = self.send(
                    "PUT",
                    f"/v2/{repository}/manifests/{reference}",
                    headers={"Content-Type": each.media_type},
                    body=each.manifest,
                )
                assert answer.status == 201, answer
        return content

    def fetch(self, repository: str, reference: str) -> Content:
        """Reads everything below a manifest; each blob's key is the digest of the bytes that came."""
        answer = self.send("GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": ACCEPT})
        assert answer.status == 200, answer
        assert answer.headers["docker-content-digest"] == digest_of(answer.body)
        parsed = answer.json()
        named = [*parsed.get("layers", ()), *filter(None, [parsed.get("config")])]
        blobs = [self.blob(repository, each["digest"]) for each in named]
        children = [self.fetch(repository, each["digest"]) for each in parsed.get("manifests", ())]
        return Content(
            answer.body,
            answer.headers["content-type"],
            {digest_of(blob): blob for blob in blobs},
            tuple(children),
        )

    def blob(self, repository: str, digest: str) -> bytes:
        answer = self.send("GET", f"/v2/{repository}/blobs/{digest}")
        assert answer.status == 200, answer
        return answer.body

    def tags(self, repository: str) -> list[str]:
        answer = self.send("GET", f"/v2/{repository}/tags/list")
        assert answer.status == 200, answer
        tags: list[str] = answer.json()["tags"]
        return tags

    def referrers(self, repository: str, digest: str) -> list[dict[str, Any]]:
        answer = self.send("GET", f"/v2/{repository}/referrers/{digest}")
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == OCI_INDEX
        found: list[dict[str, Any]] = answer.json()["manifests"]
        return found

    def _push_blob(self, repository: str, digest: str, blob: bytes) -> None:
        begun = self.send("POST", f"/v2/{repository}/blobs/uploads/", body=b"")
        assert begun.status == 202, begun
        location = urlsplit(begun.headers["location"])
        query = f"{location.query}&" if location.query else ""
        target = f"{location.path}?{query}digest={quote(digest)}"
        done = self.send("PUT", target, headers={"Content-Type": "application/octet-stream"}, body=blob)
        assert done.status == 201, done
