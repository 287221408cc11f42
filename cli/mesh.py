"""`skerry mesh`: keys, certificates and provisioning bundles of an agent mesh, made at the site and nowhere else."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.mesh_medium import add_medium
from cli.output import deliver, say
from cli.site_folder import SiteFolder, add_folder_options, read_deployment
from skerry.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from skerry.hosts.keys import Authority
    from skerry.systems.agent_mesh_places import Mesh

IDENTITY: Final = "gateway_identity.pem"
TRUST_STORE: Final = "trust_store.json"
TOKEN: Final = "token"
AUTHORITY: Final = "authority.pem"
AUTHORITY_KEY: Final = "authority-key.pem"
_DAYS: Final = 397
_AUTHORITY_DAYS: Final = 3650


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb and its steps."""
    parser = verbs.add_parser("mesh", help=help_)
    steps = parser.add_subparsers(dest="step", required=True, metavar="keys|bundle|caller|rotate|revoke|secrets|medium")
    add_medium(steps)
    rows = (
        ("keys", _keys, "make what the stack needs and the folder has not: identity, authority, certificates, bundles"),
        ("bundle", _bundle, "make the provisioning bundle of one node"),
        ("caller", _caller, "make a certificate for somebody who calls the load balancer"),
        ("rotate", _rotate, "make one thing anew: --node, --machine or --identity; the old one is put aside"),
        ("revoke", _revoke, "take a node's bundle back: gateways refuse it once they have the trust store"),
        ("secrets", _secrets, "print the commands that hand the folder's secrets to the stack"),
    )
    for name, run, text in rows:
        step = steps.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        add_folder_options(step)
        if name != "secrets":
            step.add_argument("--days", type=int, default=_DAYS, metavar="N", help=f"how long it is good: {_DAYS}")
        if name in ("bundle", "revoke"):
            step.add_argument("--node", required=True, metavar="ID", help="<machine>-<port>")
        if name == "caller":
            step.add_argument("--name", required=True, metavar="NAME", help="who calls")
        if name == "rotate":
            choice = step.add_mutually_exclusive_group(required=True)
            choice.add_argument("--node", metavar="ID", help="a node's key and bundle")
            choice.add_argument("--machine", metavar="NAME", help="a machine's certificate")
            choice.add_argument("--identity", action="store_true", help="the gateways' identity, and all bundles")
        step.set_defaults(run=_runner(run))


