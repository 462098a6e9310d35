"""Values that are not to be seen."""


class Secret(str):
    """A value that prints as asterisks wherever it is shown; `str(secret)` is the value itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"
