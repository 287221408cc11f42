#!/usr/bin/python3
"""Stand in for `docker compose` on a simulated machine: processes instead of containers, from the rendered files.

It reads the project as it was rendered (`include`, `depends_on`, `healthcheck`, `environment`, `ports`) and starts for
each service the stand-in of its kind, on the published address. What it does as the real one: a service starts once all
that it depends on are healthy or completed, `up --wait` fails where one is not, and what runs is left alone. What it
does not: images, networks, limits, volumes. Health is asked of the stand-in by HTTP, at intervals divided by SCALE.

Under the name `docker` it is `docker compose ...`; the words `serve NAME` are one service of it, a unit of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

HOME = Path("/var/lib/compose-stand-in")
SCALE = 30.0
"""30 s between two questions become 1 s."""
SLACK_S = 10.0
"""What a busy machine may take to start a process at all."""
PROGRAM = HOME / "mesh.py"


def services(folder: Path) -> dict[str, dict]:
    """Return the services of the rendered project."""
    whole = yaml.safe_load((folder / "compose.yaml").read_text())
    found = dict(whole.get("services") or {})
    for name in whole.get("include", []):
        found |= yaml.safe_load((folder / name).read_text())["services"]
    return found


def seconds(text: str) -> float:
    """Return a rendered duration, scaled."""
    return float(text.removesuffix("s")) / SCALE


def log(word: str, name: str) -> None:
    """Write down what happened, and when."""
    with (HOME / "events.jsonl").open("a") as file:
        file.write(json.dumps({"at": time.monotonic(), "did": word, "service": name}) + "\n")


def unit(name: str) -> str:
    """Return the unit of a service."""
    return f"stood-in-{name}.service"


def active(name: str) -> bool:
    """Say whether a service runs."""
    return subprocess.run(["systemctl", "is-active", "-q", unit(name)], check=False).returncode == 0


def place(row: dict) -> tuple[str, int] | None:
    """Return where a service's TCP port is published."""
    ports = [port for port in row.get("ports", []) if port["protocol"] == "tcp"]
    return (ports[0]["host_ip"], int(ports[0]["published"])) if ports else None


def health_of(row: dict) -> str | None:
    """Return the URL that a service's health check asks, on the published address."""
    found = place(row)
    return f"http://{'127.0.0.1' if found[0] == '0.0.0.0' else found[0]}:{found[1]}/health" if found else None


def start(name: str, row: dict) -> None:
    """Start a service's stand-in as a unit."""
    found = place(row)
    words = ["systemd-run", "--quiet", f"--unit={unit(name)}", "--collect", f"--setenv=STAND_IN_NAME={name}"]
    environment = {key: str(value) for key, value in (row.get("environment") or {}).items()}
    if found:
        environment |= {"HOST": found[0], "PORT": str(found[1])}
    udp = [int(port["published"]) for port in row.get("ports", []) if port["protocol"] == "udp"]
    environment |= {"QUIC_PORT": str(udp[0])} if udp else {}
    kind = "agentdb" if name == "agentdb" else "service"
    words += [f"--setenv={key}={value}" for key, value in environment.items()]
    subprocess.run([*words, "/usr/bin/python3", str(PROGRAM), kind], check=True)
    log("started", name)


def healthy(name: str, row: dict) -> bool:
    """Wait until a service is healthy, as its health check says; False where it does not become so."""
    check, url = row.get("healthcheck"), health_of(row)
    if not check or url is None:
        return active(name)
    interval, tries = seconds(check["interval"]), int(check["retries"])
    end = time.monotonic() + seconds(check.get("start_period", "0s")) + interval * tries + SLACK_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    log("healthy", name)
                    return True
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(min(interval, 0.2))
    log("unhealthy", name)
    return False


def up(rows: dict[str, dict], wanted: list[str]) -> int:
    """Start services with what they depend on; return how many are not well."""
    state: dict[str, bool] = {}
    pending, reach = list(wanted or rows), []
    while pending:
        name = pending.pop()
        if name not in reach:
            reach.append(name)
            pending += list(rows[name].get("depends_on") or {})
    left = [name for name in rows if name in reach]
    while left:
        ready = [name for name in left if all(need in state for need in rows[name].get("depends_on") or {})]
        if not ready:
            print(f"a circle among {', '.join(left)}", file=sys.stderr)
            return 1
        begun = []
        for name in ready:
            left.remove(name)
            bad = [need for need in rows[name].get("depends_on") or {} if not state[need]]
            if bad:
                state[name] = False
                log("not started", name)
                print(f"dependency failed to start: {', '.join(bad)} is unhealthy, so {name} waits", file=sys.stderr)
                continue
            if not active(name):
                start(name, rows[name])
            begun.append(name)
        for name in begun:
            state[name] = healthy(name, rows[name])
    return sum(not row for row in state.values())


def main() -> int:
    """Do what is asked, and return the exit code."""
    words = [word for word in sys.argv[1:] if word != "compose"]
    folder = Path.cwd()
    if "--project-directory" in words:
        at = words.index("--project-directory")
        folder = Path(words[at + 1])
        del words[at : at + 2]
    if words[:1] == ["version"]:
        print("a stand-in for Docker Compose")
        return 0
    if words[:1] in (["login"], ["network"], ["info"]):
        return 0
    rows = services(folder)
    if words[:1] == ["config"]:
        return 0
    if words[:1] == ["up"]:
        return 1 if up(rows, [word for word in words[1:] if not word.startswith("-")]) else 0
    if words[:1] == ["stop"]:
        for name in words[1:] or rows:
            subprocess.run(["systemctl", "stop", unit(name)], check=False, capture_output=True)
        return 0
    print(f"the stand-in of Docker Compose does not know {words}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    HOME.mkdir(exist_ok=True)
    sys.exit(main())
