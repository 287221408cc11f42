"""`skerry device bundle`: what a device carries is whole, signed, within its storage, or not there at all."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from airgap_bundle import device as writing
from cli.main import main
from tests.simulators.changed_stacks import changed_file
from tests.simulators.edge_stacks import edge

STACK: Final = "sensei-private-onprem"
WITHIN: Final[dict[str, Any]] = {
    "device__model_bytes": 5000,
    "device__knowledge_bytes": 2000,
    "device__bytes_per_day": 100,
    "device__storage_bytes": 20_000,
    "certificate_days": 60,
}
"""5,000 + 2,000 + 30 x 100, of 20,000."""


class Site:
    """A project whose stack has devices, with what a bundle is made of."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys, self.to = root, capsys, root / "out"
        (root / "stacks").mkdir()
        (root / "__main__.py").write_text("")
        (root / "Pulumi.yaml").write_text("name: skerry\nruntime: python\nstackConfigDir: stacks\n")
        self.stack()
        for name, size in {"model/weights.gguf": 4000, "model/a/tokens.json": 1000, "knowledge/facts.db": 2000}.items():
            self.file(name, size)
        self.authority(400)
        raw = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        (root / "signer").write_bytes(raw)

    def file(self, name: str, size: int) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(index % 251 for index in range(size)))
        return path

    def stack(self, **changes: Any) -> None:
        text = changed_file(STACK, {"edge": edge(**{**WITHIN, **changes})})
        (self.root / f"stacks/Pulumi.{STACK}.yaml").write_text(text)

    def authority(self, days: int, extra: bytes = b"") -> None:
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site")])
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(1).not_valid_before(now - timedelta(days=2)).not_valid_after(now + timedelta(days))
        (self.root / "ca.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM) + extra)

    def run(self, *words: str, **named: Path | str) -> tuple[int, str]:
        given = {"model": "model", "knowledge": "knowledge", "authority": "ca.pem", "key": "signer"}
        options = {name: str(self.root / path) for name, path in {**given, "to": self.to, **named}.items()}
        flat = [word for name, value in options.items() for word in (f"--{name}", value)]
        code = main(["device", "bundle", "--program", str(self.root), "--stack", STACK, *flat, *words])
        return code, self.capsys.readouterr().err

    def contents(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.to).as_posix(): path.read_bytes() for path in self.to.rglob("*") if path.is_file()
        }

    def left(self) -> list[str]:
        """Return what stands beside the bundle and was not there."""
        return sorted(path.name for path in self.root.iterdir() if path.name.startswith(".") or path == self.to)


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Site:
    return Site(tmp_path, capsys)


def test_a_bundle_holds_the_files_and_what_the_stack_says(site: Site) -> None:
    code, err = site.run()
    assert (code, "model 5,000 + knowledge 2,000 + changes 30 days x 100 = 3,000 = 10,000 bytes" in err) == (0, True)
    found = site.contents()
    assert set(found) == {
        "README.md", "SHA256SUMS", "SHA256SUMS.sig", "authority.pem", "knowledge/facts.db", "model/a/tokens.json",
        "model/weights.gguf", "settings.json",
    }  # fmt: skip
    assert found["model/weights.gguf"] == (site.root / "model/weights.gguf").read_bytes()
    assert found["authority.pem"] == (site.root / "ca.pem").read_bytes()
    settings = json.loads(found["settings.json"])
    assert settings["sync"] == {
        "endpoint": "https://sync.edge.customer.example:443",
        "authority": "authority.pem",
        "every_minutes": 15,
        "requests_per_minute": 60,
        "request_bytes": 1_048_576,
        "retry_after_seconds": 60,
        "certificates": "device",
    }
    assert settings["offline"] == {"days": 30, "bytes_per_day": 100}
    assert (settings["storage_bytes"], settings["model"]["bytes"], settings["knowledge"]["bytes"]) == (
        20000,
        5000,
        2000,
    )
    assert (settings["data_class"], settings["jurisdictions"]) == ("restricted", ["DE"])
    assert b"PRIVATE" not in b"".join(found.values())
    assert sum(map(len, found.values())) + 3000 == int(re.findall(r"of settings ([0-9,]+)", err)[0].replace(",", ""))


