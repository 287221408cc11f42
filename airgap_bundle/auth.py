"""Credentials for registries: docker's config.json, and the answer to a `WWW-Authenticate` challenge."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skerry.errors import UsageError

_PARAMETER = re.compile(r'([a-zA-Z_]+)="([^"]*)"')
# The keys under which docker keeps the Docker Hub login. Source: docker/cli v28.5.1 cli/command/registry.go,
# distribution/reference v0.6.0 normalize.go, read 2026-11
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """A user name and a password; never shown."""

    user: str
    password: str

    @property
    def basic(self) -> str:
        """The value of an `Authorization` header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def __repr__(self) -> str:
        """Return the mask, never the password."""
        return "<login>"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry asks for with status 401."""

    scheme: str
    """`basic` or `bearer`, lower case."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """`realm`, `service`, `scope`."""


def parse_challenge(header: str) -> Challenge:
    """Read a `WWW-Authenticate` header; an empty scheme means that none could be read."""
    scheme, _, rest = header.partition(" ")
    return Challenge(scheme.lower(), dict(_PARAMETER.findall(rest)))


def read_logins(path: Path) -> dict[str, Login]:
    """Read the logins of a docker config.json, by registry host.

    Only `auths` with `auth` or `username` and `password` are read; credential helpers are programs and are not run.

    Raises:
        UsageError: the file cannot be read or is not of that form.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        entries = document.get("auths", {})
        logins = {}
        for key, entry in entries.items():
            login = _login(entry)
            if login is not None:
                logins[_host(key)] = login
    except (OSError, ValueError, AttributeError, binascii.Error) as exc:
        raise UsageError(
            f"the credentials file {path} cannot be read as docker's config.json: {type(exc).__name__}; "
            "write one with `docker login` or `skopeo login --authfile`"
        ) from exc
    return logins


def find_logins(environment: Mapping[str, str], home: Path) -> Path | None:
    """Return the credentials file that other clients would use; None where there is none.

    `REGISTRY_AUTH_FILE` and `DOCKER_CONFIG` are taken at their word, so a wrong one fails when it is read; then come
    the files of podman and of docker, where they exist.

    # Source: containers/image docs/containers-auth.json.5.md; docker/cli "Change the .docker directory", read 2026-11
    """
    if environment.get("REGISTRY_AUTH_FILE"):
        return Path(environment["REGISTRY_AUTH_FILE"])
    if environment.get("DOCKER_CONFIG"):
        path = Path(environment["DOCKER_CONFIG"]) / "config.json"
        return path if path.exists() else None
    runtime = environment.get("XDG_RUNTIME_DIR")
    found = [Path(runtime) / "containers" / "auth.json"] if runtime else []
    found += [home / ".config" / "containers" / "auth.json", home / ".docker" / "config.json"]
    return next((path for path in found if path.is_file()), None)


def _login(entry: Mapping[str, str]) -> Login | None:
    if entry.get("auth"):
        user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
        return Login(user, password)
    if entry.get("username"):
        return Login(entry["username"], entry.get("password", ""))
    return None


def _host(key: str) -> str:
    if key in _HUB_KEYS:
        return "docker.io"
    return key.removeprefix("https://").removeprefix("http://").split("/")[0]
