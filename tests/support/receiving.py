"""The consumers of docs/how-to/receive-webhooks.md as running programs, and what each of them has to hold."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientError, ClientSession

from app.webhooks.model import SigningSecret
from app.webhooks.signing import sign
from tests.support.eventually import until
from tests.support.roadstead import ROOT, environment_with
from tests.support.servers import free_ports

PAGE = ROOT / "docs" / "how-to" / "receive-webhooks.md"
FIRST = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SECOND = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STRANGE = "whsec_" + "A" * 32
BODY = b'{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"resource_url":"registry.example.org/a/b:v1"}]}}'
WITHOUT_ARTIFACTS = b'{"type":"DELETE_REPOSITORY","event_data":{"repository":{"repo_full_name":"a/b"}}}'
TOOK = "took PUSH_ARTIFACT registry.example.org/a/b:v1\n" * 2 + "took DELETE_REPOSITORY\n"
PROGRAMS = {"python": "consumer.py", "go": "consumer.go", "javascript": "consumer.mjs"}


def code_of(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"the page has no consumer in {language}"
    return found[1]


@contextmanager
def consumer_in(language: str, directory: Path) -> Iterator[tuple[str, Path]]:
    """Run the page's consumer with both secrets; lend its address, and the file with what it prints."""
    program, said, (port,) = directory / PROGRAMS[language], directory / "said", free_ports(1)
    program.write_text(code_of(language))
    command = _command(language, program)
    with said.open("wb") as output:
        process = subprocess.Popen(
            [*command, str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment_with({"WEBHOOK_SECRETS": f"{FIRST} {SECOND}"}),
        )
    try:
        yield f"http://127.0.0.1:{port}/hooks/registry", said
    finally:
        process.kill()
        process.wait()


def _command(language: str, program: Path) -> list[str]:
    if language == "go":  # its compiler takes its time where it has no cache
        subprocess.run(["go", "build", "-o", program.with_suffix(""), program], check=True, timeout=120)
        return [str(program.with_suffix(""))]
    return [sys.executable if language == "python" else "node", str(program)]


async def answers_of(session: ClientSession, url: str) -> dict[str, int | None]:
    """Post what is genuine and what is not; a consumer that does not listen yet has no answer."""
    now = datetime.now(UTC)

    async def post(
        id_: str,
        *secrets: str,
        age: timedelta = timedelta(),
        body: bytes = BODY,
        **fields: str,
    ) -> int:
        headers = sign([SigningSecret(each) for each in secrets], id_, body, now=now - age)
        headers |= {f"webhook-{name}": value for name, value in fields.items()}
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.status

    try:
        return {
            "first secret": await post("1", FIRST),
            "again": await post("1", FIRST),
            "second secret among others": await post("2", STRANGE, SECOND),
            "strange secret": await post("3", STRANGE),
            "no signature": await post("4"),
            "old": await post("5", FIRST, age=timedelta(minutes=6)),
            "from the future": await post("6", FIRST, age=timedelta(minutes=-6)),
            "another's signature": await post("7", FIRST, id="8"),
            "another time": await post("9", FIRST, timestamp=str(int(now.timestamp()) + 1)),
            "no time": await post("10", FIRST, timestamp="soon"),
            "without artifacts": await post("11", FIRST, body=WITHOUT_ARTIFACTS),
        }
    except ClientError:
        return {}


GENUINE = ("first secret", "again", "second secret among others", "without artifacts")


async def takes_what_is_genuine(language: str, directory: Path) -> None:
    """Fail unless the consumer takes what is genuine, once, and refuses everything else."""
    async with ClientSession() as session:
        with consumer_in(language, directory) as (url, said):
            answers = await until(lambda: answers_of(session, url), bool)
            assert {name for name, status in answers.items() if status == 204} == set(GENUINE), answers
            assert set(answers.values()) == {204, 401}
            assert said.read_text() == TOOK
