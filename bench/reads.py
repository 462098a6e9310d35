"""GET requests over kept-alive connections, by wrk or by our own generator.

wrk costs least for small answers. It reads 8 KB at a time on one thread, though, so that for large blobs it
is wrk that would be measured: those, and everything where wrk is missing, our own generator asks for.
"""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench import generator, processes
from bench.content import MANIFEST_TYPE, Content
from bench.settings import Plan
from bench.targets import Access, Target
from bench.wire import AnswerError

_SCRIPT = Path(__file__).with_name("wrk.lua")
_GIGABYTE = 1e9
_LEAST_BUSY = 0.25  # wrk itself keeps connections waiting when it is the slower side

Sample = dict[str, float]


@dataclass(frozen=True)
class Read:
    """A kind of content asked for by this many connections."""

    kind: str
    connections: int
    by_wrk: bool = True
    is_following: bool = False
    """Whether bytes come from where the server sends clients, of whom it knows nothing else."""

    def warm_up(self, target: Target, files: Content, plan: Plan) -> None:
        """Let caches and connection pools fill before the first round."""
        del plan
        self._load(target, files, 1)

    def measure(self, target: Target, files: Content, plan: Plan) -> Sample:
        """Ask for a while and return the figures."""
        result, load = processes.watch([target.pid], partial(self._load, target, files, plan.seconds))
        self._check(target, result)
        return {
            "requests_per_s": result.requests / result.seconds,
            "mb_per_s": result.bytes / result.seconds / 1e6,
            "p50_ms": result.p50,
            "p99_ms": result.p99,
            "cpu_s_per_gb": load.server_cpu / (result.bytes / _GIGABYTE),
            "cpu_us_per_request": 1e6 * load.server_cpu / result.requests,
            "foreign_cores": load.foreign_cores,
        }

    def _check(self, target: Target, result: generator.Result) -> None:
        """Raise AnswerError for errors, and where most connections waited for an answer that did not come."""
        found = f"{target.name}, {self.kind}: {result.requests} answers, {result.errors} errors"
        if result.errors or not result.requests:
            raise AnswerError(found)
        if result.busy_connections() < _LEAST_BUSY * self.connections:
            raise AnswerError(
                f"{found}, {result.busy_connections():.0f} of {self.connections} connections busy"
            )

    def _asked(self, target: Target, files: Content) -> tuple[Access, list[str]]:
        access = target.read_access()
        if target.direct:
            return access, [target.direct(path.removeprefix("blobs/")) for path in files.paths(self.kind)]
        if self.is_following:
            access = replace(access, agent="")
        return access, [access.path(path) for path in files.paths(self.kind)]

    def _load(self, target: Target, files: Content, seconds: int) -> generator.Result:
        access, paths = self._asked(target, files)
        if self.is_following:
            return generator.run(access, paths, self.connections, seconds, is_following=True)
        if not (self.by_wrk and shutil.which("wrk")):
            return generator.run(access, paths, self.connections, seconds)
        headers = ["-H", f"Accept: {MANIFEST_TYPE}"]
        if access.authorization:
            headers += ["-H", f"Authorization: {access.authorization}"]
        with tempfile.NamedTemporaryFile("w", suffix=".paths") as listing:
            listing.write("\n".join(paths))
            listing.flush()
            argv = ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "--timeout", "30s", *headers]
            url = f"http://{access.host}:{access.port}"
            done = subprocess.run(
                [*argv, "-s", str(_SCRIPT), url, "--", listing.name],
                capture_output=True,
                text=True,
                check=True,
            )
        line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
        return generator.Result(**json.loads(line.removeprefix("RESULT ")))
