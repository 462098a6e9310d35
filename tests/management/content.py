"""Content of repositories for tests of the management API, pushed as any client does."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tests.conformance.client import Repository
from tests.conformance.content import MANIFEST, Content, Kind, image, unique
from tests.management.client import Answer, Caller

HELM = Kind(
    MANIFEST,
    "application/vnd.cncf.helm.config.v1+json",
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
)


def pusher(caller: Caller, name: str) -> Repository:
    """A repository that the caller pushes to, by its full name."""
    return Repository(caller.registry, name, caller.auth)


def fresh_image(config: Mapping[str, Any] | None = None, **fields: Any) -> Content:
    """An image that no other test has."""
    document = {"architecture": "amd64", "os": "linux", **(config or {})}
    return image([unique()], config=json.dumps(document).encode(), **fields)


def chart(files: Mapping[str, bytes], **metadata: Any) -> Content:
    """A Helm chart with these files in its archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    config = {"name": "app", "version": "1.0.0", "apiVersion": "v2", **metadata}
    return image([gzip.compress(archive.getvalue())], kind=HELM, config=json.dumps(config).encode())


def path_of(name: str, reference: str = "") -> str:
    """The address of a repository, or of one of its artifacts, with slashes as Harbor has them."""
    project, _, rest = name.partition("/")
    base = f"/projects/{project}/repositories/{quote(quote(rest, safe=''), safe='')}"
    return f"{base}/artifacts/{reference}" if reference else base


def digests(answer: Answer) -> list[str]:
    """The digests in a list of artifacts."""
    assert answer.status == 200, answer.json
    return [artifact["digest"] for artifact in answer.json]


def immutable_rule(tags: str, repositories: str = "**") -> dict[str, Any]:
    """A rule that protects tags that match."""
    return {
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags}],
        "scope_selectors": {
            "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": repositories}]
        },
        "action": "immutable",
        "template": "immutable_template",
    }
