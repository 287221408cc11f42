"""How the mesh's program comes to a machine: from its repository, or from a signed medium that people carry."""

from __future__ import annotations

from typing import Final

from skerry.hosts.facts import CarriedFact
from skerry.hosts.plan import HostFile
from skerry.systems.agent_mesh_places import ETC, HOME, USER, Mesh

INSTALL: Final = "/usr/local/sbin/agent-mesh-install"
SIGNERS: Final = f"{ETC}/allowed_signers"
NAMESPACE: Final = "agent-mesh-media"
"""What a signature of a medium is made for: `ssh-keygen -Y sign -n agent-mesh-media`."""
_STAMP: Final = f"{HOME}/.installed"


def install_files(mesh: Mesh) -> tuple[HostFile, ...]:
    """Return the script that installs, and who may sign a medium."""
    if mesh.spec.media is None:
        return (HostFile(path=INSTALL, text=_from_repository(mesh), mode="0755"),)
    signer = f'media namespaces="{NAMESPACE}" {mesh.spec.media.signer}\n'
    return (
        HostFile(path=INSTALL, text=_from_medium(mesh, mesh.spec.media.path), mode="0755"),
        HostFile(path=SIGNERS, text=signer),
    )


def install_packages(mesh: Mesh) -> tuple[str, ...]:
    """Return the packages that installing needs."""
    how = "git" if mesh.spec.media is None else "openssh-client"
    return ("python3", "python3-venv", "curl", how)


def carried(mesh: Mesh) -> tuple[CarriedFact, ...]:
    """Return what a medium must hold for this system beside packages of the machine; nothing where there is a way."""
    if mesh.deployment.target.connected:
        return ()
    source = mesh.spec.source
    version = source.commit or "unresolved"
    page = source.repository.removesuffix(".git")
    archive = f"{page}/archive/{source.commit}.tar.gz" if source.commit else source.repository
    return (
        CarriedFact(
            kind="source",
            name="agent_mesh",
            version=version,
            source=archive,
            digest=source.archive_digest,
            why="the program of gateways and nodes",
        ),
        CarriedFact(
            kind="wheels",
            name="agent_mesh",
            version=version,
            source=f"pip wheel --wheel-dir wheels -r requirements.txt, in {archive}",
            why="what its requirements.txt names; pip asks nobody at the site",
        ),
    )


def _head(mesh: Mesh, version: str) -> str:
    return f"""set -eu
# Others than root run what is installed, whatever mask this was started with.
umask 022
folder={HOME}
version={version}
"""


_ENVIRONMENT: Final = """[ -x "$folder/venv/bin/python" ] || python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check {how} \\
    --requirement "$folder/requirements.txt"
"""
_END: Final = f"""chown -R root:{USER} "$folder/venv"
printf '%s\\n' "$version" > {_STAMP}
"""


def _from_repository(mesh: Mesh) -> str:
    source = mesh.spec.source
    return f"""#!/bin/sh
# Installs the agent mesh from its repository; what is there already is left alone.
{_head(mesh, source.commit or "HEAD")}repository={source.repository}
if [ "$(cat {_STAMP} 2>/dev/null)" = "$version" ]; then
    exit 0
fi
[ -d "$folder/.git" ] || git -C "$folder" init --quiet
git -C "$folder" fetch --quiet --depth 1 "$repository" "$version"
git -C "$folder" checkout --quiet --force --detach FETCH_HEAD
{_ENVIRONMENT.format(how="")}{_END}"""


def _from_medium(mesh: Mesh, path: str) -> str:
    commit = mesh.spec.source.commit or "unresolved"
    return f"""#!/bin/sh
# Installs the agent mesh from a medium: its list of sums must bear our signer's signature, and list every file.
# The medium holds SHA256SUMS, SHA256SUMS.sig, agent_mesh.tar.gz and the folder wheels.
{_head(mesh, commit)}media=${{1:-{path}}}
if [ "$(cat {_STAMP} 2>/dev/null)" = "$version" ] && [ $# -eq 0 ]; then
    exit 0
fi
if [ ! -r "$media/SHA256SUMS" ]; then
    echo "agent-mesh-install: no medium at $media: mount it, or name its folder" >&2
    exit 3
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What is judged is what is installed: it is read from the medium once.
cp -R "$media/." "$work/medium"
cd "$work/medium"
ssh-keygen -Y verify -f {SIGNERS} -I media -n {NAMESPACE} -s SHA256SUMS.sig < SHA256SUMS >/dev/null || {{
    echo "agent-mesh-install: SHA256SUMS does not bear the signature of {SIGNERS}: nothing is installed" >&2
    exit 1
}}
sha256sum --check --strict --quiet SHA256SUMS || {{
    echo "agent-mesh-install: a file of the medium is not what SHA256SUMS says: nothing is installed" >&2
    exit 1
}}
sed -e 's/^[0-9a-f]* [ *]//' -e 's|^[.]/||' SHA256SUMS | sort > "$work/listed"
find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig | sed 's|^[.]/||' | sort > "$work/found"
if ! cmp -s "$work/listed" "$work/found"; then
    echo "agent-mesh-install: the medium holds files that SHA256SUMS does not list: nothing is installed" >&2
    exit 1
fi
tar -xzf agent_mesh.tar.gz --strip-components=1 --no-same-owner -C "$folder"
{_ENVIRONMENT.format(how='--no-index --find-links "$work/medium/wheels"')}{_END}"""