class _Site:
    """A mesh with the folder of its keys."""

    def __init__(self, args: argparse.Namespace) -> None:
        from skerry.systems.agent_mesh_places import Mesh

        self.args = args
        self.mesh: Mesh = Mesh.of(read_deployment(args))
        self.now = datetime.now(UTC)
        self.days: int = getattr(args, "days", _DAYS)
        if not 1 <= self.days <= _AUTHORITY_DAYS:
            raise UsageError(f"--days {self.days} is not between 1 and {_AUTHORITY_DAYS}")
        self.folder = SiteFolder(args.folder)

    @property
    def pki(self) -> bool:
        return self.mesh.spec.trust.value == "pki"

    def identity(self) -> Ed25519PrivateKey:
        from skerry.systems.agent_mesh_keys import load_identity

        if not self.pki:
            raise UsageError("the stack's trust is tofu, which has no bundles: use agent_mesh.trust: pki")
        return load_identity(self.folder.read(IDENTITY), str(self.folder.root / IDENTITY))

    def authority(self) -> Authority:
        from skerry.hosts.keys import load_authority

        key, certificate = self.folder.read(AUTHORITY_KEY), self.folder.read(AUTHORITY)
        return load_authority(key, certificate, str(self.folder.root / AUTHORITY))

    def trusted(self, identity: Ed25519PrivateKey) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the rows of nodes, and serial -> when it was revoked."""
        from skerry.systems.agent_mesh_keys import TRUST_SCHEMA, checked

        if not self.folder.has(TRUST_STORE):
            return {}, {}
        name = str(self.folder.root / TRUST_STORE)
        document = checked(self.folder.read(TRUST_STORE), TRUST_SCHEMA, identity, name)
        return dict(document["nodes"]), dict(document["revoked"])

    def trust(self, nodes: dict[str, Any], revoked: dict[str, str], identity: Ed25519PrivateKey) -> Path:
        from skerry.systems.agent_mesh_keys import json_text, trust_store

        return self.folder.replace(TRUST_STORE, json_text(trust_store(nodes, revoked, identity)), self.now)


def _runner(step: Callable[[_Site], Iterator[str]]) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        for line in step(_Site(args)):
            say(line)
        return 0

    return run


def _keys(site: _Site) -> Iterator[str]:
    """Make what is missing; what is there is left as it is, so that it may be run after every change of the stack."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from skerry.hosts.keys import new_authority
    from skerry.systems.agent_mesh_keys import private_pem

    folder, mesh = site.folder, site.mesh
    if mesh.development:
        yield "development has a developers' token, and no keys: nothing is made"
        return
    if site.pki and not folder.has(IDENTITY):
        yield f"made: {folder.write_new(IDENTITY, private_pem(Ed25519PrivateKey.generate()))}"
    if mesh.spec.capabilities.kind.value == "shared" and not folder.has(TOKEN):
        yield f"made: {folder.write_new(TOKEN, secrets.token_urlsafe(32))}"
    if mesh.tls_machines() and not folder.has(AUTHORITY):
        made = new_authority(f"agent mesh {site.args.stack}", site.now, _AUTHORITY_DAYS)
        folder.write_new(AUTHORITY_KEY, made.key_pem)
        yield f"made: {folder.write_new(AUTHORITY, made.certificate_pem)}, with its key, which no machine gets"
    for machine in mesh.tls_machines():
        if not folder.has(f"tls/{machine}.pem"):
            yield f"made: {folder.write_new(f'tls/{machine}.pem', _certificate(site, machine))}"
    if mesh.spec.shared_state is not None:
        yield from _state(site)
    for node, *_ in mesh.node_ids() if site.pki else ():
        if not folder.has(f"bundles/{node}.json"):
            yield f"made: {_issue(site, node)}"
    yield "whole: everything that the stack needs is there; `skerry mesh secrets` prints how it is handed over"


def _state(site: _Site) -> Iterator[str]:
    folder = site.folder
    for name in ("state-gateway", "state-replica", "state-sentinel"):
        if not folder.has(name):
            yield f"made: {folder.write_new(name, secrets.token_hex(24))}"
    if not folder.has("state-url"):
        port = site.mesh.spec.shared_state.port if site.mesh.spec.shared_state else 0
        url = f"redis://mesh:{folder.read('state-gateway')}@127.0.0.1:{port}/0"
        yield f"made: {folder.write_new('state-url', url)}"


def _certificate(site: _Site, machine: str) -> str:
    from skerry.hosts.keys import new_certificate

    mesh = site.mesh
    balancer = mesh.spec.load_balancer
    names = [machine, mesh.hosts.machines[machine].address, mesh.address(machine), "localhost", "127.0.0.1"]
    if balancer is not None and machine in balancer.machines:
        names.insert(0, balancer.host)
    return new_certificate(site.authority(), machine, names, site.now, site.days)


