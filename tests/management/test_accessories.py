"""Accessories: what belongs to an artifact, by its subject or by a name that cosign gave it."""

from tests.conformance.content import MANIFEST, artifact, descriptor, unique
from tests.management.client import Caller
from tests.management.conftest import Project
from tests.management.content import digests, fresh_image, path_of, pusher


async def test_accessories_belong_to_their_subject(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    repository, subject = pusher(admin, name), fresh_image()
    sbom = artifact("application/vnd.example.sbom", unique(), subject=subject.descriptor())
    signature = fresh_image()
    await repository.push(sbom)
    digest = await repository.push(subject, "v1")
    await repository.push(signature, f"sha256-{digest.removeprefix('sha256:')}.sig")
    listed = await admin.get(path_of(name) + "/artifacts")
    assert (digests(listed), listed.total) == ([digest], 1)
    found = listed.json[0]["accessories"]
    assert {(one["digest"], one["type"]) for one in found} == {
        (sbom.digest, "subject.accessory"),
        (signature.digest, "signature.cosign"),
    }
    assert {one["subject_artifact_digest"] for one in found} == {digest}
    alone = await admin.get(path_of(name, "v1") + "/accessories", q=f"digest={sbom.digest}")
    assert (alone.json, alone.total) == ([one for one in found if one["digest"] == sbom.digest], 1)
    without = await admin.get(path_of(name) + "/artifacts", with_accessory="false", with_tag="false")
    assert (without.json[0]["accessories"], without.json[0]["tags"]) == (None, None)


async def test_accessory_without_its_subject_is_an_artifact_like_others(
    admin: Caller, project: Project
) -> None:
    lonely = artifact(subject=descriptor(MANIFEST, unique()), payload=unique())
    digest = await pusher(admin, f"{project.name}/app").push(lonely)
    assert digests(await admin.get(path_of(f"{project.name}/app") + "/artifacts")) == [digest]
