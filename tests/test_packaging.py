"""The locks: complete, hashed, in agreement, and enough to make an empty clone work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LOCKS = [ROOT / "requirements.txt", *sorted((ROOT / "requirements").glob("*.txt"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SETS = {"requirements.txt": [], "requirements/aws.txt": ["aws"], "requirements/all.txt": ["aws", "gcp", "azure", "dev"]}
PLATFORMS = [
    (version, platform)
    for version in ("3.11", "3.12", "3.13", "3.14")
    for platform in ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin")
]


def pins(path: Path) -> dict[str, str]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.match(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", line)
        if match:
            found[match.group(1).lower().replace("_", "-")] = match.group(2)
    return found


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_a_hash_and_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    assert [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_all_sets_agree_on_every_version(path: Path) -> None:
    everything = pins(ROOT / "requirements" / "all.txt")
    assert {name: version for name, version in pins(path).items() if everything.get(name) != version} == {}


@pytest.mark.parametrize("name", SETS)
def test_the_lock_meets_what_the_project_asks_for(name: str) -> None:
    wanted = list(PROJECT["dependencies"])
    for extra in SETS[name]:
        wanted += PROJECT["optional-dependencies"][extra]
    found = pins(ROOT / name)
    for text in wanted:
        requirement = Requirement(text)
        version = found.get(requirement.name.lower().replace("_", "-"))
        assert version is not None, f"{text} is not in {name}: run `make lock`"
        assert requirement.specifier.contains(version), f"{text} against {version} in {name}: run `make lock`"


def test_the_core_set_brings_no_cloud() -> None:
    clouds = {"pulumi-aws", "pulumi-gcp", "pulumi-azure-native", "boto3"}
    assert clouds & set(pins(ROOT / "requirements.txt")) == set()


def index_environment() -> dict[str, str]:
    """Return the environment in which uv asks the index that pip is set up for."""
    environment = dict(os.environ)
    for theirs, ours in (("SSL_CERT_FILE", "PIP_CERT"), ("UV_DEFAULT_INDEX", "PIP_INDEX_URL")):
        if ours in environment:
            environment.setdefault(theirs, environment[ours])
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    return environment


UNREACHABLE = ("Failed to fetch", "error sending request", "Network connectivity is disabled", "dns error")


@pytest.mark.network
@pytest.mark.parametrize(("version", "platform"), PLATFORMS, ids=lambda value: value)
def test_the_core_set_has_wheels_for_every_platform(version: str, platform: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [
            str(Path(sys.executable).with_name("uv")), "pip", "install", "--dry-run", "--quiet",
            "--target", str(tmp_path), "--python-version", version, "--python-platform", platform,
            "--only-binary", ":all:", "--require-hashes", "-r", str(ROOT / "requirements.txt"),
        ],
        capture_output=True, text=True, timeout=120, check=False, env=index_environment(),
    )  # fmt: skip
    if any(sign in result.stderr for sign in UNREACHABLE):
        pytest.skip(f"no package index answers, so wheels for {platform} were not looked up: {result.stderr[:200]}")
    assert result.returncode == 0, result.stderr


@pytest.mark.network
def test_an_empty_clone_works_with_requirements_txt_alone(tmp_path: Path) -> None:
    """What `pulumi install` does: a virtual environment and requirements.txt, nothing else."""
    clone = tmp_path / "clone"
    shutil.copytree(
        ROOT, clone, ignore=shutil.ignore_patterns(".git", ".venv*", "build", "__pycache__", ".*_cache", "tests")
    )
    subprocess.run([sys.executable, "-m", "venv", str(clone / ".venv")], check=True, timeout=120)
    python = clone / ".venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", clone / "requirements.txt"]
    subprocess.run([str(word) for word in install], check=True, timeout=280, cwd=clone)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    result = subprocess.run(
        [str(python), "-m", "cli.main", "preview", "--stack", "sensei-airgapped", "--depth", "1"],
        capture_output=True, text=True, timeout=120, cwd=clone, env=environment, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "resources" in result.stdout
