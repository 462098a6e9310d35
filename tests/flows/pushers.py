"""Clients that push images until they are told to stop, try again whatever fails, and remember every 201."""

import hashlib
import http.client
import json
import threading
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.e2e.clients.wire import Answer, Wire
from tests.support.waiting import wait_until

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCTETS = {"Content-Type": "application/octet-stream"}
LARGE = 300_000


@dataclass(frozen=True)
class Pushed:
    """An image whose manifest was answered 201."""

    repository: str
    tag: str
    manifest: bytes
    blobs: dict[str, bytes]

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)


@dataclass
class Pusher:
    """One client with a repository of its own; `random` decides about content and sizes."""

    wire: Wire
    repository: str
    random: Random
    pushed: list[Pushed] = field(default_factory=list)
    failures: int = 0

    def run(self, done: threading.Event, counted: threading.Semaphore) -> None:
        """Push images, one after the other."""
        while not done.is_set():
            self.push(f"t{len(self.pushed)}")
            counted.release()

    def push(self, tag: str) -> None:
        """Push one image until its manifest is answered 201."""
        layers = [self.random.randbytes(self.random.choice((100, 4_096, LARGE))) for _ in range(2)]
        blobs = {digest_of(content): content for content in (json.dumps({"tag": tag}).encode(), *layers)}
        for digest, content in blobs.items():
            wait_until(lambda d=digest, c=content: self._upload(d, c), f"{digest} is there")  # type: ignore[misc]  # bound at once
        config, *rest = (describe(digest, content) for digest, content in blobs.items())
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": rest}
        image = Pushed(self.repository, tag, json.dumps(document).encode(), blobs)
        path = f"/v2/{self.repository}/manifests/{tag}"
        wait_until(lambda: self._is(201, "PUT", path, image.manifest, {"Content-Type": MANIFEST}), path)
        self.pushed.append(image)

    def _upload(self, digest: str, content: bytes) -> bool:
        """Upload a blob, the larger ones in chunks; False: it has to be begun again."""
        started = self._send("POST", f"/v2/{self.repository}/blobs/uploads/")
        if started is None or started.status != 202:
            return False
        place = started.headers["location"]
        if len(content) >= LARGE:
            for begin in range(0, len(content), LARGE // 3):
                if not self._is(202, "PATCH", place, content[begin : begin + LARGE // 3], OCTETS):
                    return False
            content = b""
        return self._is(201, "PUT", f"{place}?digest={digest}", content, OCTETS)

    def _is(self, status: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> bool:
        answer = self._send(method, path, body, headers)
        return answer is not None and answer.status == status

    def _send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer | None:
        """Return the answer; None when the connection broke."""
        try:
            answer = self.wire.send(method, path, body=body, headers=headers or {})
        except (OSError, http.client.HTTPException):
            self.failures += 1
            return None
        self.failures += answer.status >= 400
        return answer


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def describe(digest: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": "application/octet-stream", "digest": digest, "size": len(content)}
