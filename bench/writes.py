"""Uploads of blobs and pushes of small images by several clients, each in a repository of its own."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bench import content, crowd, processes
from bench.content import Blob, Content, Image
from bench.reads import Sample
from bench.settings import Plan
from bench.targets import LIMITED_PROJECT, Access, Target
from bench.wire import AnswerError, Connection

_UNIQUE = 32
_LAYERS = 3
_LAYER_BYTES = 4096
_CONFIG_BYTES = 512


@dataclass(frozen=True)
class Uploads:
    """Blobs of one size, never seen before."""

    clients: int
    size: int

    def warm_up(self, target: Target, files: Content, plan: Plan) -> None:
        """Upload one blob per client."""
        del files, plan
        crowd.run(_clients(target, self.clients, partial(_Uploader, size=self.size, count=1)))

    def measure(self, target: Target, files: Content, plan: Plan) -> Sample:
        """Upload the plan's number of blobs per client."""
        del files
        count = plan.large_uploads if self.size >= 1 << 20 else plan.small_uploads
        return _measure(
            target, _clients(target, self.clients, partial(_Uploader, size=self.size, count=count))
        )


@dataclass(frozen=True)
class Pushes:
    """Images of three small layers, as clients push them: ask before each upload, then manifest and tag."""

    clients: int

    def warm_up(self, target: Target, files: Content, plan: Plan) -> None:
        """Push one image per client."""
        del files, plan
        crowd.run(_clients(target, self.clients, partial(_Pusher, count=1)))

    def measure(self, target: Target, files: Content, plan: Plan) -> Sample:
        """Push the plan's number of images per client."""
        del files
        return _measure(target, _clients(target, self.clients, partial(_Pusher, count=plan.images)))


@dataclass(frozen=True)
class PushesWithQuota:
    """The same into one project with a quota, then into a project of its own for each client."""

    clients: int

    def warm_up(self, target: Target, files: Content, plan: Plan) -> None:
        """Push one image per client into each of the projects."""
        del files, plan
        for clients in (self._limited(target, 1), self._spread(target, 1)):
            crowd.run(clients)

    def measure(self, target: Target, files: Content, plan: Plan) -> Sample:
        """Push the plan's number of images per client both ways; `ratio` is the first rate to the second."""
        del files
        limited = _measure(target, self._limited(target, plan.images))
        spread = _measure(target, self._spread(target, plan.images))
        return {**limited, "spread_per_s": spread["per_s"], "ratio": limited["per_s"] / spread["per_s"]}

    def _limited(self, target: Target, images: int) -> list[crowd.Client]:
        access = [target.access_to(f"{LIMITED_PROJECT}/client-{number}") for number in range(self.clients)]
        return [_Pusher(one, images) for one in access]

    def _spread(self, target: Target, images: int) -> list[crowd.Client]:
        access = [target.access_to(f"spread-{number}/app") for number in range(self.clients)]
        return [_Pusher(one, images) for one in access]


@dataclass(frozen=True)
class _Uploader:
    """A client that uploads large or small blobs, all of them different."""

    access: Access
    size: int
    count: int

    def prepare(self) -> Iterator[crowd.Step]:
        """Make the bytes and their digests, which are not part of what is measured."""
        common = memoryview(os.urandom(min(self.size, 64 << 20) - _UNIQUE))
        blobs = [LargeBlob.make(os.urandom(_UNIQUE), common, self.size) for _ in range(self.count)]
        return self._steps(blobs)

    def _steps(self, blobs: Sequence["LargeBlob"]) -> Iterator[crowd.Step]:
        with self.access.connect() as connection:
            for blob in blobs:
                yield partial(self._upload, connection, blob)

    def _upload(self, connection: Connection, blob: "LargeBlob") -> int:
        content.upload(connection, self.access.repository, blob.digest, *blob.parts)
        return self.size


@dataclass(frozen=True)
class LargeBlob:
    """A blob that shares most of its bytes with others, so that many of them fit into memory."""

    parts: tuple[bytes | memoryview, ...]
    digest: str

    @classmethod
    def make(cls, own: bytes, common: memoryview, size: int) -> "LargeBlob":
        """Build a blob of this size from bytes of its own and the common ones, repeated."""
        parts: list[bytes | memoryview] = [own]
        left = size - len(own)
        while left > 0:
            parts.append(common[:left])
            left -= len(parts[-1])
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        return cls(tuple(parts), f"sha256:{digest.hexdigest()}")


@dataclass(frozen=True)
class _Pusher:
    """A client that pushes small images, all of them different."""

    access: Access
    count: int

    def prepare(self) -> Iterator[crowd.Step]:
        return self._steps([_new_image() for _ in range(self.count)])

    def _steps(self, images: Sequence[Image]) -> Iterator[crowd.Step]:
        with self.access.connect() as connection:
            for image in images:
                yield partial(self._push, connection, image)

    def _push(self, connection: Connection, image: Image) -> int:
        self._expect_missing(connection, f"manifests/{image.tag}")
        for blob in image.blobs:
            self._expect_missing(connection, f"blobs/{blob.digest}")
            content.upload(connection, self.access.repository, blob.digest, blob.data)
        content.push_manifest(connection, self.access.repository, image)
        return sum(len(blob.data) for blob in image.blobs)

    def _expect_missing(self, connection: Connection, path: str) -> None:
        response = connection.request("HEAD", self.access.path(path))
        if response.status != 404:
            raise AnswerError(f"HEAD {path}: {response.status} instead of 404")


def pushers(target: Target, *, clients: int, images: int) -> list[crowd.Client]:
    """Return clients that push so many small images each."""
    return _clients(target, clients, partial(_Pusher, count=images))


def _clients(target: Target, count: int, make: Callable[[Access], crowd.Client]) -> list[crowd.Client]:
    return [make(target.write_access(number)) for number in range(count)]


def _new_image() -> Image:
    sizes = [_CONFIG_BYTES] + [_LAYER_BYTES] * _LAYERS
    blobs = tuple(Blob(os.urandom(size)) for size in sizes)
    return content.make_image(blobs[0].digest.removeprefix("sha256:")[:16], blobs)


def _measure(target: Target, clients: Sequence[crowd.Client]) -> Sample:
    os.sync()  # what earlier rounds left to be written is not this one's load
    outcome, load = processes.watch([target.pid], partial(crowd.run, clients))
    count = len(outcome.latencies)
    return {
        "per_s": count / outcome.seconds,
        "mb_per_s": outcome.bytes / outcome.seconds / 1e6,
        "p50_ms": outcome.percentile_ms(50),
        "p99_ms": outcome.percentile_ms(99),
        "cpu_s_per_gb": load.server_cpu / (outcome.bytes / 1e9),
        "cpu_ms_each": 1000 * load.server_cpu / count,
        "foreign_cores": load.foreign_cores,
    }
