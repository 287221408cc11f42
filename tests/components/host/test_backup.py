"""Backups: made, sealed and brought back by the real programs, and what each refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.host.backup import backup_script, restore_script
from skerry.errors import UsageError
from skerry.hosts.plan import HostBackup
from tests.simulators.hosts import SimulatedHost
from tests.simulators.odd_hosts import alone, laid, odd_files
from tests.simulators.servers import make_bucket, s3_client, weed

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakefakefakefakefakefakefakefakefakefakefake"


@dataclass
class Site:
    """A folder in place of a machine's root, with two keys."""

    root: Path
    age_keygen: str

    def key(self, name: str) -> str:
        """Return the public key of a new identity."""
        path = self.root / name
        subprocess.run([self.age_keygen, "-o", path], capture_output=True, check=True)
        return next(line.split()[-1] for line in path.read_text().splitlines() if "public key" in line)

    def lay(self, backup: HostBackup | None = None, **fields: Any) -> None:
        """Write the scripts of a machine with one backup."""
        given = {"recipients": [], "folder": f"{self.root}/backups", **fields}
        row = backup or HostBackup(name="mesh", paths=self.paths, optional=(f"{self.root}/data/later",))
        laid(odd_files(hosts={"backup": given}, **alone(backups=(row,))), self.root, ("/etc/skerry/",))

    @property
    def paths(self) -> tuple[str, ...]:
        """Return what is copied."""
        return (f"{self.root}/data/it's keys", f"{self.root}/data/audit.log")

    def run(self, script: str, *words: Path | str) -> subprocess.CompletedProcess[str]:
        """Run a script, with the few variables that a unit has."""
        given = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        command = [f"{self.root}{script}", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=given)

    def backup(self) -> subprocess.CompletedProcess[str]:
        """Run the backup."""
        return self.run(backup_script("mesh"))

    def restore(self, *words: Path | str) -> subprocess.CompletedProcess[str]:
        """Run the way back."""
        return self.run(restore_script("mesh"), *words)

    def archives(self) -> list[Path]:
        """Return what lies in the folder."""
        folder = self.root / "backups"
        return sorted(folder.iterdir()) if folder.exists() else []


@pytest.fixture
def site(tmp_path: Path, need_tool: Callable[[str], str]) -> Site:
    need_tool("age")
    keys = tmp_path / "data/it's keys/deep"
    keys.mkdir(parents=True)
    (keys / "gateway_identity.pem").write_text("private")
    (keys / "gateway_identity.pem").chmod(0o600)
    (keys / "link").symlink_to("gateway_identity.pem")
    (tmp_path / "data/audit.log").write_bytes(os.urandom(300_000))
    return Site(tmp_path, need_tool("age-keygen"))


def test_what_is_copied_comes_back_as_it_was(site: Site) -> None:
    site.lay(recipients=[site.key("one"), site.key("two")])
    done = site.backup()
    assert (done.returncode, done.stderr) == (0, "")
    (archive,) = site.archives()
    assert ("".join(archive.suffixes[-3:]), archive.stat().st_mode & 0o777) == (".tar.gz.age", 0o600)
    assert archive.read_bytes().startswith(b"age-encryption.org/v1\n")
    for identity in ("one", "two"):
        there = site.root / f"there-{identity}"
        there.mkdir()
        done = site.restore(archive, site.root / identity, there)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"restore mesh: 3 files in {there}/\n" == done.stdout
        for path in site.paths:
            assert (
                subprocess.run(
                    ["diff", "-r", path, f"{there}{path}"], capture_output=True, text=True, check=False
                ).stdout
                == ""
            )
        key = Path(f"{there}{site.paths[0]}/deep/gateway_identity.pem")
        assert key.stat().st_mode & 0o777 == 0o600


def _no_files(site: Site) -> list[Path]:
    there = site.root / "there"
    return [path for path in there.rglob("*") if path.is_file()]


@pytest.mark.parametrize("sentence", ["another key", "cut short", "one byte changed", "no archive", "not sealed"])
def test_a_bad_archive_restores_nothing(site: Site, sentence: str) -> None:
    site.lay(recipients=[site.key("one")])
    site.key("stranger")
    site.backup()
    (archive,) = site.archives()
    there = site.root / "there"
    there.mkdir()
    whole = archive.read_bytes()
    identity: Path | str = site.root / "one"
    match sentence:
        case "another key":
            identity = site.root / "stranger"
        case "cut short":
            archive.write_bytes(whole[: len(whole) - 70_000])
        case "one byte changed":
            archive.write_bytes(whole[:200_000] + bytes([whole[200_000] ^ 1]) + whole[200_001:])
        case "no archive":
            archive = site.root / "nowhere"
        case "not sealed":
            identity = "-"
    done = site.restore(archive, identity, there)
    assert (done.returncode, _no_files(site)) == (1, [])
    assert "cannot be read" in done.stderr


