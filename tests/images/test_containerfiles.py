"""The Containerfiles of our own images: pinned bases, no root, no rights, and nothing that is not there."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from skerry.catalog import load_catalog

IMAGES = Path(__file__).resolve().parents[2] / "images"
NAMES = ("bundle-loader", "health-probe", "load-test", "stand-in")
ANNOTATIONS = ("title", "description", "version", "revision", "licenses")
KNOWN = {"ARG", "FROM", "LABEL", "ENV", "COPY", "RUN", "USER", "WORKDIR", "EXPOSE", "ENTRYPOINT", "CMD"}


@dataclass(frozen=True)
class Step:
    """One instruction."""

    word: str
    text: str

    @property
    def arguments(self) -> list[str]:
        """Its words, flags left out; the list of a JSON form."""
        if self.text.startswith("["):
            return [str(one) for one in json.loads(self.text)]
        return [word for word in shlex.split(self.text) if not word.startswith("--")]


def steps(text: str) -> list[Step]:
    """Read a Containerfile: comments dropped, continued lines joined."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = re.sub(r"\\\n\s*", "", kept).splitlines()
    found = []
    for line in lines:
        if line.strip():
            word, _, rest = line.partition(" ")
            assert word in KNOWN, f"'{word}' is no instruction that these files use"
            found.append(Step(word, rest.strip()))
    return found


def problems(text: str, context: Path) -> list[str]:
    """Return what is wrong with a Containerfile."""
    all_steps = steps(text)
    last = all_steps[max(i for i, step in enumerate(all_steps) if step.word == "FROM") :]
    found = []
    base = load_catalog().images["python"].reference
    if all_steps[0] != Step("ARG", f"BASE={base}"):
        found.append("the base is not the row python of images.yaml")
    found += [f"FROM {step.text}" for step in all_steps if step.word == "FROM" and step.arguments[0] != "${BASE}"]
    users = [step.text for step in last if step.word == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        found.append("the last user is not a number above 0")
    elif [step.word for step in last].index("USER") < max(i for i, s in enumerate(last) if s.word == "COPY"):
        found.append("files are copied after the user was changed, so they could belong to it")
    labels = "".join(step.text for step in last if step.word == "LABEL")
    found += [f"no label {name}" for name in ANNOTATIONS if f"org.opencontainers.image.{name}=" not in labels]
    if not any(step.word == "ENTRYPOINT" and step.text.startswith("[") for step in last):
        found.append("no ENTRYPOINT in JSON form: a shell would take the signals")
    for step in all_steps:
        if step.word == "RUN" and re.search(
            r"\b(sudo|mount|chroot|apt-get|--privileged|--security|curl|wget)\b", step.text
        ):
            found.append(f"RUN {step.text} needs rights or a network that a build may not have")
        if (
            step.word == "RUN"
            and "pip install" in step.text
            and not {"--require-hashes", "--no-deps"} <= set(step.text.split())
        ):
            found.append("pip installs without hashes")
        if step.word == "COPY" and not step.text.startswith("--from="):
            found += [f"{name} is not there" for name in step.arguments[:-1] if not (context / name).exists()]
    return found


def context_of(name: str) -> Path:
    return IMAGES.parent if name == "bundle-loader" else IMAGES / name


def test_every_folder_with_a_containerfile_is_known() -> None:
    assert tuple(sorted(path.parent.name for path in IMAGES.glob("*/Containerfile"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_containerfile_is_sound(name: str) -> None:
    assert problems((IMAGES / name / "Containerfile").read_text(encoding="utf-8"), context_of(name)) == []


BAD: dict[str, tuple[str, str, str]] = {
    "another base": ("slim-trixie", "slim", "the base is not the row python"),
    "a base beside it": ("FROM ${BASE}", "FROM docker.io/library/debian:12", "FROM docker.io/library/debian:12"),
    "root": ("USER 65532:65532", "USER root", "the last user is not a number above 0"),
    "user 0": ("USER 65532:65532", "USER 0:0", "the last user is not a number above 0"),
    "a missing file": ("COPY probe.py", "COPY prober.py", "prober.py is not there"),
    "a shell": ('["python3", "-I", "/opt/skerry/probe.py"]', "python3 probe.py", "no ENTRYPOINT in JSON form"),
    "a label less": ("org.opencontainers.image.licenses", "licenses", "no label licenses"),
    "rights": ("USER 65532", "RUN mount /x\nUSER 65532", "needs rights or a network"),
    "packages without hashes": ("USER 65532", "RUN pip install rich\nUSER 65532", "pip installs without hashes"),
    "files of the user": ("EOF", "COPY probe.py /x", "files are copied after the user was changed"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_check_itself_finds(case: str) -> None:
    old, new, message = BAD[case]
    text = (IMAGES / "health-probe" / "Containerfile").read_text(encoding="utf-8") + "# EOF\n"
    changed = text.replace("# EOF", new) if old == "EOF" else text.replace(old, new)
    assert changed != text
    assert any(message in one for one in problems(changed, context_of("health-probe")))


def test_the_loaders_packages_are_the_projects_own_pins() -> None:
    pin = re.compile(r"^([a-z0-9-]+)==([^ ]+)", re.MULTILINE)
    loader = dict(pin.findall((IMAGES / "bundle-loader" / "requirements.txt").read_text(encoding="utf-8")))
    ours = dict(pin.findall((IMAGES.parent / "requirements" / "all.txt").read_text(encoding="utf-8")))
    assert loader == {name: ours[name] for name in loader}
    assert {"pydantic", "pyyaml", "cryptography"} <= set(loader)
    assert "pulumi" not in loader