def test_it_is_verified_and_a_device_is_certified_as_its_page_says(
    site: Site, need_tool: Callable[[str], str], tmp_path: Path
) -> None:
    assert site.run()[0] == 0
    verify, certify = re.findall(r"```sh\n(.*?)```", site.contents()["README.md"].decode(), re.DOTALL)
    for name in ("ssh-keygen", "sha256sum", "openssl"):
        need_tool(name)

    def shell(text: str, where: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-ec", text], cwd=where, capture_output=True, text=True, check=False)

    done = shell(verify, site.to)
    assert (done.returncode, "Good" in done.stdout) == (0, True), done.stderr
    work = tmp_path / "authority"
    work.mkdir()
    new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.crt"
    assert shell(f"{new} -days 99 -subj /CN=devices", work).returncode == 0
    done = shell(f"{certify}openssl verify -purpose sslclient -CAfile ca.crt device-0001.crt", work)
    assert (done.returncode, "device-0001.crt: OK" in done.stdout) == (0, True), done.stderr
    made = x509.load_pem_x509_certificate((work / "device-0001.crt").read_bytes())
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 60
    (site.to / "knowledge/facts.db").write_bytes(b"other")
    assert shell(verify, site.to).returncode != 0


def test_a_second_run_leaves_the_same_bundle_and_no_other(site: Site) -> None:
    assert site.run()[0] == 0
    before, stamp = site.contents(), (site.to / "SHA256SUMS").stat().st_mtime_ns
    code, err = site.run()
    assert (code, "there already, the same" in err) == (0, True)
    assert (site.contents(), (site.to / "SHA256SUMS").stat().st_mtime_ns) == (before, stamp)
    site.file("knowledge/more.db", 1).write_bytes(b"x")
    (site.root / "knowledge/facts.db").write_bytes(b"y" * 100)
    code, err = site.run()
    assert (code, "holds something else, or a bundle that was changed" in err) == (2, True)
    assert (site.contents(), site.left()) == (before, ["out"])


def test_one_file_each_is_enough_and_an_empty_folder_is_filled(site: Site) -> None:
    site.to.mkdir()
    assert site.run(model="model/weights.gguf", knowledge="knowledge/facts.db")[0] == 0
    assert {"model/weights.gguf", "knowledge/facts.db"} <= set(site.contents())


REFUSED: Final[dict[str, tuple[Callable[[Site], Any], tuple[str, ...], dict[str, str], int, str]]] = {
    "a stack without devices": (
        lambda site: (site.root / f"stacks/Pulumi.{STACK}.yaml").write_text(changed_file(STACK, {})),
        (), {}, 2, "the stack has no `edge`",
    ),
    "no model": (lambda site: None, (), {"model": "nowhere"}, 2, "--model '"),
    "no knowledge": (lambda site: (site.root / "none").mkdir(), (), {"knowledge": "none"}, 2, "holds no file"),
    "an empty file": (lambda site: site.file("model/x", 0), (), {}, 2, "is empty: fetch it again"),
    "two names that are one on phones": (
        lambda site: site.file("model/WEIGHTS.gguf", 9), (), {}, 2, "are one name on phones",
    ),
    "a name that phones cannot store": (lambda site: site.file("model/a:b", 9), (), {}, 2, "cannot store: rename"),
    "a link that leads nowhere": (
        lambda site: (site.root / "model/link").symlink_to("gone"), (), {}, 2, "leads nowhere",
    ),
    "a pipe": (lambda site: os.mkfifo(site.root / "model/pipe"), (), {}, 2, "is no plain file"),
    "more than the stack reckons with": (
        lambda site: site.file("model/more", 1), (), {}, 2,
        "edge.device.model_bytes: the files have 5,001 bytes, and the stack reckons with 5,000",
    ),
    "more than a device has": (
        lambda site: (site.stack(device__model_bytes=None), site.file("model/more", 11_000)), (), {}, 2,
        "a device holds 20,000 bytes: model 16,000 + knowledge 2,000 + changes 30 days x 100 = 3,000 = 21,000 bytes",
    ),
    "more than a device has by the settings alone": (
        lambda site: site.stack(device__storage_bytes=10_000), (), {}, 2, "of settings",
    ),
    "nobody knows what it writes in a day": (
        lambda site: site.stack(device__bytes_per_day=None), (), {}, 2, "edge.device.bytes_per_day is not known",
    ),
    "devices that call too often": (
        lambda site: site.stack(devices=200_000), ("--every", "15"), {}, 2, "of edge.limits: use 17 or more",
    ),
    "never": (lambda site: None, ("--every", "0"), {}, 2, "is not between 1 and 1440"),
    "an authority that ends meanwhile": (lambda site: site.authority(29), (), {}, 2, "could not come back: renew"),
    "an authority's private key": (
        lambda site: site.authority(400, b"-----BEGIN PRIVATE KEY-----\n"), (), {}, 2, "holds a private key",
    ),
    "no authority": (lambda site: site.file("ca.pem", 9), (), {}, 2, "holds no certificate (PEM)"),
    "no signer": (lambda site: None, (), {"key": "nobody"}, 2, "cannot be used"),
    "a medium that is not there": (lambda site: None, (), {"to": "usb/bundle"}, 2, "is missing: make it, or mount"),
    "a bundle in its own source": (lambda site: None, (), {"to": "knowledge/b"}, 2, "lies in --knowledge"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_leaves_nothing(case: str, site: Site) -> None:
    prepare, words, named, code, says = REFUSED[case]
    prepare(site)
    found, err = site.run(*words, **named)
    assert (found, says in err, site.left()) == (code, True, []), err
    assert len(err.splitlines()) == 1


def test_a_copy_that_fails_half_way_leaves_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[Path] = []

    def copy(source: Path, to: Path) -> str:
        if copied:
            raise OSError(28, "No space left on device")
        copied.append(source)
        return whole(source, to)

    whole = writing._copy
    monkeypatch.setattr(writing, "_copy", copy)
    code, err = site.run()
    assert (code, "No space left on device: nothing is left of the bundle" in err, site.left()) == (3, True, [])
    assert copied


def test_a_source_that_grows_while_it_is_copied_is_counted_as_it_was_copied(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = writing._copy

    def copy(source: Path, to: Path) -> str:
        if source.name == "facts.db":
            source.write_bytes(b"x" * 2001)
        return whole(source, to)

    monkeypatch.setattr(writing, "_copy", copy)
    code, err = site.run()
    assert (code, "knowledge_bytes: the files have 2,001 bytes" in err, site.left()) == (2, True, [])


def test_a_fleet_shares_one_and_the_page_says_so(site: Site) -> None:
    site.stack(certificates="fleet")
    assert site.run()[0] == 0
    page = site.contents()["README.md"].decode()
    assert "A fleet shares one key" in page
    assert "NAME=fleet-1" in page
