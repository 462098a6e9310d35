"""A registry somewhere else, reached the way Docker does: challenge, token, request."""

import re
from dataclasses import dataclass

from aiohttp import ClientSession, encode_basic_auth

CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


@dataclass
class Remote:
    """The same attributes as the registry under test in this process."""

    url: str
    session: ClientSession
    credentials: str
    """`user:password`, or nothing."""

    async def token(self, *scopes: str) -> str:
        """A token for these scopes; empty if the registry asks for none."""
        async with self.session.get(f"{self.url}/v2/") as answer:
            challenge = answer.headers.get("WWW-Authenticate", "")
        if not challenge.startswith("Bearer "):
            return ""
        told = dict(CHALLENGE.findall(challenge))
        query = [("service", told.get("service", "")), *(("scope", scope) for scope in scopes)]
        user, _, password = self.credentials.partition(":")
        headers = {"Authorization": encode_basic_auth(user, password)} if user else {}
        async with self.session.get(told["realm"], params=query, headers=headers) as answer:
            document = await answer.json()
            return str(document.get("token") or document["access_token"])
