"""Our own images are really built, by buildah without a daemon, from a base that a registry on loopback serves.

The base is a stand-in under the name that the Containerfile asks for: an image with one file. So the build is real and
what it starts is not; only images whose Containerfile runs nothing can be built from it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from airgap_bundle.registry import Registry
from skerry.catalog import load_catalog
from skerry.images import ImageReference
from tests.simulators.registry_debian import debian_registry
from tests.simulators.registry_images import image

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.registry

REGISTRIES = """
unqualified-search-registries = []
[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "{address}/docker.io"
insecure = true
"""
STORAGE = '[storage]\ndriver = "vfs"\nrunroot = "{0}/run"\ngraphroot = "{0}/graph"\n'
POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}'


def buildah(folder: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "BUILDAH_ISOLATION": "chroot",
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
    }
    command = ["buildah", arguments[0], "--signature-policy", str(folder / "policy.json"), *arguments[1:]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name, program", [("health-probe", "/opt/skerry/probe.py"), ("stand-in", "/opt/skerry/service.py")]
)
def test_an_image_of_ours_is_built_from_its_pinned_base(name: str, program: str, tmp_path: Path) -> None:
    if shutil.which("buildah") is None:
        pytest.skip("buildah not installed (Debian: buildah)")
    base = ImageReference.parse(load_catalog().images["python"].reference)
    with debian_registry(tmp_path / "registry") as address:
        image({"base": 2048}).push(address, f"docker.io/{base.repository}", base.tag)
        (tmp_path / "registries.conf").write_text(REGISTRIES.format(address=address), encoding="utf-8")
        (tmp_path / "storage.conf").write_text(STORAGE.format(tmp_path), encoding="utf-8")
        (tmp_path / "policy.json").write_text(POLICY, encoding="utf-8")
        file, target = f"images/{name}/Containerfile", f"{address}/skerry/{name}:test"
        fixed = ("--timestamp", "0", "--build-arg", "REVISION=abc", "--build-arg", "VERSION=9.8.7")
        digests = set()
        for _ in range(2):
            buildah(tmp_path, "build", "-q", "--no-cache", *fixed, "-f", file, "-t", target, f"images/{name}")
            buildah(tmp_path, "push", "-q", "--tls-verify=false", target)
            found = Registry.at(address).find_manifest(f"skerry/{name}", "test")
            assert found is not None
            digests.add(found.digest)
        inspected = json.loads(
            subprocess.run(
                ["skopeo", "inspect", "--config", "--tls-verify=false", f"docker://{target}"],
                capture_output=True, text=True, timeout=60, check=True,
            ).stdout
        )  # fmt: skip
    assert len(digests) == 1, "the same sources make the same image"
    assert inspected["config"]["User"] == "65532:65532"
    assert inspected["config"]["Entrypoint"] == ["python3", "-I", program]
    labels = inspected["config"]["Labels"]
    assert (labels["org.opencontainers.image.version"], labels["org.opencontainers.image.revision"]) == ("9.8.7", "abc")
    assert labels["org.opencontainers.image.title"] == f"skerry-{name}"
