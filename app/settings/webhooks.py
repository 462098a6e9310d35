"""The settings of webhooks."""

from datetime import timedelta
from typing import Annotated, Final

from msgspec import Meta, Struct

_SHORTEST: Final = timedelta(hours=24)


class WebhookSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Webhooks: how long is tried to deliver."""

    give_up_after: Annotated[
        timedelta, Meta(description="A delivery is tried again for this long, a day at least.")
    ] = timedelta(days=3)
    pause_after: Annotated[
        timedelta,
        Meta(
            description="A target that fails for this long without one success is paused, an hour at least."
        ),
    ] = timedelta(days=3)
    keep_log: Annotated[
        timedelta,
        Meta(
            description="What is no longer tried is forgotten after this long, with its attempts; 0: never."
        ),
    ] = timedelta(days=30)

    def __post_init__(self) -> None:
        if self.give_up_after < _SHORTEST:
            raise ValueError(
                "give_up_after: 86400 seconds at least, so that a consumer can be away for a day"
            )
        if self.pause_after < timedelta(hours=1):
            raise ValueError("pause_after: 3600 seconds at least")
        if self.keep_log < timedelta(0):
            raise ValueError("keep_log: 0 or more")
