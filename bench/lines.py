"""The lines of the table: what is measured, in which unit, and the floor Roadstead must not fall below."""

from dataclasses import dataclass
from typing import Protocol

from bench.content import Content
from bench.memory import Growth
from bench.reads import Read, Sample
from bench.settings import Plan
from bench.targets import Target
from bench.writes import Pushes, PushesWithQuota, Uploads

OURS = "roadstead"
BASELINE = "docker-registry"
STORE = "seaweedfs"


class Workload(Protocol):
    """Something that is done to every target in turn."""

    def warm_up(self, target: Target, files: Content, plan: Plan) -> None:
        """Prepare a target for the first round."""

    def measure(self, target: Target, files: Content, plan: Plan) -> Sample:
        """Do it once and return the figures."""


@dataclass(frozen=True)
class Floor:
    """A bound on Roadstead's figure: as a multiple of a target's, or by itself (`against` is None)."""

    bound: float
    against: str | None = BASELINE


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    key: str
    title: str
    workload: str
    metric: str
    unit: str
    floors: tuple[Floor, ...] = ()
    is_less_better: bool = False


@dataclass(frozen=True)
class Station:
    """A workload: one that writes is for targets that are pushed to; a slow one is done once, by two.

    Only Roadstead takes part in one of what the others do not have, with the storage in redirects to it.
    """

    workload: Workload
    is_reading: bool
    is_slow: bool = False
    is_ours: bool = False
    is_redirected: bool = False

    def rounds(self, plan: Plan) -> int:
        """Return how often every target is measured."""
        if self.is_slow:
            return 1
        return plan.rounds * (plan.reads_a_round if isinstance(self.workload, Read) else 1)

    def takes(self, target: Target) -> bool:
        """Say whether the target takes part."""
        if self.is_redirected or target.direct:
            return self.is_redirected and target.name in {OURS, STORE}
        if self.is_ours:
            return target.name == OURS
        if self.is_slow:
            return target.name in {OURS, BASELINE}
        return self.is_reading or target.is_pushed_to


WORKLOADS: dict[str, Station] = {
    "memory": Station(Growth(), is_reading=False, is_slow=True),
    "manifest-tag": Station(Read("manifest-tag", 32), is_reading=True),
    "manifest-digest": Station(Read("manifest-digest", 32), is_reading=True),
    "blob-1k": Station(Read("blob-1k", 32), is_reading=True),
    "blob-1m": Station(Read("blob-1m", 16), is_reading=True),
    "blob-64m": Station(Read("blob-64m", 8, by_wrk=False), is_reading=True),
    "redirect-64m": Station(
        Read("blob-64m", 8, by_wrk=False, is_following=True), is_reading=True, is_redirected=True
    ),
    "upload-64m": Station(Uploads(4, 64 << 20), is_reading=False),
    "upload-4k": Station(Uploads(8, 4 << 10), is_reading=False),
    "push-image": Station(Pushes(8), is_reading=False),
    "push-quota": Station(PushesWithQuota(20), is_reading=False, is_ours=True),
}


LINES = (
    Line("manifest-tag", "manifest GET by tag", "manifest-tag", "requests_per_s", "/s", (Floor(4),)),
    Line("manifest-digest", "manifest GET by digest", "manifest-digest", "requests_per_s", "/s", (Floor(5),)),
    Line("blob-1k", "1 KB blob GET", "blob-1k", "requests_per_s", "/s", (Floor(8),)),
    Line("blob-1m", "1 MB blob GET", "blob-1m", "mb_per_s", "MB/s", (Floor(2.5), Floor(0.7, "nginx"))),
    Line("blob-64m", "64 MB blob GET", "blob-64m", "mb_per_s", "MB/s", (Floor(0.95),)),
    Line(
        "cpu-64m",
        "server CPU, 64 MB blob GET",
        "blob-64m",
        "cpu_s_per_gb",
        "s/GB",
        (Floor(0.75),),
        is_less_better=True,
    ),
    Line("upload-64m", "64 MB upload", "upload-64m", "mb_per_s", "MB/s", (Floor(1.2),)),
    Line("upload-4k", "4 KB upload", "upload-4k", "per_s", "/s"),
    Line("push-image", "push of a small image", "push-image", "per_s", "/s", (Floor(2),)),
    Line(
        "push-quota",
        "push of a small image, 20 clients, one project with a quota",
        "push-quota",
        "per_s",
        "/s",
    ),
    Line(
        "push-quota-ratio",
        "its rate to that of 20 projects without one",
        "push-quota",
        "ratio",
        "x",
        (Floor(0.9, None),),
    ),
    Line(
        "memory",
        "web process growth, large blobs",
        "memory",
        "growth_mb",
        "MB",
        (Floor(30, None),),
        is_less_better=True,
    ),
)

S3_LINES = (
    Line("s3-upload-64m", "64 MB upload", "upload-64m", "mb_per_s", "MB/s", (Floor(1.3),)),
    Line("s3-blob-64m", "64 MB blob GET, proxied", "blob-64m", "mb_per_s", "MB/s", (Floor(1.0),)),
    Line(
        "s3-redirect-64m",
        "64 MB blob GET, by redirect",
        "redirect-64m",
        "mb_per_s",
        "MB/s",
        (Floor(0.95, STORE),),
    ),
)

LINES_ON: dict[str, tuple[Line, ...]] = {"filesystem": LINES, "s3": S3_LINES}
"""Which lines are measured where blobs lie."""