def test_files_that_stand_are_kept_unless_told_otherwise(site: Site) -> None:
    site.lay(recipients=[site.key("one")])
    site.backup()
    (archive,) = site.archives()
    log = site.root / "data/audit.log"
    shutil.rmtree(site.root / "data/it's keys")
    before, after = log.read_bytes(), b"newer"
    log.write_bytes(after)
    done = site.restore(archive, site.root / "one", "/")
    assert (1, after, False) == (done.returncode, log.read_bytes(), (site.root / "data/it's keys").exists())
    assert f"{log} is there already: nothing was restored; add --overwrite" in done.stderr
    done = site.restore(archive, site.root / "one", "/", "--overwrite")
    assert (0, before) == (done.returncode, log.read_bytes())


def test_a_missing_path_fails_by_its_name_and_copies_nothing(site: Site) -> None:
    site.lay(recipients=[site.key("one")])
    (site.root / "data/audit.log").unlink()
    done = site.backup()
    assert (done.returncode, site.archives()) == (1, [])
    expected = f"backup mesh: {site.root}/data/audit.log is missing: nothing was copied; make it, or take it out"
    assert expected in done.stderr


def test_what_need_not_be_there_is_copied_once_it_is(site: Site) -> None:
    site.lay()
    (site.root / "data/later").write_text("later")
    site.backup()
    (archive,) = site.archives()
    listed = subprocess.run(["tar", "-tzf", archive], capture_output=True, text=True, check=True).stdout
    assert f"{site.root}/data/later".lstrip("/") in listed.splitlines()


def test_keys_are_never_written_unsealed(site: Site) -> None:
    site.lay(HostBackup(name="mesh", paths=site.paths, holds_keys=True))
    done = site.backup()
    assert (done.returncode, site.archives()) == (1, [])
    assert "private keys are among what it copies" in done.stderr
    assert "name age public keys in hosts.backup.recipients" in done.stderr


def test_a_recipient_that_is_none_leaves_no_archive(site: Site) -> None:
    site.lay(recipients=["age1notakey"])
    done = site.backup()
    assert (done.returncode, site.archives()) == (1, [])
    assert "age ended with 1: the archive was thrown away" in done.stderr


def test_a_command_before_it_that_fails_stops_it(site: Site) -> None:
    site.lay(HostBackup(name="mesh", paths=site.paths, before=("false",)))
    assert (site.backup().returncode, site.archives()) == (1, [])


def test_old_archives_go_and_the_last_stays(site: Site) -> None:
    site.lay(retention_days=7)
    folder = site.root / "backups"
    folder.mkdir()
    for name, days in (
        ("mesh-20200101T000000Z.tar.gz", 8),
        ("mesh-20200102T000000Z.tar.gz", 6),
        ("other-1.tar.gz", 99),
    ):
        (folder / name).write_text("old")
        then = (folder / name).stat().st_mtime - days * 86400
        os.utime(folder / name, (then, then))
    assert site.backup().returncode == 0
    names = [path.name for path in site.archives()]
    assert [names[0], names[-1]] == ["mesh-20200102T000000Z.tar.gz", "other-1.tar.gz"]
    assert len(names) == 3


def test_a_second_copy_goes_to_a_medium(site: Site) -> None:
    medium = Path(f"/dev/shm/skerry-medium-{os.getpid()}")
    medium.mkdir()
    try:
        site.lay(recipients=[site.key("one")], off_host=f"file://{medium}")
        done = site.backup()
        assert (done.returncode, done.stderr) == (0, "")
        (archive,), (copy,) = site.archives(), [*medium.iterdir()]
        assert (archive.name, archive.read_bytes()) == (copy.name, copy.read_bytes())
    finally:
        shutil.rmtree(medium)


OFF_HOST: dict[str, tuple[Any, ...]] = {
    "a medium that is not there": ({"off_host": "file:///media/none"}, "/media/none is not there, so that there is no"),
    "a folder of the same disk": ({"off_host": "file://{root}/data"}, "is on the same disk as"),
    "another host without its key": (
        {"off_host": "sftp://b@127.0.0.1/x"},
        "no second copy is sent to sftp://b@127.0.0.1/x: name its host key in off_host_key",
    ),
    "another host without a credential": (
        {"off_host": "sftp://b@127.0.0.1:1/x", "off_host_key": HOST_KEY},
        "etc/skerry/backup/credential is missing, so that there is no second copy",
    ),
}


@pytest.mark.parametrize("sentence", OFF_HOST)
def test_a_second_copy_that_cannot_be_made_fails_and_the_first_stays(site: Site, sentence: str) -> None:
    fields, expected = OFF_HOST[sentence]
    site.lay(**{name: value.replace("{root}", f"{site.root}") for name, value in fields.items()})
    done = site.backup()
    assert (done.returncode, len(site.archives())) == (1, 1)
    assert expected in done.stderr


