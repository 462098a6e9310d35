"""The Kubernetes manifests as their objects, and what their pods run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DIRECTORIES = (ROOT / "k8s/base", ROOT / "k8s/example")
LISTS = {"resources", "patches"}

Object = Mapping[str, Any]


def read(path: Path) -> list[Object]:
    """Return the objects of one file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def kustomization(directory: Path) -> Object:
    """Return what says which files of a directory belong together."""
    return read(directory / "kustomization.yaml")[0]


def listed(directory: Path) -> set[str]:
    """Return the files that a kustomization names."""
    found = kustomization(directory)
    return {*found["resources"], *(patch["path"] for patch in found.get("patches", ()))}


def objects() -> dict[str, Object]:
    """Return what is applied, by kind and name."""
    files = [directory / name for directory in DIRECTORIES for name in kustomization(directory)["resources"]]
    return {
        f"{each['kind']}/{each['metadata']['name']}": each
        for file in files
        if file.is_file()
        for each in read(file)
    }


@dataclass(frozen=True)
class Workload:
    """A Deployment or Job of ours: its one pod template with its one container."""

    name: str
    pod: Object
    labels: Mapping[str, str]

    @property
    def container(self) -> Object:
        """The only container."""
        (container,) = self.pod["containers"]
        found: Object = container
        return found

    @property
    def verb(self) -> str:
        """Which command of ours it runs."""
        return str(self.container["args"][0])


def workloads() -> Iterator[Workload]:
    """Yield everything that runs."""
    for name, each in objects().items():
        if template := each.get("spec", {}).get("template"):
            yield Workload(name, template["spec"], template["metadata"]["labels"])


def environment(workload: Workload, secret: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a container gets, with these values in the Secret `roadstead`."""
    applied = objects()
    variables: dict[str, str] = {}
    for source in workload.container["envFrom"]:
        name = source["configMapRef"]["name"]
        variables |= applied[f"ConfigMap/{name}"]["data"] | _patch_of(name)
    for each in workload.container["env"]:
        variables[each["name"]] = secret[each["valueFrom"]["secretKeyRef"]["key"]]
    return variables


def _patch_of(config_map: str) -> Mapping[str, str]:
    (patch,) = read(ROOT / "k8s/example/settings.yaml")
    assert patch["metadata"]["name"] == config_map
    data: Mapping[str, str] = patch["data"]
    return data
