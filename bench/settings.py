"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes and times of one run; the defaults are those that the committed results were made with."""

    rounds: int = 5
    reads_a_round: int = 1
    seconds: int = 2
    large_uploads: int = 2
    small_uploads: int = 60
    images: int = 20
    memory_blob_bytes: int = 2 << 30


PLANS = {
    "filesystem": Plan(),
    # The ratio of two reads varies by 7 % whether they take one second or four: many short ones say more.
    "s3": Plan(rounds=21, reads_a_round=4, seconds=1),
}
QUICK = Plan(rounds=2, seconds=1, large_uploads=1, small_uploads=25, images=8, memory_blob_bytes=128 << 20)
