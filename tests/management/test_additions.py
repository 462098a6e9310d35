"""Additions: build histories, and what is in the archive of a chart, however it was made."""

import gzip
import io
import json
import tarfile

import pytest

from app.access import Role
from tests.conformance.content import FOREIGN_LAYER, Content, descriptor, image, index, unique
from tests.management.client import Answer, Caller
from tests.management.client import unique as unique_name
from tests.management.conftest import MakeUser, Project
from tests.management.content import HELM, chart, fresh_image, path_of, pusher

FILES = {
    "app/Chart.yaml": b"name: app",
    "app/values.yaml": b"replicas: 1\n",
    "app/README.md": b"# App \xc3\xbc",
    "app/templates/values.yaml": b"not these",
    "app/charts/sub/README.md": b"not this",
}


async def addition(caller: Caller, project: Project, content: Content, name: str) -> Answer:
    repository = f"{project.name}/team/app"
    await pusher(caller, repository).push(content, "v1")
    return await caller.get(path_of(repository, "v1") + f"/additions/{name}")


async def test_build_history_comes_from_the_config(admin: Caller, project: Project) -> None:
    history = [{"created": "2026-01-01T00:00:00Z", "created_by": "COPY . /"}, {"empty_layer": True}]
    answer = await addition(admin, project, fresh_image({"history": history}), "build_history")
    assert (answer.json, answer.headers["Content-Type"]) == (history, "application/json; charset=utf-8")


async def test_image_without_a_history_has_an_empty_one(admin: Caller, project: Project) -> None:
    assert (await addition(admin, project, fresh_image({"history": "odd"}), "build_history")).json == []


async def test_texts_of_a_chart_are_those_of_its_own_directory(admin: Caller, project: Project) -> None:
    readme = await addition(admin, project, chart(FILES), "readme.md")
    assert (readme.json, readme.headers["Content-Type"]) == ("# App \u00fc", "text/markdown; charset=utf-8")
    assert readme.headers["X-Content-Type-Options"] == "nosniff"
    values = await addition(admin, project, chart(FILES), "values.yaml")
    assert (values.json, values.headers["Content-Type"]) == ("replicas: 1\n", "text/plain; charset=utf-8")
    nothing = await addition(admin, project, chart({"app/Chart.yaml": b"name: app"}), "readme.md")
    assert (nothing.status, nothing.json) == (200, "")


async def test_files_and_dependencies_of_a_chart_are_listed(admin: Caller, project: Project) -> None:
    needed = [{"name": "redis", "version": "1.x", "repository": "https://charts.example.org"}]
    content = chart(FILES, dependencies=needed)
    assert (await addition(admin, project, content, "dependencies")).json == needed
    listed = (await addition(admin, project, content, "files")).json
    assert listed[1] == {"name": "app/values.yaml", "type": "file", "size": 12}
    assert [file["name"] for file in listed] == list(FILES)
    links = (await admin.get(path_of(f"{project.name}/team/app", "v1"))).json["addition_links"]
    assert set(links) == {"readme.md", "values.yaml", "dependencies", "files"}
    for link in links.values():
        assert (await admin.get(link["href"])).status == 200


def archive_of(*members: tarfile.TarInfo) -> Content:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return image([gzip.compress(packed.getvalue())], kind=HELM, config=b"{}")


def member(name: str, kind: bytes = tarfile.REGTYPE, *, target: str = "", size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, size
    return made


def long_names(count: int) -> bytes:
    """Headers that each give the next one another name: there is no end to what a member is called."""
    header = member("././@LongLink", tarfile.GNUTYPE_LONGNAME, size=2)
    return (header.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")) * count


@pytest.mark.parametrize(
    "archive",
    [
        archive_of(member("app/README.md", tarfile.SYMTYPE, target="/etc/passwd")),
        archive_of(
            member("app/secret", size=9), member("app/README.md", tarfile.LNKTYPE, target="app/secret")
        ),
        archive_of(member("app/README.md", tarfile.CHRTYPE)),
        archive_of(member("../README.md/..", size=3)),
        archive_of(member("app/README.md", size=(4 << 20) + 1)),
    ],
    ids=["symbolic link", "hard link", "device", "path upwards", "over 4 MB"],
)
async def test_only_plain_files_of_a_sensible_size_are_read(
    admin: Caller, project: Project, archive: Content
) -> None:
    answer = await addition(admin, project, archive, "readme.md")
    assert (answer.status, answer.json) == (200, "")


@pytest.mark.parametrize(
    "layer",
    [
        b"no archive at all",
        gzip.compress(b"no tar"),
        gzip.compress(b"x" * 5_000)[:20],
        gzip.compress(b"\0" * ((32 << 20) + 1)),
        unique((8 << 20) + 1),
        gzip.compress(long_names(2_000)),
    ],
    ids=["no gzip", "no tar", "cut off", "a bomb", "over 8 MB", "a member with 2,000 names"],
)
async def test_odd_archive_is_refused(admin: Caller, project: Project, layer: bytes) -> None:
    answer = await addition(admin, project, image([layer], kind=HELM, config=b"{}"), "values.yaml")
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("content", "name", "status"),
    [
        (fresh_image(), "readme.md", 400),
        (chart(FILES), "build_history", 400),
        (index([fresh_image()]), "build_history", 400),
        (image([unique()], config=b"not json"), "build_history", 400),
        (fresh_image(), "sbom", 400),
        (fresh_image(), "unheard-of", 422),
        (fresh_image(), "vulnerabilities", 404),
    ],
)
async def test_artifacts_have_only_the_additions_of_their_type(
    admin: Caller, project: Project, content: Content, name: str, status: int
) -> None:
    assert (await addition(admin, project, content, name)).status == status


async def test_every_role_reads_additions_and_strangers_learn_nothing(
    admin: Caller, project: Project, stranger: Caller, make_user: MakeUser
) -> None:
    await addition(admin, project, fresh_image(), "build_history")
    path = path_of(f"{project.name}/team/app", "v1") + "/additions/build_history"
    for role in Role:
        assert (await (await make_user(role)).get(path)).status == 200
    for caller, status in ((stranger, 401), (await make_user(), 403)):
        missing = await caller.get(path.replace(project.name, f"{project.name}-not"))
        real = await caller.get(path)
        assert (real.status, json.dumps(real.json)) == (status, json.dumps(missing.json))


async def test_layer_that_only_others_have_is_not_read(
    admin: Caller, project: Project, make_user: MakeUser
) -> None:
    theirs = chart({"app/values.yaml": b"password: secret"})
    await pusher(admin, f"{project.name}/chart").push(theirs, "v1")
    user, other = await make_user(), unique_name("other")
    assert (await user.post("/projects", {"project_name": other})).status == 201
    config, archive = theirs.blobs
    # Nobody has to push layers of this type, so a manifest can name any.
    foreign = [descriptor(FOREIGN_LAYER, archive)]
    mine = image([], kind=HELM, config=config, layers=foreign)
    digest = await pusher(user, f"{other}/chart").push(mine)
    for name in ("values.yaml", "readme.md", "files"):
        answer = await user.get(path_of(f"{other}/chart", digest) + f"/additions/{name}")
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
