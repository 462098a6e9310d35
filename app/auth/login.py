"""Logging in with a name and a secret: every way to do it comes here, and is slowed and audited here."""

from typing import Final

from msgspec import structs

from app.access import Actor
from app.auth.passwords import Authenticator
from app.auth.throttle import Guess, Throttle
from app.events import Cause, LoginRefused, TokenRefused, outbox
from app.harbor.errors import SlowDown
from app.oci.names import RepositoryName
from app.resources import Resources

_LONGEST_NAME: Final = 255


class BadCredentials(Exception):
    """The Authorization header is malformed, or name and password are not right."""


class Logins:
    """Asks the authenticators, in their order."""

    def __init__(self, r: Resources, authenticators: tuple[Authenticator, ...]) -> None:
        self._database = r.database
        self._authenticators = authenticators
        self._throttle = Throttle(r.redis)

    async def log_in(self, username: str, password: str, cause: Cause) -> Actor:
        """Return whom a name and a password belong to.

        A secret that was right before costs neither the slow hash nor, unless others were wrong since, a word
        with Redis.

        Raises:
            BadCredentials: they belong to nobody.
            SlowDown: too many before were wrong, so these were not looked at.
        """
        actor = await self._recognized(username, password)
        if actor is not None:
            if self._throttle.has_failed(username, cause.address):
                await self._throttle.note_success(Guess.of(username, cause.address))
            return actor
        guess = Guess.of(username, cause.address)
        async with self._throttle.turn(guess):
            wait = await self._throttle.wait(guess)
            if wait.seconds:
                await self._audit(guess.address if wait.is_of_address else guess.pair, username, cause)
                raise SlowDown(
                    f"too many wrong passwords; try again in {wait.seconds} seconds",
                    headers={"Retry-After": str(wait.seconds)},
                )
            actor = await self._authenticated(username, password)
            if actor is None:
                await self._throttle.note_failure(guess)
                await self._audit(guess.pair, username, cause)
                raise BadCredentials("incorrect username or password")
            await self._throttle.note_success(guess)
            return actor

    async def _recognized(self, username: str, password: str) -> Actor | None:
        for authenticator in self._authenticators:
            actor = await authenticator.recognize(username, password)
            if actor is not None:
                return actor
        return None

    async def _authenticated(self, username: str, password: str) -> Actor | None:
        for authenticator in self._authenticators:
            actor = await authenticator.authenticate(username, password)
            if actor is not None:
                return actor
        return None

    async def _audit(self, key: str, username: str, cause: Cause) -> None:
        """Record a refusal, unless one was recorded a moment ago: an attack must not flood the log."""
        if await self._throttle.is_news(key):
            name = username.replace("\0", "")[:_LONGEST_NAME]
            async with self._database.transaction() as tx:
                await outbox.record(tx, structs.replace(cause, username=name), LoginRefused(name=name))

    async def note_refused_scope(
        self, cause: Cause, repository: RepositoryName, actions: tuple[str, ...]
    ) -> None:
        """Record that nothing of a wanted scope is allowed, at most once a minute for the same."""
        key = Guess.of(f"{cause.username}\0{repository}", cause.address).pair
        if await self._throttle.is_news(key):
            async with self._database.transaction() as tx:
                refused = TokenRefused(repository_name=repository, actions=actions)
                await outbox.record(tx, cause, refused)
