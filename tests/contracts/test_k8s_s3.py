"""The component that puts blobs into a bucket: pods need no volume with it, and reach the bucket."""

import kubernetes_validate
import pytest

from app.settings import load
from tests.contracts.manifests import Object, Workload, environment, objects, objects_on_s3, workloads
from tests.contracts.test_k8s_objects import VERSIONS
from tests.contracts.test_k8s_settings import REAL, image_environment

OBJECTS = objects_on_s3()
WORKLOADS = {workload.name: workload for workload in workloads(OBJECTS)}
KEYS = {"storage-access-key": "key", "storage-secret-key": "secret"}

every_workload = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("each", OBJECTS.values(), ids=OBJECTS)
def test_an_object_is_valid(each: Object, version: str) -> None:
    assert kubernetes_validate.validate(each, version, strict=True) == version.removesuffix(".0")


def test_only_the_volume_goes() -> None:
    assert set(objects()) - set(OBJECTS) == {"PersistentVolumeClaim/roadstead"}
    assert set(OBJECTS) <= set(objects())


@every_workload
def test_a_pod_has_no_volume(workload: Workload) -> None:
    assert "volumes" not in workload.pod
    assert "volumeMounts" not in workload.container
    assert "fsGroup" not in workload.pod["securityContext"]


@every_workload
@pytest.mark.parametrize("keys", [KEYS, {}], ids=["with keys", "by the role of the pods"])
def test_a_workload_is_told_of_the_bucket(workload: Workload, keys: dict[str, str]) -> None:
    given = {**image_environment(), **environment(workload, {**REAL, **keys}, OBJECTS)}
    settings = load(given)
    assert (settings.storage.driver, settings.storage.bucket) == ("s3", "roadstead")
    expected = KEYS if keys and workload.verb != "migrate" else {}
    assert settings.storage.access_key == expected.get("storage-access-key", "")
    assert settings.storage.secret_key == expected.get("storage-secret-key", "")
    assert settings.downloads.redirect_bytes == 1 << 20


def test_pods_may_reach_the_bucket() -> None:
    rules = OBJECTS["NetworkPolicy/roadstead-to-servers"]["spec"]["egress"]
    ports = [port["port"] for rule in rules for port in rule["ports"]]
    assert sorted(ports) == [53, 53, 443, 5432, 6379]
