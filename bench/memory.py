"""How much each web process grows while clients push and pull large blobs."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from bench import content, crowd, processes
from bench.content import Content
from bench.reads import Sample
from bench.settings import Plan
from bench.targets import Access, Target
from bench.wire import AnswerError, Connection
from bench.writes import LargeBlob

_CLIENTS = 8
_MEGABYTE = 1e6
_REPEATED_BYTES = 64 << 20


@dataclass(frozen=True)
class Growth:
    """Eight clients that each push a large blob and pull it again."""

    def warm_up(self, target: Target, files: Content, plan: Plan) -> None:
        """Do nothing: what the first large transfer allocates is to be seen."""

    def measure(self, target: Target, files: Content, plan: Plan) -> Sample:
        """Return the growth of the web process that grew most: its peak less its memory before."""
        del files
        pids = target.web_processes()
        before = {pid: processes.memory_bytes(pid) for pid in pids}
        for pid in pids:
            processes.reset_peak(pid)
        clients = [_Client(target.write_access(number), plan.memory_blob_bytes) for number in range(_CLIENTS)]
        outcome, load = processes.watch([target.pid], partial(crowd.run, clients))
        growth = [processes.memory_bytes(pid, "VmHWM") - before[pid] for pid in pids]
        return {
            "growth_mb": max(growth) / _MEGABYTE,
            "idle_mb": max(before.values()) / _MEGABYTE,
            "mb_per_s": outcome.bytes / outcome.seconds / _MEGABYTE,
            "foreign_cores": load.foreign_cores,
        }


@dataclass(frozen=True)
class _Client:
    """Pushes one large blob, then pulls it; all push the same bytes, which the disk then holds once."""

    access: Access
    size: int

    def prepare(self) -> Iterator[crowd.Step]:
        common = memoryview(hashlib.shake_256(b"memory").digest(_REPEATED_BYTES))
        return self._steps(LargeBlob.make(b"", common, self.size))

    def _steps(self, blob: LargeBlob) -> Iterator[crowd.Step]:
        with self.access.connect() as connection:
            yield partial(self._push, connection, blob)
            yield partial(self._pull, connection, blob)

    def _push(self, connection: Connection, blob: LargeBlob) -> int:
        content.upload(connection, self.access.repository, blob.digest, *blob.parts)
        return self.size

    def _pull(self, connection: Connection, blob: LargeBlob) -> int:
        response = connection.request("GET", self.access.path(f"blobs/{blob.digest}"), keep=False)
        if (response.status, response.length) != (200, self.size):
            raise AnswerError(f"GET {blob.digest}: {response.status}, {response.length} bytes")
        return self.size
