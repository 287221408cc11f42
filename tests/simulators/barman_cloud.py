"""Barman's commands with the arguments that CloudNativePG's plugin makes of an `ObjectStore`.

Source: cloudnative-pg/barman-cloud v0.5.1 pkg/archiver/command.go, pkg/backup/backup.go, pkg/command/commandbuilder.go,
pkg/restorer/restorer.go and pkg/credentials/env.go, read 2026-11.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulators.servers import Postgres, program


@dataclass(frozen=True)
class Barman:
    """One archive: an `ObjectStore` as it was rendered, its Secrets, and the name of the server in it."""

    spec: Mapping[str, Any]
    secrets: Mapping[str, Mapping[str, str]]
    server: str

    @property
    def configuration(self) -> Mapping[str, Any]:
        return dict(self.spec["configuration"])

    def environment(self) -> dict[str, str]:
        """Return what the sidecar sets: the values of the named Secrets, and the variables of the spec."""
        keys = self.configuration["s3Credentials"]
        found = {
            "AWS_ACCESS_KEY_ID": self._secret(keys["accessKeyId"]),
            "AWS_SECRET_ACCESS_KEY": self._secret(keys["secretAccessKey"]),
        }
        return found | {row["name"]: row["value"] for row in self.spec["instanceSidecarConfiguration"]["env"]}

    def _secret(self, reference: Mapping[str, str]) -> str:
        return self.secrets[reference["name"]][reference["key"]]

    def _place(self) -> list[str]:
        return ["--endpoint-url", self.configuration["endpointURL"], "--cloud-provider", "aws-s3"]

    def _whose(self) -> list[str]:
        return [self.configuration["destinationPath"], self.server]

    def archive_command(self) -> str:
        """Return PostgreSQL's `archive_command`."""
        wal = self.configuration["wal"]
        options = [f"--{wal['compression']}"]
        if "encryption" in wal:
            options += ["-e", wal["encryption"]]
        words = [program("barman-cloud-wal-archive"), *options, *self._place(), *self._whose()]
        return f"{shlex.join(words)} %p"

    def restore_command(self) -> str:
        """Return PostgreSQL's `restore_command`."""
        words = [program("barman-cloud-wal-restore"), *self._place(), *self._whose()]
        return f"{shlex.join(words)} %f %p"

    def check(self) -> subprocess.CompletedProcess[str]:
        """Ask whether the archive is empty, as the operator does before the first backup."""
        return self._run("barman-cloud-check-wal-archive", *self._place(), *self._whose())

    def backup(self, postgres: Postgres, name: str) -> subprocess.CompletedProcess[str]:
        """Copy a running PostgreSQL whole."""
        data = self.configuration["data"]
        options = ["--user", "postgres", "--name", name, f"--{data['compression']}"]
        if "encryption" in data:
            options += ["--encryption", data["encryption"]]
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port)}
        return self._run("barman-cloud-backup", *options, *self._place(), *self._whose(), env=where)

    def backups(self) -> list[dict[str, Any]]:
        """Return the whole copies that there are."""
        done = self._run("barman-cloud-backup-list", "--format", "json", *self._place(), *self._whose())
        return list(json.loads(done.stdout)["backups_list"]) if done.returncode == 0 else []

    def restore(self, backup: str, target: Path) -> subprocess.CompletedProcess[str]:
        """Put one whole copy into a folder."""
        return self._run("barman-cloud-restore", *self._place(), *self._whose(), backup, str(target))

    def prune(self) -> subprocess.CompletedProcess[str]:
        """Take away what is older than the retention policy."""
        days = self.spec["retentionPolicy"].removesuffix("d")
        policy = f"RECOVERY WINDOW OF {days} DAYS"
        return self._run("barman-cloud-backup-delete", *self._place(), "--retention-policy", policy, *self._whose())

    def _run(
        self, name: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program(name), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, **self.environment(), **(env or {})},
        )
