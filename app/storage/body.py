"""What is sent to a storage as a stream, and held in memory once."""

from io import BytesIO


class Body(BytesIO):
    """Bytes that are sent piece by piece: all of them at once would hold up the event loop.

    To know how many they are, aiohttp asks for the buffer; a BytesIO copies it, since it could be written to.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content = content

    def getbuffer(self) -> memoryview:
        """Return what is sent, which nobody writes to."""
        return memoryview(self._content)
