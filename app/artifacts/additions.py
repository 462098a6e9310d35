"""What can be read about an artifact beyond its description: a build history, the texts of a chart."""

import asyncio
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from app.artifacts import addition_store as store
from app.artifacts.browse import NO_ARTIFACT, get_artifact
from app.artifacts.chart import MAX_ARCHIVE_BYTES, Chart, ChartUnreadable, read_chart
from app.artifacts.model import Shown, additions_of
from app.blobs.content import read_small
from app.harbor.errors import BadRequest, NotFound
from app.manifests import pull
from app.oci.config import MAX_BYTES, load_config
from app.oci.digest import Digest
from app.oci.errors import ManifestUnknown
from app.oci.manifest import Descriptor, Manifest, parse_manifest
from app.oci.names import RepositoryName, Tag
from app.resources import Resources

AdditionName: TypeAlias = Literal[
    "build_history", "values.yaml", "readme.md", "dependencies", "files", "license", "sbom"
]

_JSON: Final = "application/json"
_NOTHING: Final = Shown(tags=False, labels=False, accessories=False)


class Addition(Struct, frozen=True):
    """Content to send as it is."""

    content: bytes
    media_type: str


async def read_addition(
    r: Resources, repository: RepositoryName, reference: Tag | Digest, *, name: AdditionName
) -> Addition:
    """Return an addition of an artifact.

    Raises:
        NotFound: there is no such artifact.
        BadRequest: artifacts of its type have none, or what it would come from is odd or too large.
    """
    artifact = await get_artifact(r, repository, reference, shown=_NOTHING)
    if name not in additions_of(artifact):
        raise BadRequest(f"an artifact of type {artifact.type} has no {name}")
    manifest = await _manifest(r, repository, Digest(artifact.digest))
    match name:
        case "build_history":
            return _json((await _config(r, artifact.id, manifest)).get("history"))
        case "dependencies":
            return _json((await _config(r, artifact.id, manifest)).get("dependencies"))
        case "files":
            return _json(msgspec.to_builtins((await _chart(r, artifact.id, manifest)).files))
        case "readme.md":
            return Addition((await _chart(r, artifact.id, manifest)).readme, "text/markdown")
        case _:
            return Addition((await _chart(r, artifact.id, manifest)).values, "text/plain")


async def _manifest(r: Resources, repository: RepositoryName, digest: Digest) -> Manifest:
    try:
        stored = await pull.find(r, repository, digest)
        return parse_manifest(await pull.content_of(r, stored), stored.media_type)
    except ManifestUnknown:
        raise NotFound(NO_ARTIFACT) from None


async def _config(r: Resources, manifest_id: int, manifest: Manifest) -> dict[str, Any]:
    content = await _blob(r, manifest_id, manifest.config, limit=MAX_BYTES)
    document = load_config(content)
    if document is None:
        raise BadRequest("the artifact's config is not what its media type says")
    return document


async def _chart(r: Resources, manifest_id: int, manifest: Manifest) -> Chart:
    """Read the archive, away from the loop: it may take a while to unpack."""
    layer = manifest.layers[0] if manifest.layers else None
    archive = await _blob(r, manifest_id, layer, limit=MAX_ARCHIVE_BYTES)
    try:
        return await asyncio.to_thread(read_chart, archive)
    except ChartUnreadable as error:
        raise BadRequest(f"the chart's archive cannot be read: {error}") from None


async def _blob(r: Resources, manifest_id: int, descriptor: Descriptor | None, *, limit: int) -> bytes:
    if descriptor is None or descriptor.size_bytes > limit:
        raise BadRequest(f"the artifact has no such content, or more than {limit} bytes of it")
    async with r.database.autocommit() as statements:
        # A manifest can name layers that its repository does not have: they may be somebody else's.
        is_here = await store.has_blob(statements, manifest_id, descriptor.digest)
    content = await read_small(r, descriptor.digest, descriptor.size_bytes) if is_here else None
    if content is None:
        raise NotFound("the content of the artifact is not here")
    return content


def _json(value: object) -> Addition:
    """Return a list; whatever else stands in its place is none."""
    return Addition(msgspec.json.encode(value if isinstance(value, list) else []), _JSON)
