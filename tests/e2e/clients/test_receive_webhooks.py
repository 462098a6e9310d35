"""The other consumers of docs/how-to/receive-webhooks.md take what is genuine, and nothing else."""

from pathlib import Path

import pytest

from tests.support.receiving import takes_what_is_genuine


@pytest.mark.parametrize("language", ["go", "javascript"])
async def test_a_consumer_takes_what_is_genuine(tmp_path: Path, language: str) -> None:
    await takes_what_is_genuine(language, tmp_path)
