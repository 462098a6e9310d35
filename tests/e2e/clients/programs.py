"""The client programs: which test module needs which, and how a missing one is installed."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

TIMEOUT = 60


_OWN_STORE_FAILED = "rpc error: code = Internal desc = unexpected EOF"


@dataclass(frozen=True)
class Need:
    """Something that must be on this machine for a test module to run."""

    name: str
    remedy: str
    is_package: bool = False

    def is_met(self) -> bool:
        if self.name == "root":
            return os.geteuid() == 0
        return find_spec(self.name) is not None if self.is_package else shutil.which(self.name) is not None


def _program(name: str, package: str = "") -> Need:
    return Need(name, f"apt-get install --no-install-recommends {package or name}")


def _package(name: str, distribution: str) -> Need:
    return Need(name, f"pip install {distribution}", is_package=True)


_ROOT = Need("root", "run the tests as root")

NEEDS: Mapping[str, tuple[Need, ...]] = {
    "test_skopeo.py": (_program("skopeo"),),
    "test_podman.py": (_program("podman"), _ROOT),
    "test_buildah.py": (_program("buildah"), _ROOT),
    "test_docker.py": (_program("dockerd", "docker.io iptables"), _program("docker", "docker.io"), _ROOT),
    "test_containerd.py": (_program("containerd"), _program("ctr", "containerd"), _ROOT),
    "test_helm.py": (_package("helm_python", "helm-python-sdk"),),
    "test_oras_py.py": (_package("oras", "oras"),),
    "test_harborapi.py": (_package("harborapi", "harborapi"),),
    "test_harborapi_artifacts.py": (_package("harborapi", "harborapi"),),
    "test_harborapi_webhooks.py": (_package("harborapi", "harborapi"),),
    "test_dxf.py": (_package("dxf", "python-dxf"), _program("openssl")),
    "test_tls.py": (_program("openssl"), _program("skopeo")),
    "test_nginx.py": (_program("nginx"), _program("openssl")),
    "test_nginx_downloads.py": (_program("nginx"),),
    "test_presigned_uploads.py": tuple(map(_program, ("curl", "jq", "bash"))),
    "test_receive_webhooks.py": (_program("go", "golang-go"), _program("node", "nodejs")),
    "test_image.py": (*map(_program, ("mmdebstrap", "buildah", "podman", "runc")), _ROOT),
}
REQUIRED = os.environ.get("REQUIRE_CLIENTS") == "1"


def missing(modules: Iterable[str]) -> dict[str, str]:
    """Names what these test modules need and this machine lacks, each with its remedy."""
    return {
        need.name: need.remedy for module in modules for need in NEEDS.get(module, ()) if not need.is_met()
    }


def describe_missing() -> str:
    """Names every missing client and what installs it, in one line."""
    return "; ".join(f"{name} ({remedy})" for name, remedy in missing(NEEDS).items())


@dataclass(frozen=True)
class Program:
    """A client program with the options and environment that keep one test's files apart from all others."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    timeout: float = TIMEOUT

    @classmethod
    def at(cls, home: Path, *command: str, **environment: str) -> "Program":
        base = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
        return cls(command, base | environment)

    def succeeds(self, *arguments: str | Path, stdin: str = "") -> str:
        """Runs it, and returns what it printed; a failure shows everything it said."""
        done = self._run(arguments, stdin)
        if _OWN_STORE_FAILED in done.stderr:
            # containerd, seen rarely: its daemon could not read the store of its own content.
            done = self._run(arguments, stdin)
        assert done.returncode == 0, f"{done.args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def fails(self, *arguments: str | Path, stdin: str = "") -> str:
        """Runs it, and returns all it said; it must not succeed."""
        done = self._run(arguments, stdin)
        assert done.returncode != 0, f"{done.args} succeeded:\n{done.stdout}{done.stderr}"
        return f"{done.stdout}{done.stderr}"

    def _run(self, arguments: Iterable[str | Path], stdin: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=self.timeout,
            check=False,
        )
