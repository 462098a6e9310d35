"""What can be configured by the API. Everything else is a setting of the process."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

_MAX_DAYS = 36_500
_MAX_BYTES = 1 << 50


class Configuration(Struct, frozen=True):
    """Harbor's keys and units, as they lie in the database; what is not there has these defaults."""

    project_creation_restriction: Annotated[
        Literal["everyone", "adminonly"], Meta(description="Who may create projects.")
    ] = "everyone"
    read_only: Annotated[
        bool, Meta(description="Refuse every push and every change, but the change of this.")
    ] = False
    token_expiration: Annotated[
        int, Meta(ge=1, le=1_440, description="Minutes that a registry token is good for.")
    ] = 5
    robot_token_duration: Annotated[
        int, Meta(ge=1, le=_MAX_DAYS, description="Days that a robot lives whose maker does not say.")
    ] = 30
    session_timeout: Annotated[
        int, Meta(ge=1, le=525_600, description="Minutes that a session of a browser lives.")
    ] = 60
    quota_per_project_enable: Annotated[
        bool, Meta(description="New projects get the quota of `storage_per_project`.")
    ] = True
    storage_per_project: Annotated[
        int, Meta(ge=-1, le=_MAX_BYTES, description="Bytes that a new project may use; -1: any number.")
    ] = -1
    notification_enable: Annotated[bool, Meta(description="Webhooks are delivered.")] = True
    banner_message: Annotated[
        str, Meta(max_length=4_096, description="Shown to everybody, logged in or not.")
    ] = ""

    def __post_init__(self) -> None:
        if self.storage_per_project == 0:
            raise ValueError("storage_per_project: -1, or more than 0")
