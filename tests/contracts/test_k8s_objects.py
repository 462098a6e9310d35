"""The Kubernetes manifests: valid by Kubernetes' own schemas, confined, and true to one another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from tests.contracts.manifests import (
    DIRECTORIES,
    ROOT,
    Object,
    Workload,
    kustomization,
    listed,
    objects,
    read,
    workloads,
)

OBJECTS = objects()
WORKLOADS = {workload.name: workload for workload in workloads()}
VERSIONS = ("1.30", kubernetes_validate.latest_version())
"""The oldest Kubernetes that docs/how-to/kubernetes.md names, and the newest that we have schemas of."""

every_workload = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("each", OBJECTS.values(), ids=OBJECTS)
def test_an_object_is_valid(each: Object, version: str) -> None:
    assert kubernetes_validate.validate(each, version, strict=True) == version.removesuffix(".0")


def test_validation_notices_an_unknown_field() -> None:
    wrong = {**OBJECTS["Service/roadstead"], "specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda path: path.name)
def test_a_kustomization_names_every_file_and_no_other(directory: Path) -> None:
    files = {path.name for path in directory.glob("*.yaml")} - {"kustomization.yaml"}
    others = {name for name in listed(directory) if (directory / name / "kustomization.yaml").is_file()}
    assert listed(directory) - others == files


def test_the_example_changes_what_the_base_has() -> None:
    example = kustomization(ROOT / "k8s/example")
    (patch,) = read(ROOT / "k8s/example/settings.yaml")
    assert f"{patch['kind']}/{patch['metadata']['name']}" in OBJECTS
    replaced = {image["name"] for image in example["images"]}
    assert {workload.container["image"] for workload in WORKLOADS.values()} == replaced


@every_workload
def test_a_pod_may_do_as_little_as_can_be(workload: Workload) -> None:
    """What the pod security standard `restricted` asks for, and a root file system that cannot be written."""
    pod, container = workload.pod, workload.container["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)


@every_workload
def test_a_pod_is_told_nothing_about_services(workload: Workload) -> None:
    """ROADSTEAD_PORT and the like, which describe the Service `roadstead`, would be refused as settings."""
    assert workload.pod["enableServiceLinks"] is False


@every_workload
def test_a_container_has_bounds(workload: Workload) -> None:
    resources = workload.container["resources"]
    assert set(resources["requests"]) == {"cpu", "memory", "ephemeral-storage"}
    assert set(resources["limits"]) == {"memory", "ephemeral-storage"}


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name.startswith("Deployment/")])
def test_of_several_pods_only_one_goes_at_a_time(name: str) -> None:
    """When nodes are drained."""
    budgets = [
        (each["spec"]["maxUnavailable"], each["spec"]["unhealthyPodEvictionPolicy"])
        for kind, each in OBJECTS.items()
        if kind.startswith("PodDisruptionBudget/")
        and _selects(each["spec"]["selector"]["matchLabels"], WORKLOADS[name])
    ]
    assert budgets == ([(1, "AlwaysAllow")] if OBJECTS[name]["spec"]["replicas"] > 1 else [])


def test_the_autoscaler_alone_says_how_many_servers_there_are() -> None:
    scaled = OBJECTS["HorizontalPodAutoscaler/roadstead-server"]["spec"]
    target = f"{scaled['scaleTargetRef']['kind']}/{scaled['scaleTargetRef']['name']}"
    (patch,) = kustomization(ROOT / "k8s/autoscaling")["patches"]
    assert f"{patch['target']['kind']}/{patch['target']['name']}" == target
    operations: Any = read(ROOT / "k8s/autoscaling" / patch["path"])
    assert operations == [[{"op": "remove", "path": "/spec/replicas"}]]
    assert scaled["minReplicas"] == OBJECTS[target]["spec"]["replicas"]


@every_workload
def test_what_a_pod_refers_to_is_there(workload: Workload) -> None:
    pod, container = workload.pod, workload.container
    keys = OBJECTS["Secret/roadstead"]["stringData"]
    assert f"ServiceAccount/{pod['serviceAccountName']}" in OBJECTS
    claims = [volume["persistentVolumeClaim"]["claimName"] for volume in pod.get("volumes", ())]
    assert [claim for claim in claims if f"PersistentVolumeClaim/{claim}" not in OBJECTS] == []
    named = [each["valueFrom"]["secretKeyRef"] for each in container["env"]]
    assert [each for each in named if each["name"] != "roadstead" or each["key"] not in keys] == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Service/roadstead", ("spec", "selector")),
        ("PodDisruptionBudget/roadstead-server", ("spec", "selector", "matchLabels")),
        ("NetworkPolicy/clients-to-server", ("spec", "podSelector", "matchLabels")),
    ],
)
def test_what_is_about_servers_selects_servers_only(name: str, path: tuple[str, ...]) -> None:
    selector = OBJECTS[name]
    for key in path:
        selector = selector[key]
    selected = [workload.name for workload in WORKLOADS.values() if _selects(selector, workload)]
    assert selected == ["Deployment/roadstead-server"]


def test_every_pod_may_reach_its_servers() -> None:
    selector = OBJECTS["NetworkPolicy/roadstead-to-servers"]["spec"]["podSelector"]["matchLabels"]
    assert all(_selects(selector, workload) for workload in WORKLOADS.values())


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name.startswith("Deployment/")])
def test_a_deployment_selects_and_spreads_its_own_pods(name: str) -> None:
    selector = OBJECTS[name]["spec"]["selector"]["matchLabels"]
    (spread,) = WORKLOADS[name].pod["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == selector
    assert [other for other, workload in WORKLOADS.items() if _selects(selector, workload)] == [name]


def test_probes_and_routes_end_at_the_port_of_the_server() -> None:
    (port,) = WORKLOADS["Deployment/roadstead-server"].container["ports"]
    (served,) = OBJECTS["Service/roadstead"]["spec"]["ports"]
    (rule,) = OBJECTS["Ingress/roadstead"]["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert served["targetPort"] == port["name"]
    assert backend == {"name": "roadstead", "port": {"name": served["name"]}}


def _selects(selector: Mapping[str, str], workload: Workload) -> bool:
    return selector.items() <= workload.labels.items()