def _issue(site: _Site, node: str) -> Path:
    """Make a node's bundle, and tell the trust store of it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from skerry.systems.agent_mesh_keys import bundle, json_text, trust_row

    identity = site.identity()
    nodes, revoked = site.trusted(identity)
    made = bundle(site.mesh, node, identity, Ed25519PrivateKey.generate(), site.now, site.days)
    path = site.folder.write_new(f"bundles/{node}.json", json_text(made))
    site.trust({**nodes, node: trust_row(made)}, revoked, identity)
    return path


def _bundle(site: _Site) -> Iterator[str]:
    _known(site, site.args.node)
    yield f"made: {_issue(site, site.args.node)}"


def _caller(site: _Site) -> Iterator[str]:
    from skerry.hosts.keys import new_certificate

    name: str = site.args.name
    if not name.replace("-", "").replace(".", "").isalnum():
        raise UsageError(f"--name '{name}' is no name of a file: use letters, digits, '.' and '-'")
    made = new_certificate(site.authority(), name, [name], site.now, site.days)
    yield f"made: {site.folder.write_new(f'callers/{name}.pem', made)}"


def _rotate(site: _Site) -> Iterator[str]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from skerry.systems.agent_mesh_keys import private_pem

    folder, args = site.folder, site.args
    if args.machine is not None:
        if args.machine not in site.mesh.tls_machines():
            named = ", ".join(site.mesh.tls_machines()) or "none"
            raise UsageError(f"'{args.machine}' has no certificate in this stack: {named} have")
        yield f"made anew: {folder.replace(f'tls/{args.machine}.pem', _certificate(site, args.machine), site.now)}"
        return
    if args.node is not None:
        _known(site, args.node)
        identity = site.identity()
        _take_back(site, args.node, identity)
        yield f"made anew: {_issue(site, args.node)}"
        return
    site.identity()
    rows = [node for node, *_ in site.mesh.node_ids()]
    for name in (TRUST_STORE, *(f"bundles/{name}" for name in folder.names("bundles"))):
        if folder.has(name):
            folder.retire(name, site.now)
    yield f"made anew: {folder.replace(IDENTITY, private_pem(Ed25519PrivateKey.generate()), site.now)}"
    for node in rows:
        yield f"made anew: {_issue(site, node)}"
    yield "hand all of them over and deploy at once: nodes know gateways by the identity of their bundle"


def _known(site: _Site, node: str) -> None:
    known = [row[0] for row in site.mesh.node_ids()]
    if node not in known:
        raise UsageError(f"'{node}' is no node of this mesh: {', '.join(known)}")


def _take_back(site: _Site, node: str, identity: Ed25519PrivateKey) -> str:
    """Revoke a node's bundle in the trust store, and put it aside; returns its serial."""
    nodes, revoked = site.trusted(identity)
    if node not in nodes:
        raise UsageError(f"'{node}' is not in {site.folder.root / TRUST_STORE}: it has no bundle to take back")
    row = nodes.pop(node)
    site.trust(nodes, {**revoked, row["serial"]: site.now.strftime("%Y-%m-%dT%H:%M:%SZ")}, identity)
    if site.folder.has(f"bundles/{node}.json"):
        site.folder.retire(f"bundles/{node}.json", site.now)
    return str(row["serial"])


def _revoke(site: _Site) -> Iterator[str]:
    serial = _take_back(site, site.args.node, site.identity())
    yield f"revoked: {site.args.node}, serial {serial}; hand {TRUST_STORE} over and deploy, or it is still trusted"


def _secrets(site: _Site) -> Iterator[str]:
    lines, missing = [], []
    for key, name in secret_files(site.mesh):
        path = site.folder.root / name
        if path.exists():
            lines.append(f"pulumi config set --stack {site.args.stack} --secret skerry:{key} < {path}\n")
        else:
            missing.append(name)
    if missing:
        raise UsageError(f"{site.folder.root} lacks {', '.join(missing)}: run `skerry mesh keys` first")
    deliver("".join(lines), None)
    yield f"{len(lines)} secrets; nothing was sent anywhere"


def secret_files(mesh: Mesh) -> tuple[tuple[str, str], ...]:
    """Return the stack's secret keys with the files of the folder that hold their values."""
    from skerry.systems import agent_mesh_places as places

    spec = mesh.spec
    rows: list[tuple[str, str]] = []
    if spec.trust.value == "pki":
        rows += [(places.IDENTITY_SECRET, IDENTITY), (places.TRUST_SECRET, TRUST_STORE)]
        rows += [(places.bundle_secret(node), f"bundles/{node}.json") for node, *_ in mesh.node_ids()]
    if spec.capabilities.kind.value == "shared" and not mesh.development:
        rows.append((places.TOKEN_SECRET, TOKEN))
    if mesh.tls_machines():
        rows.append((places.AUTHORITY_SECRET, AUTHORITY))
        rows += [(places.tls_secret(name), f"tls/{name}.pem") for name in mesh.tls_machines()]
    if spec.shared_state is not None:
        rows += [
            (places.STATE_URL_SECRET, "state-url"),
            (places.STATE_GATEWAY_SECRET, "state-gateway"),
            (places.STATE_REPLICA_SECRET, "state-replica"),
            (places.STATE_SENTINEL_SECRET, "state-sentinel"),
        ]
    return tuple(rows)
