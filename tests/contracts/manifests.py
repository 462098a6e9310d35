"""The Kubernetes manifests as their objects, and what their pods run."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DIRECTORIES = tuple(ROOT / "k8s" / name for name in ("base", "example", "s3", "autoscaling"))
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
    return {*found.get("resources", ()), *(patch["path"] for patch in found.get("patches", ()))}


def objects() -> dict[str, Object]:
    """Return what is applied, by kind and name."""
    files = [
        directory / name
        for directory in DIRECTORIES
        for name in kustomization(directory).get("resources", ())
    ]
    return {
        f"{each['kind']}/{each['metadata']['name']}": each
        for file in files
        if file.is_file()
        for each in read(file)
    }


def objects_on_s3() -> dict[str, Object]:
    """Return what is applied with the component `s3`: as much of kustomize as its patches need."""
    applied: dict[str, Any] = deepcopy(objects())
    directory = ROOT / "k8s/s3"
    for patch in kustomization(directory)["patches"]:
        change: Any = read(directory / patch["path"])[0]
        if "target" in patch:
            targets = [each for name, each in applied.items() if _is_target(name, patch["target"])]
            for target, operation in product(targets, change):
                _operate(target, **operation)
        else:
            _merge(applied, change)
    return applied


def _merge(applied: dict[str, Any], change: Object) -> None:
    name = f"{change['kind']}/{change['metadata']['name']}"
    if change.get("$patch") == "delete":
        del applied[name]
    else:
        applied[name]["data"] |= change["data"]


def _is_target(name: str, target: Mapping[str, str]) -> bool:
    kind, _, own = name.partition("/")
    return kind == target["kind"] and target.get("name", own) == own


def _operate(holder: Any, op: str, path: str, value: Any = None) -> None:
    """Do one operation of a JSON patch (RFC 6902)."""
    *way, last = path.split("/")[1:]
    for key in way:
        holder = holder[int(key) if isinstance(holder, list) else key]
    if op == "remove":
        del holder[last]
    else:
        assert (op, last) == ("add", "-")
        holder.append(value)


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


def workloads(applied: Mapping[str, Object] | None = None) -> Iterator[Workload]:
    """Yield everything that runs."""
    for name, each in (applied or objects()).items():
        if template := each.get("spec", {}).get("template"):
            yield Workload(name, template["spec"], template["metadata"]["labels"])


def environment(
    workload: Workload, secret: Mapping[str, str], applied: Mapping[str, Object] | None = None
) -> dict[str, str]:
    """Return the variables that a container gets, with these values in the Secret `roadstead`."""
    applied = applied or objects()
    variables: dict[str, str] = {}
    for source in workload.container["envFrom"]:
        name = source["configMapRef"]["name"]
        variables |= applied[f"ConfigMap/{name}"]["data"] | _patch_of(name)
    for each in workload.container["env"]:
        reference = each["valueFrom"]["secretKeyRef"]
        if reference["key"] in secret or not reference.get("optional"):
            variables[each["name"]] = secret[reference["key"]]
    return variables


def _patch_of(config_map: str) -> Mapping[str, str]:
    (patch,) = read(ROOT / "k8s/example/settings.yaml")
    assert patch["metadata"]["name"] == config_map
    data: Mapping[str, str] = patch["data"]
    return data