def test_a_second_copy_goes_to_another_host_that_shows_its_key(site: Site, machine: SimulatedHost) -> None:
    machine.run("mkdir -p /srv/copies && /usr/sbin/sshd -p 2022 -o 'Subsystem sftp internal-sftp'")
    there: dict[str, Any] = {
        "recipients": [site.key("one")],
        "off_host": f"sftp://root@{machine.address}:2022/srv/copies",
    }
    for key, code in ((HOST_KEY, 1), (machine.host_key, 0)):
        site.lay(**there, off_host_key=key, off_host_secret="backupKey")
        credential = site.root / "etc/skerry/backup/credential"
        credential.write_text(machine.key_file.read_text())
        done = site.backup()
        assert (code, code) == (done.returncode, done.stderr.count("no second copy reached sftp://root@"))
    (*_, last) = site.archives()
    assert f"{last.name}\n" == machine.run("ls /srv/copies").stdout
    digest = subprocess.run(["sha256sum", last], capture_output=True, text=True, check=True).stdout.split()[0]
    assert digest == machine.run(f"sha256sum /srv/copies/{last.name}").stdout.split()[0]


def test_its_unit_makes_the_copy(site: Site, machine: SimulatedHost) -> None:
    given = {"recipients": [site.key("one")], "folder": "/var/backups/mesh"}
    row = HostBackup(name="mesh", paths=("/srv/kept",), before=("date > /srv/kept/at",), holds_keys=True)
    for path, file in odd_files(hosts={"backup": given}, **alone(backups=(row,))).items():
        if "backup" in path:
            machine.write(path, file.text, file.mode)
    machine.run("mkdir -p /srv/kept && chmod 700 /srv/kept && echo key > /srv/kept/key")
    machine.run("systemctl daemon-reload && systemctl start skerry-backup-mesh.service skerry-backup-mesh.timer")
    shown = machine.run("stat -c '%a %U' /var/backups/mesh /var/backups/mesh/mesh-*.tar.gz.age").stdout
    assert shown == "700 root\n600 root\n"
    machine.run("rm -r /srv/kept")
    assert machine.run("systemctl start skerry-backup-mesh.service", check=False).returncode == 1
    assert machine.run("ls /var/backups/mesh").stdout.count(".age") == 1


@pytest.mark.servers
def test_a_second_copy_goes_to_a_bucket(site: Site, need_tool: Callable[[str], str]) -> None:
    need_tool("rclone")
    folder = site.root / "weed"
    folder.mkdir()
    with weed(folder, "someone", "pl4nted-secret") as url:
        client = s3_client(url, "someone", "pl4nted-secret")
        make_bucket(client, "copies")
        there: dict[str, Any] = {
            "off_host": "s3://copies/mesh",
            "off_host_endpoint": url,
            "off_host_secret": "backupKey",
        }
        site.lay(recipients=[site.key("one")], **there)
        credential = site.root / "etc/skerry/backup/credential"
        for secret, code in (("wrong", 1), ("pl4nted-secret", 0)):
            credential.write_text(f"[default]\naws_access_key_id = someone\naws_secret_access_key = {secret}\n")
            done = site.backup()
            assert (code, code) == (done.returncode, done.stderr.count("no second copy reached s3://copies/mesh"))
        (*_, last) = site.archives()
        body = client.get_object(Bucket="copies", Key=f"mesh/{last.name}")["Body"].read()
        assert last.read_bytes() == body
        assert "pl4nted-secret" not in (site.root / backup_script("mesh").lstrip("/")).read_text()


def test_another_host_is_known_by_its_key() -> None:
    fields = {"off_host": "sftp://b@backup.example:2222/x", "off_host_key": HOST_KEY, "off_host_secret": "backupKey"}
    files = odd_files(hosts={"backup": fields})
    assert f"[backup.example]:2222 {HOST_KEY}\n" == files["/etc/skerry/backup/known_hosts"].text
    credential = files["/etc/skerry/backup/credential"]
    assert (credential.secret, credential.mode, credential.text) == ("backupKey", "0600", "")


REFUSED: dict[str, tuple[Any, ...]] = {
    "the whole disk": (HostBackup(name="x", paths=("/",)), "a backup's path '/' is no full path"),
    "a path without its beginning": (HostBackup(name="x", paths=("audit/audit.log",)), "is no full path"),
    "a name with a slash": (HostBackup(name="a/b", paths=("/x",)), "'a/b' is no name of a backup"),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_copied_is_refused(sentence: str) -> None:
    row, expected = REFUSED[sentence]
    with pytest.raises(UsageError) as caught:
        odd_files(**alone(backups=(row,)))
    assert expected in str(caught.value)


def test_the_clock_is_the_deployment_s(site: Site) -> None:
    files = odd_files(hosts={"backup": {"schedule": "*-*-* 04:00:00 UTC"}})
    timer = files["/etc/systemd/system/skerry-backup-keys.timer"]
    assert "OnCalendar=*-*-* 04:00:00 UTC\n" in timer.text
    assert timer.enables == ("skerry-backup-keys.timer",)
    service = files["/etc/systemd/system/skerry-backup-keys.service"].text
    assert "ExecStart=/usr/local/lib/skerry/backup-keys\n" in service


def test_without_a_word_about_backups_there_is_none() -> None:
    assert not [path for path in odd_files(hosts={"backup": None}) if "backup" in path]
