"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes and times of one run; the defaults are those that the committed results were made with."""

    rounds: int = 5
    seconds: int = 2
    large_uploads: int = 2
    small_uploads: int = 60
    images: int = 20
    memory_blob_bytes: int = 2 << 30


PLANS = {
    "filesystem": Plan(),
    # All lines are of large blobs, of which two seconds hold few, beside a server with moods of its own.
    "s3": Plan(rounds=21, seconds=4),
}
QUICK = Plan(rounds=2, seconds=1, large_uploads=1, small_uploads=25, images=8, memory_blob_bytes=128 << 20)
