"""`skerry demo` as a new user runs it, and what its medium does when it is touched or taken to the wrong place."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from shutil import copytree

import pytest

from cli.main import main
from tests.simulators.registry_debian import debian_registry


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, int]:
    """Return the folder, what was printed and the exit code of one run."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        code = main(["demo", "--out", str(folder)])
    return folder, printed.getvalue(), code


def verify(medium: Path, trust: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    code = main(["bundle", "verify", str(medium), "--trust", str(trust), "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_it_runs_to_the_end(demo: tuple[Path, str, int]) -> None:
    _, printed, code = demo
    assert code == 0
    assert [f"\n{number}. " in printed for number in range(1, 10)] == [True] * 9
    assert "For real, on a machine that reaches the registries:" in printed


def test_what_it_says_was_made_is_there(demo: tuple[Path, str, int]) -> None:
    folder, _, _ = demo
    assert len(list((folder / "rendered" / "manifests").rglob("*.yaml"))) > 80
    for name in ("rendered/diagram.svg", "medium.lock", "signer", "allowed_signers"):
        assert (folder / name).stat().st_size > 0, name
    assert len([path for path in (folder / "medium").iterdir() if path.is_dir()]) > 1
    assert (folder / "signer").stat().st_mode & 0o077 == 0, "a private key is its owner's alone"


def test_every_command_that_it_shows_can_be_typed(demo: tuple[Path, str, int]) -> None:
    _, printed, _ = demo
    shown = [line for line in printed.splitlines() if line.startswith("$ skerry ")]
    assert [line.split()[2] for line in shown] == [
        "preview", "check", "cost", "render", "bundle", "bundle", "bundle", "bundle", "bundle",
    ]  # fmt: skip


def test_the_medium_verifies_again(demo: tuple[Path, str, int], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = demo
    code, report = verify(folder / "medium", folder / "allowed_signers", capsys)
    assert (code, report["ok"]) == (0, True)


def test_without_trust_it_does_not(demo: tuple[Path, str, int], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = demo
    assert main(["bundle", "verify", str(folder / "medium")]) == 1
    capsys.readouterr()


def samples(medium: Path) -> list[Path]:
    """Return one file of each kind that a medium holds: of each suffix and parent name, the first."""
    found: dict[tuple[str, str], Path] = {}
    for path in sorted(medium.rglob("*")):
        if path.is_file() and path.stat().st_size:
            found.setdefault((path.parent.name, path.suffix or path.name[:3]), path)
    return list(found.values())[:12]


def test_one_byte_anywhere_makes_it_refused(
    demo: tuple[Path, str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _, _ = demo
    medium = tmp_path / "medium"
    copytree(folder / "medium", medium)
    touched = samples(medium)
    assert len(touched) > 3
    for path in touched:
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.chmod(0o644)
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        code, report = verify(medium, folder / "allowed_signers", capsys)
        assert (code, report["ok"]) == (1, False), path.relative_to(medium)
        path.write_bytes(whole)
    assert verify(medium, folder / "allowed_signers", capsys)[0] == 0


def test_a_volume_that_is_missing_makes_it_refused(
    demo: tuple[Path, str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _, _ = demo
    volumes = sorted(path for path in (folder / "medium").iterdir() if path.is_dir())
    for volume in volumes[:-1]:
        copytree(volume, tmp_path / "medium" / volume.name)
    assert verify(tmp_path / "medium", folder / "allowed_signers", capsys)[0] == 1


@pytest.mark.registry
def test_stand_ins_are_refused_at_a_site_that_works(
    demo: tuple[Path, str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _, _ = demo
    argv = ["bundle", "import", str(folder / "medium"), "--trust", str(folder / "allowed_signers"), "--registry"]
    with debian_registry(tmp_path / "registry") as site:
        assert main([*argv, site]) == 1
    assert "rehears" in capsys.readouterr().err
    pushed = list((tmp_path / "registry" / "store").rglob("_manifests"))
    assert pushed == [], "nothing was pushed before the refusal"


def test_it_leaves_a_folder_of_others_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "holds other files: name a new folder" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_it_says_when_nothing_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file" / "x")]) == 3
    assert "cannot make" in capsys.readouterr().err
