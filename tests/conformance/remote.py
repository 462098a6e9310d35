"""A registry somewhere else, reached the way Docker does: challenge, token, request."""

import re
from dataclasses import dataclass

import aiohttp

CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


@dataclass
class Remote:
    """The same attributes as the registry under test in this process."""

    url: str
    session: aiohttp.ClientSession
    basic: aiohttp.BasicAuth | None = None

    async def token(self, *scopes: str) -> str:
        """A token for these scopes; empty if the registry asks for none."""
        async with self.session.get(f"{self.url}/v2/") as answer:
            challenge = answer.headers.get("WWW-Authenticate", "")
        if not challenge.startswith("Bearer "):
            return ""
        told = dict(CHALLENGE.findall(challenge))
        query = [("service", told.get("service", "")), *(("scope", scope) for scope in scopes)]
        async with self.session.get(told["realm"], params=query, auth=self.basic) as answer:
            document = await answer.json()
            return str(document.get("token") or document["access_token"])
