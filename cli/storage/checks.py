"""What a registry needs of its storage, one thing after the other: `roadstead storage check`."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final, NamedTuple

from aiohttp import ClientError

from app.oci.errors import BlobUploadInvalid
from app.storage import StorageError, StorageFull, UploadState
from cli.storage.trial import Trial

_MINUTE: Final = timedelta(minutes=1)
_EVERYTHING: Final = timedelta(days=-1)
_LEAST_ROOM_BYTES: Final = 1 << 30
_MOST_SKEW_SECONDS: Final = 60
_TO_END_SECONDS: Final = 10
_VERSIONS: Final = (
    "but the bucket keeps old versions, which take up room until a rule of it removes them "
    "(NoncurrentVersionExpiration)"
)
_NONE_SIGNED: Final = "this storage signs none, and all goes through the registry"


class Check(NamedTuple):
    """What the storage has to do, what tries it, and what an operator does where it fails.

    What tries it returns what else is worth knowing.
    """

    says: str
    tries: Callable[[Trial], Awaitable[str]]
    remedy: str


class Result(NamedTuple):
    """What came of a check, and what else is worth knowing: why it failed, and what to do."""

    note: str
    remedy: str = ""


async def result_of(check: Check, trial: Trial) -> Result:
    """Run a check; a cancellation waits a little for it, because what is half made has no name yet."""
    task = asyncio.ensure_future(check.tries(trial))
    try:
        return Result(await asyncio.shield(task))
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_TO_END_SECONDS)
        task.cancel()
        await asyncio.wait([task])
        raise
    except (StorageError, FileNotFoundError, BlobUploadInvalid, ClientError, TimeoutError) as error:
        remedy = _MAKE_ROOM if isinstance(error, StorageFull) else check.remedy
        return Result(str(error) or type(error).__name__, remedy)


async def _put(trial: Trial) -> str:
    await trial.require(*await trial.stored())
    return ""


async def _range(trial: Trial) -> str:
    digest, content = await trial.stored()
    if await trial.read(digest, 5, 25) != content[5:25]:
        raise StorageError("other bytes come than were asked for")
    return ""


async def _list(trial: Trial) -> str:
    digest, _ = await trial.stored()
    if digest not in [found async for found in trial.driver.list_digests(digest.encoded[:2])]:
        raise StorageError("a blob that is there is not in the list")
    return ""


async def _delete(trial: Trial) -> str:
    never_stored, _ = trial.content(1_000)
    digests = [(await trial.stored())[0] for _ in range(3)]
    await trial.driver.delete(never_stored, *digests)
    if [digest for digest in digests if await trial.driver.stat(digest) is not None]:
        raise StorageError("what was deleted is still there")
    return _VERSIONS if trial.driver.keeps_versions else ""


async def _upload(trial: Trial) -> str:
    digest, content = trial.content(trial.part_bytes + 1)
    state = await trial.append(trial.driver.new_upload(), 0, content, blob=digest)
    await trial.driver.commit(state, digest, len(content))
    await trial.require(digest, content)
    return ""


async def _copy(trial: Trial) -> str:
    digest, content = trial.content(trial.part_bytes + 1)
    state = await trial.append(trial.driver.new_upload(), 0, content)
    state = await trial.append(state, len(content), b"", blob=digest)
    await trial.driver.commit(state, digest, len(content))
    await trial.require(digest, content)
    return ""


async def _abandon(trial: Trial) -> str:
    _, content = trial.content(trial.part_bytes + 1)
    state = await trial.append(trial.driver.new_upload(), 0, content)
    if not await _is_listed(trial, state):
        raise StorageError("an upload that is there is not in the list")
    await trial.driver.discard(state)
    if await _is_listed(trial, state):
        raise StorageError("an upload that was removed is still in the list")
    return ""


async def _is_listed(trial: Trial, state: UploadState) -> bool:
    return any(found.items() <= state.items() for found in await trial.driver.list_uploads(_EVERYTHING))


async def _signed_get(trial: Trial) -> str:
    digest, content = await trial.stored()
    url = await trial.driver.presign(digest, _MINUTE)
    if url is None:
        return _NONE_SIGNED
    if await trial.get(url) != content or await trial.get(url, Range="bytes=5-24") != content[5:25]:
        raise StorageError("other bytes come than were stored")
    return ""


async def _signed_put(trial: Trial) -> str:
    digest, content = trial.content(1_000)
    upload = await trial.signed_upload(digest, len(content))
    if upload is None:
        return _NONE_SIGNED
    await upload.send(content)
    frozen = await upload.freeze()
    await trial.driver.commit(frozen.state, digest, frozen.size_bytes)
    await trial.require(digest, content)
    return ""


async def _wrong_put(trial: Trial) -> str:
    digest, content = trial.content(1_000)
    upload = await trial.signed_upload(digest, len(content))
    if upload is None:
        return _NONE_SIGNED
    with suppress(StorageError):
        await upload.send(bytes(len(content)))
    try:
        frozen = await upload.freeze()
    except BlobUploadInvalid:
        return "by the storage itself"
    if frozen.digest is not None:
        raise StorageError("it says of other bytes that they have the digest that was named")
    return "by the registry, which reads them once: the storage looks at no SHA-256"


async def _room(trial: Trial) -> str:
    room = await trial.driver.room()
    if room is None:
        return "it names no limit"
    said = f"{room.free_bytes / 1e9:,.1f} of {room.total_bytes / 1e9:,.1f} GB are free"
    if room.free_bytes < _LEAST_ROOM_BYTES:
        raise StorageError(said)
    return said


async def _clock(trial: Trial) -> str:
    if trial.skew_seconds is None:
        return "it does not say what time it has"
    said = f"it is {abs(trial.skew_seconds):.0f} s {'ahead' if trial.skew_seconds > 0 else 'behind'}"
    if abs(trial.skew_seconds) > _MOST_SKEW_SECONDS:
        raise StorageError(said)
    return said


_RIGHT: Final = "Let the account of the settings {} what is below the prefix (on S3: {})."
_UNFINISHED: Final = "ListBucketMultipartUploads, ListMultipartUploadParts, AbortMultipartUpload"
_REACH: Final = (
    "Clients have to reach the storage at just this address: name it in ROADSTEAD_STORAGE_PUBLIC_ENDPOINT. A "
    "proxy before it has to leave Host, Range, path and query as they are."
)

_MAKE_ROOM: Final = "Make room, or raise the quota, before clients are refused."

CHECKS: Final = (
    Check(
        "a blob can be written and read",
        _put,
        f"{_RIGHT.format('write and read', 'PutObject, GetObject')} And does the storage have the class and "
        "the encryption that ROADSTEAD_STORAGE_OBJECT_CLASS and ..._ENCRYPTION name?",
    ),
    Check("a part of a blob can be read", _range, "A proxy before the storage has to pass on Range."),
    Check("blobs are listed", _list, _RIGHT.format("list", "ListBucket")),
    Check("several blobs are deleted at once", _delete, _RIGHT.format("delete", "DeleteObject")),
    Check(
        "an upload in parts becomes a blob in its place",
        _upload,
        _RIGHT.format("write", "PutObject, AbortMultipartUpload, ListMultipartUploadParts"),
    ),
    Check(
        "an upload whose digest comes last is put in its place by the storage",
        _copy,
        _RIGHT.format("copy", "GetObject, PutObject, ListMultipartUploadParts"),
    ),
    Check(
        "an abandoned upload is found and removed",
        _abandon,
        f"{_RIGHT.format('list and remove unfinished uploads of', _UNFINISHED)} Until then, have the storage "
        "remove by itself what is unfinished for a week (on S3: AbortIncompleteMultipartUpload).",
    ),
    Check("a signed URL opens a blob to clients without credentials", _signed_get, _REACH),
    Check(
        "a signed URL takes a blob from them",
        _signed_put,
        f"{_REACH} {_RIGHT.format('list and remove unfinished uploads of', _UNFINISHED)}",
    ),
    Check(
        "other bytes than a signed URL is for are refused",
        _wrong_put,
        "Where it is not only a right that is missing: use another storage, for this one says of its content "
        "what is not true.",
    ),
    Check("there is room", _room, _MAKE_ROOM),
    Check("the clock is that of this machine", _clock, "Set both clocks by NTP: signed URLs go by them."),
)
