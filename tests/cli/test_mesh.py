"""`skerry mesh` and `skerry hosts`: what a site makes is of each other, its owner's alone, and never overwritten."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cli.main import main

STACK = "mesh-enterprise"
NODES = ("node-a-8000", "node-a-8001", "node-b-8000", "node-b-8001")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    def call(*words: str, stack: str = STACK, verb: str = "mesh") -> tuple[int, str, str]:
        code = main([verb, words[0], "--stack", stack, "--folder", str(tmp_path / "site"), *words[1:]])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def site(run: Run, tmp_path: Path) -> Path:
    assert run("keys")[0] == 0
    return tmp_path / "site"


def document(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def holds(given: dict[str, Any]) -> None:
    """Check a signature as anybody can: over the document without it, keys sorted, no blanks."""
    rest = {key: value for key, value in given.items() if key != "signature"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(given["gateway_public_key"]))
    key.verify(base64.b64decode(given["signature"]), text)


def test_every_file_is_its_owners_alone(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.is_file()]
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}
    assert {0o700} == {stat.S_IMODE(path.stat().st_mode) for path in (site, *site.rglob("*")) if path.is_dir()}


def test_each_node_has_a_bundle_that_the_gateways_trust(site: Path) -> None:
    trust = document(site / "trust_store.json")
    holds(trust)
    bundles = {name: document(site / "bundles" / f"{name}.json") for name in NODES}
    for bundle in bundles.values():
        holds(bundle)
    assert {name: row["node_public_key"] for name, row in bundles.items()} == {
        name: row["public_key"] for name, row in trust["nodes"].items()
    }
    assert bundles["node-b-8001"]["gateways"] == ["http://10.77.0.1:8787", "http://10.77.0.2:8787"]
    own = load_pem_private_key(bundles["node-a-8000"]["node_private_key"].encode(), None)
    public = own.public_key()
    assert isinstance(public, Ed25519PublicKey)
    assert base64.b64encode(public.public_bytes_raw()).decode() == bundles["node-a-8000"]["node_public_key"]


def test_openssl_takes_the_certificates_for_their_names(site: Path) -> None:
    for machine, name in (("edge", "mesh.customer.example"), ("gate-a", "gate-a")):
        words = ["openssl", "verify", "-CAfile", str(site / "authority.pem"), "-purpose", "sslserver"]
        done = subprocess.run(
            [*words, "-verify_hostname", name, str(site / f"tls/{machine}.pem")], capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
    words = ["openssl", "verify", "-CAfile", str(site / "authority.pem"), "-purpose", "sslclient"]
    done = subprocess.run([*words, "-verify_ip", "10.77.0.2", str(site / "tls/gate-b.pem")], capture_output=True)
    assert done.returncode == 0


def test_a_second_run_changes_nothing(site: Path, run: Run) -> None:
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    assert run("keys")[0] == 0
    assert before == {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}


def test_what_is_there_is_never_overwritten(site: Path, run: Run) -> None:
    before = (site / "bundles/node-a-8000.json").read_bytes()
    code, _, err = run("bundle", "--node", "node-a-8000")
    assert (code, "is there already, and keys are never overwritten: rotate it instead" in err) == (2, True)
    assert before == (site / "bundles/node-a-8000.json").read_bytes()


def test_a_node_is_rotated_and_its_old_bundle_revoked_and_kept(site: Path, run: Run) -> None:
    old = document(site / "bundles/node-a-8000.json")
    assert run("rotate", "--node", "node-a-8000")[0] == 0
    new, trust = document(site / "bundles/node-a-8000.json"), document(site / "trust_store.json")
    assert new["serial"] != old["serial"] == next(iter(trust["revoked"]))
    assert trust["nodes"]["node-a-8000"]["serial"] == new["serial"]
    (kept,) = site.glob("retired/*/bundles/node-a-8000.json")
    assert document(kept) == old


def test_a_revoked_node_is_trusted_no_more(site: Path, run: Run) -> None:
    serial = document(site / "bundles/node-b-8000.json")["serial"]
    assert run("revoke", "--node", "node-b-8000")[0] == 0
    trust = document(site / "trust_store.json")
    holds(trust)
    assert ("node-b-8000" in trust["nodes"], list(trust["revoked"])) == (False, [serial])
    code, _, err = run("secrets")
    assert (code, "lacks bundles/node-b-8000.json" in err) == (2, True)


def test_a_new_identity_signs_all_anew_and_the_old_one_is_kept(site: Path, run: Run) -> None:
    old = (site / "gateway_identity.pem").read_bytes()
    trust = (site / "trust_store.json").read_bytes()
    assert run("rotate", "--identity")[0] == 0
    for path in (site / "trust_store.json", *(site / "bundles").glob("*.json")):
        holds(document(path))
    assert [old] == [path.read_bytes() for path in site.glob("retired/*/gateway_identity.pem")]
    assert [trust] == [path.read_bytes() for path in site.glob("retired/*/trust_store.json")]


def test_a_machines_certificate_is_rotated(site: Path, run: Run) -> None:
    old = x509.load_pem_x509_certificate((site / "tls/edge.pem").read_bytes())
    assert run("rotate", "--machine", "edge", "--days", "30")[0] == 0
    new = x509.load_pem_x509_certificate((site / "tls/edge.pem").read_bytes())
    assert (new.serial_number != old.serial_number, 30) == (
        True,
        (new.not_valid_after_utc - new.not_valid_before_utc).days,
    )


def test_a_caller_gets_a_certificate(site: Path, run: Run) -> None:
    assert run("caller", "--name", "alice")[0] == 0
    made = x509.load_pem_x509_certificate((site / "callers/alice.pem").read_bytes())
    assert made.subject.rfc4514_string() == "CN=alice"


def test_every_secret_that_the_plan_names_is_handed_over(site: Path, run: Run) -> None:
    from skerry.catalog import load_catalog
    from skerry.config.load import load_spec
    from skerry.systems.agent_mesh import agent_mesh_plan
    from tests.simulators.changed_stacks import shipped

    plan = agent_mesh_plan(load_spec(shipped(STACK), STACK), load_catalog())
    named = {file.secret for machine in plan.machines for file in machine.files if file.secret}
    named |= {key for machine in plan.machines for service in machine.services for key in service.secrets.values()}
    _, out, _ = run("secrets")
    given = {line.split("skerry:")[1].split()[0] for line in out.splitlines()}
    # The collector's own authority is not the mesh's to make.
    assert named - {"siem-authority"} == given


REFUSED: dict[str, tuple[tuple[str, ...], str, str]] = {
    "a node that is not there": (("bundle", "--node", "node-c-8000"), STACK, "'node-c-8000' is no node of this mesh"),
    "a machine without a certificate": (("rotate", "--machine", "node-a"), STACK, "has no certificate in this stack"),
    "a name that is a path": (("caller", "--name", "../x"), STACK, "is no name of a file"),
    "no days": (("bundle", "--node", "node-a-8000", "--days", "0"), STACK, "--days 0 is not between 1 and 3650"),
    "a stack of another system": (("keys",), "sensei-airgapped", "is no agent mesh"),
    "no stack of that name": (("keys",), "mesh-none", "the stack 'mesh-none' has no file"),
    "no bundles where the first is trusted": (
        ("bundle", "--node", "pi-8000"),
        "mesh-small-team",
        "which has no bundles",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, run: Run) -> None:
    words, stack, says = REFUSED[case]
    code, _, err = run(*words, stack=stack)
    assert (code, says in err) == (2, True), err


def test_a_folder_that_others_read_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir(mode=0o755)
    code, _, err = run("keys")
    assert (code, "is open to others of this machine: `chmod 700" in err) == (2, True)


def test_a_trust_store_that_was_changed_is_refused(site: Path, run: Run) -> None:
    path = site / "trust_store.json"
    path.write_text(path.read_text().replace("node-a-8000", "node-x-8000"))
    code, _, err = run("revoke", "--node", "node-a-8001")
    assert (code, "does not bear the signature of this folder's gateway_identity.pem" in err) == (2, True)


def test_an_identity_that_is_none_is_refused(site: Path, run: Run) -> None:
    (site / "gateway_identity.pem").write_text("nothing\n")
    code, _, err = run("revoke", "--node", "node-a-8001")
    assert (code, "holds no private key" in err) == (2, True)


def test_development_makes_no_keys(run: Run, tmp_path: Path) -> None:
    code, _, err = run("keys", stack="mesh-development")
    assert (code, "nothing is made" in err, list((tmp_path / "site").iterdir())) == (0, True, [])


def test_the_overlay_gets_a_key_a_machine_and_says_where_the_stack_names_another(
    run: Run, tmp_path: Path, need_tool: Callable[[str], str]
) -> None:
    code, out, err = run("keys", verb="hosts")
    assert (code, "gate-a: the stack names another public key" in err) == (0, True)
    private = (tmp_path / "site/wireguard/gate-a.key").read_text()
    public = subprocess.run([need_tool("wg"), "pubkey"], input=private, capture_output=True, text=True).stdout.strip()
    assert f"gate-a: {{public_key: {public}, private_key_secret: wireguard-gate-a}}\n" in out
    assert run("keys", verb="hosts")[1] == out


def test_no_overlay_no_keys(run: Run) -> None:
    code, _, err = run("keys", verb="hosts", stack="mesh-small-team")
    assert (code, "has no machine in an overlay" in err) == (2, True)
