"""The script that installs the mesh's program: from a repository, and from a medium that nobody changed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from cli.main import main
from skerry.config.load import load_spec
from skerry.systems.agent_mesh_install import INSTALL, NAMESPACE, SIGNERS, install_files
from skerry.systems.agent_mesh_places import Mesh
from tests.simulators.changed_stacks import changed_deployment

COMMIT: Final = "1" * 40


def files(stack: str, changes: dict[str, object]) -> dict[str, str]:
    mesh = Mesh.of(load_spec(changed_deployment(stack, changes), stack))
    return {file.path: file.text for file in install_files(mesh)}


def wheel(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.dist-info"
    rows = {
        f"{name}.py": "VALUE = 1\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for path, text in rows.items():
            archive.writestr(path, text)
        record = "".join(f"{path},,\n" for path in (*rows, f"{info}/RECORD"))
        archive.writestr(f"{info}/RECORD", record)


class Medium:
    """A medium with a signer, and the machine that it is brought to."""

    def __init__(self, root: Path) -> None:
        self.root, self.media, self.home = root, root / "media", root / "home"
        self.home.mkdir(parents=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(root / "key")], check=True)
        signer = " ".join((root / "key.pub").read_text().split()[:2])
        wheel(self.media / "wheels", "meshneed")
        source = root / "agent_mesh-1"
        source.mkdir()
        (source / "requirements.txt").write_text("meshneed==1.0\n")
        (source / "program.py").write_text("import meshneed\n")
        with tarfile.open(self.media / "agent_mesh.tar.gz", "w:gz") as archive:
            archive.add(source, "agent_mesh-1")
        rendered = files(
            "mesh-airgapped", {"agent_mesh.media.signer": signer, "agent_mesh.media.path": str(self.media)}
        )
        (root / "allowed_signers").write_text(rendered[SIGNERS])
        text = rendered[INSTALL].replace("/opt/agent_mesh", str(self.home)).replace("root:agent-mesh", "root:root")
        (root / "install").write_text(text.replace(SIGNERS, str(root / "allowed_signers")))
        self.sign()

    def sign(self) -> None:
        paths = sorted(path for path in self.media.rglob("*") if path.is_file() and "SHA256SUMS" not in path.name)
        (self.media / "SHA256SUMS").write_text(
            "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(self.media)}\n" for p in paths)
        )
        (self.media / "SHA256SUMS.sig").unlink(missing_ok=True)
        words = ["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(self.root / "key")]
        subprocess.run([*words, str(self.media / "SHA256SUMS")], check=True, capture_output=True)

    def install(self) -> tuple[int, str]:
        done = subprocess.run(
            ["/bin/sh", str(self.root / "install")], capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin", "PIP_INDEX_URL": "http://127.0.0.1:9/", "HOME": str(self.root)},
        )  # fmt: skip
        return done.returncode, done.stderr


@pytest.fixture
def medium(tmp_path: Path) -> Medium:
    return Medium(tmp_path)


def _other_file(medium: Medium) -> None:
    wheel(medium.media / "wheels", "other")


def _changed_file(medium: Medium) -> None:
    (medium.media / "agent_mesh.tar.gz").write_bytes(b"other")


def _changed_sums(medium: Medium) -> None:
    _changed_file(medium)
    path = medium.media / "SHA256SUMS"
    lines = [line for line in path.read_text().splitlines() if "agent_mesh" not in line]
    path.write_text("\n".join([*lines, f"{hashlib.sha256(b'other').hexdigest()}  agent_mesh.tar.gz", ""]))


def _another_signer(medium: Medium) -> None:
    for name in ("key", "key.pub"):
        (medium.root / name).unlink()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(medium.root / "key")], check=True)
    medium.sign()


def _no_medium(medium: Medium) -> None:
    shutil.rmtree(medium.media)


REFUSED: dict[str, tuple[Callable[[Medium], None], int, str]] = {
    "a file that no sum lists": (_other_file, 1, "holds files that SHA256SUMS does not list: nothing is installed"),
    "a file that was changed": (_changed_file, 1, "is not what SHA256SUMS says: nothing is installed"),
    "sums that were changed too": (_changed_sums, 1, "does not bear the signature of"),
    "another signer": (_another_signer, 1, "does not bear the signature of"),
    "no medium": (_no_medium, 3, "no medium at"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_nothing_installed(case: str, medium: Medium) -> None:
    spoil, expected, says = REFUSED[case]
    spoil(medium)
    code, text = medium.install()
    assert (expected, True, []) == (code, says in text, list(medium.home.iterdir()))


def test_a_medium_is_installed_without_a_network_and_once(medium: Medium) -> None:
    assert medium.install() == (0, "")
    python = medium.home / "venv/bin/python"
    assert subprocess.run([python, medium.home / "program.py"], check=False).returncode == 0
    before = python.stat().st_ctime_ns
    shutil.rmtree(medium.media)
    assert (0, "", before) == (*medium.install(), python.stat().st_ctime_ns)


def test_a_repository_is_installed_beside_what_is_laid_already(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    need_tool("git")
    source, home = tmp_path / "source", tmp_path / "home"
    source.mkdir()
    home.mkdir()
    (home / ".env").write_text("GATEWAY_PORT=8787\n")
    # An environment that is there is not made again; one is made in the test of the medium.
    (home / "venv/bin").mkdir(parents=True)
    (home / "venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (home / "venv/bin/python").chmod(0o755)
    (source / "requirements.txt").write_text("")
    git = ["git", "-C", str(source), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    changes: dict[str, object] = {"agent_mesh.source": {"commit": commit}}
    text = files("mesh-small-team", changes)[INSTALL].replace("/opt/agent_mesh", str(home))
    text = text.replace("root:agent-mesh", "root:root")
    text = text.replace("https://github.com/adaptivesentience/agent_mesh.git", str(source))
    for _ in range(2):
        done = subprocess.run(["/bin/sh", "-c", text], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (home / "requirements.txt").exists()
    assert (home / ".env").read_text() == "GATEWAY_PORT=8787\n"
    assert (home / ".installed").read_text() == f"{commit}\n"


def test_a_medium_that_the_command_made_is_installed(medium: Medium, tmp_path: Path) -> None:
    made = tmp_path / "made"
    words = ["--source", str(medium.media / "agent_mesh.tar.gz"), "--wheels", str(medium.media / "wheels")]
    key = ["--key", str(tmp_path / "key"), "--to", str(made)]
    assert main(["mesh", "medium", *words, *key]) == 0
    assert main(["mesh", "medium", *words, *key]) == 2
    shutil.rmtree(medium.media)
    made.rename(medium.media)
    # An environment that is there is not made again: what is judged here is the medium.
    (medium.home / "venv/bin").mkdir(parents=True)
    (medium.home / "venv/bin/python").write_text("#!/bin/sh\nexit 0\n")
    (medium.home / "venv/bin/python").chmod(0o755)
    assert medium.install() == (0, "")
    assert (medium.home / "program.py").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--source", "none.tar.gz", "--wheels", "."], "is no .tar.gz file"),
        (["--source", "{archive}", "--wheels", "none"], "holds no .whl file"),
    ],
)
def test_no_medium_of_what_is_not_there(
    words: list[str], says: str, medium: Medium, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.replace("{archive}", str(medium.media / "agent_mesh.tar.gz")) for word in words]
    code = main(["mesh", "medium", *given, "--key", str(tmp_path / "key"), "--to", str(tmp_path / "made")])
    assert (code, says in capsys.readouterr().err, (tmp_path / "made").exists()) == (2, True, False)
