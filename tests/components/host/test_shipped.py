"""The machines of the shipped stacks: each of their files is taken by the program that reads it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.host.files import files_of
from components.host.quoting import environment_text
from skerry.catalog import load_catalog
from skerry.config.load import load_spec
from skerry.config.spec import CONFIG_KEY
from skerry.hosts.plan import HostFile
from skerry.hosts.plans import hosts_plan

STACKS = Path(__file__).resolve().parents[3] / "stacks"
COMPOSE = "/etc/skerry/compose/compose.yaml"


def _stacks() -> Iterator[str]:
    for path in sorted(STACKS.glob("Pulumi.*.yaml")):
        if re.search(r"^ +hosts:$", path.read_text(), re.MULTILINE):
            yield path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def machines_of(stack: str) -> dict[str, dict[str, HostFile]]:
    """Return machine -> path -> file."""
    path = STACKS / f"Pulumi.{stack}.yaml"
    config = yaml.safe_load(path.read_text())["config"]
    spec = load_spec(config[CONFIG_KEY], path.name)
    plan = hosts_plan(spec, load_catalog())
    assert plan is not None
    assert spec.hosts is not None
    return {row.name: {file.path: file for file in files_of(row, plan, spec.hosts)} for row in plan.machines}


def lay(files: dict[str, HostFile], root: Path) -> None:
    """Write a machine's files under a folder, where texts name them too, with values in place of secrets."""
    own = sorted({f"/{path.split('/')[1]}/{path.split('/')[2]}/" for path in files if not path.startswith("/usr")})
    for path, file in files.items():
        text = environment_text(dict.fromkeys(file.variables, "v"), path) if file.variables else file.text
        for name in own:
            text = text.replace(f" {name}", f" {root}{name}").replace(f'"{name}', f'"{root}{name}')
        where = Path(f"{root}{path}")
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)


@pytest.mark.parametrize("stack", _stacks())
def test_every_file_of_a_stack_is_taken(
    stack: str,
    tmp_path: Path,
    need_tool: Callable[[str], str],
    load_project: Callable[[Path], tuple[dict[str, Any], list[str], str]],
) -> None:
    if os.geteuid() != 0:
        pytest.skip("asking nft and nginx needs root")
    for name in ("nft", "nginx", "haproxy", "visudo", "systemd-analyze", "wg-quick", "logrotate", "bash"):
        need_tool(name)
    for machine, files in machines_of(stack).items():
        root = tmp_path / machine
        lay(files, root)
        told = {
            path: refusal for path, file in files.items() if (refusal := _refusal(file, Path(f"{root}{path}"), root))
        }
        if COMPOSE in files:
            told |= {COMPOSE: refusal} if (refusal := load_project(Path(f"{root}{COMPOSE}"))[2]) else {}
        assert told == {}, machine


def _refusal(file: HostFile, where: Path, root: Path) -> str:
    """Return what the program that reads a file says against it."""
    path = file.path
    alone = ("unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh")
    if file.text.startswith("#!") and "sh" in file.text.splitlines()[0]:
        return _said("bash", "-n", where)
    if path.endswith(".nft"):
        return _said(*alone, "nft", "--check", "--file", where)
    if path == "/etc/nginx/nginx.conf":
        _certificates(file.text, root)
        return _said(*alone, *(word.replace("{path}", f"{where}") for word in file.check))
    if path == "/etc/haproxy/haproxy.cfg":
        _certificates(file.text, root)
        return _said("haproxy", "-c", "-f", where)
    if path.startswith("/etc/sudoers.d/"):
        return _said("visudo", "--check", "--strict", f"--file={where}")
    if path.startswith("/etc/wireguard/") and path.endswith(".conf"):
        return _said("wg-quick", "strip", where)
    if path.endswith((".service", ".timer")):
        text = _said("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", where)
        # Programs of the system itself are not installed here.
        lines = [line for line in text.splitlines() if "is not executable" not in line and "not found" not in line]
        return "\n".join(line for line in lines if "Failed to open" not in line)
    return ""


def _said(*words: str | Path) -> str:
    done = subprocess.run([f"{word}" for word in words], capture_output=True, text=True, check=False)
    return f"{done.returncode}: {done.stderr.strip()}" if done.returncode else ""


def _certificates(text: str, root: Path) -> None:
    """Make what a proxy's file names: a key, a certificate, an authority."""
    paths = set(re.findall(rf"{re.escape(str(root))}/[^\s;\"']+\.(?:pem|crt|key)", _laid(root)))
    new = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    )
    pair = (root / "made.key", root / "made.crt")
    subprocess.run([*new, "-keyout", pair[0], "-out", pair[1], "-subj", "/CN=x"], capture_output=True, check=True)
    both = pair[0].read_text() + pair[1].read_text()
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if not Path(path).exists() or not Path(path).read_text():
            Path(path).write_text(both)


def _laid(root: Path) -> str:
    names = ("etc/nginx/nginx.conf", "etc/haproxy/haproxy.cfg")
    return "".join((root / name).read_text() for name in names if (root / name).exists())
