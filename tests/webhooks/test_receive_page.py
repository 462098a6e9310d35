"""The consumer in Python of docs/how-to/receive-webhooks.md takes what is posted, and nothing else."""

from pathlib import Path

from app.webhooks.model import SigningSecret, TargetSecrets
from tests.support.eventually import until
from tests.support.receiving import SECOND, STRANGE, consumer_in, takes_what_is_genuine
from tests.webhooks.posting import Posting, pushed


async def test_the_consumer_in_python_takes_what_is_genuine(tmp_path: Path) -> None:
    await takes_what_is_genuine("python", tmp_path)


async def test_it_takes_what_we_post_while_a_secret_is_replaced(posting: Posting, tmp_path: Path) -> None:
    with consumer_in("python", tmp_path) as (url, said):
        both = TargetSecrets(signing=(SigningSecret(STRANGE), SigningSecret(SECOND)))
        target = await posting.target(await posting.policy(), url, secrets=both)
        await posting.happen(pushed("library/app", "v1"))

        async def deliver() -> list[str]:
            await posting.make_due()
            await posting.end_pause()
            await posting.deliver(target)
            return await posting.statuses(target)

        await until(deliver, ["success"].__eq__)
        assert said.read_text() == "took PUSH_ARTIFACT registry.example.org/library/app:v1\n"
