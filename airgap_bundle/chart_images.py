"""Whether a chart runs just the images that its component declares: each Release is rendered by Helm itself.

(1) The values are the stack's own; what only a deployment knows is rendered as the word `unknown`, and said.
(2) Images are those of containers, of fields named `image` or `imageName` in custom resources (or of `repository`,
    `image` and `version` where these stand apart, unless `enabled` is false), and those that arguments and environment
    hand on to programs which start pods themselves.
(3) An image that is rendered and not declared would be missing on the medium: the chart differs.
    Rows of charts.yaml name those that a chart hands on and that never run with our values.
(4) One that is declared and not rendered is told: operators may ask for it at run time, so it stays carried.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from skerry.errors import CatalogError, UsageError
from skerry.facts import facts_of
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret, is_known, plain
from skerry.images import ImageReference

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
UNKNOWN_WORD: Final = "unknown"
_TIMEOUT_S: Final = 120
_MAX_OUTPUT: Final = 256 * 1024 * 1024
_HANDED_ON: Final = re.compile(
    r"(?:^|[\s=\"'])((?:[a-z0-9-]+\.)+[a-z0-9-]+(?::\d+)?/[a-z0-9._/-]+(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?)"
    r"(?=$|[\s,\"'])"
)
"""An image in an argument or a variable: a host with a dot or a port, a path, and a tag or a digest."""


@dataclass(frozen=True, slots=True)
class ChartResult:
    """What rendering one Release told."""

    release: str
    """Its name in Kubernetes."""
    urn: str
    chart: str
    version: str
    outcome: str
    """`same`, `differs`, `absent` (the chart is not in the folder) or `failed` (Helm could not render it)."""
    objects: int = 0
    images: tuple[str, ...] = ()
    """Rendered, sorted."""
    undeclared: tuple[str, ...] = ()
    """Rendered, but no image of the component (3)."""
    named_only: tuple[str, ...] = ()
    """Rendered and not declared, and the chart's row says that it never runs."""
    not_rendered: tuple[str, ...] = ()
    """Declared, but in no manifest (4)."""
    unknown: tuple[str, ...] = ()
    """Paths of values that are not known before a deployment (1)."""
    reason: str = ""


def check_charts(
    graph: ResourceGraph,
    folder: Path,
    helm: str,
    kubernetes: str,
    named_only: Mapping[str, Mapping[str, str]] = {},
) -> list[ChartResult]:
    """Render each Release of a graph and compare its images with the declared ones.

    Args:
        graph: the stack.
        folder: packaged charts, `<name>-<version>.tgz`, or folders of the chart's name.
        helm: the program.
        kubernetes: the version that charts are told, for example `1.35.0`.
        named_only: chart -> images without tag that it names and that never run.

    Raises:
        UsageError: the folder, or Helm, is not there.
    """
    if not folder.is_dir():
        raise UsageError(f"--charts '{folder}' is no folder: put the packaged charts there, `helm pull` fetches them")
    return [_check(graph, one, folder, helm, kubernetes, named_only) for one in graph.of_type(RELEASE)]


def render_chart(
    release: Resource, chart: Path, helm: str, kubernetes: str
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the objects of one Release with the paths of values that are not known.

    Raises:
        UsageError: Helm is not there, or cannot render the chart with these values.
    """
    missing: list[str] = []
    values = _values(release.inputs.get("values") or {}, "", missing)
    name, namespace = (_text(release, key) for key in ("name", "namespace"))
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "values.json"
        file.write_text(json.dumps(values), encoding="utf-8")
        words = [
            helm, "template", name or release.name, str(chart), "--namespace", namespace or "default", "--values",
            str(file), "--skip-tests", "--include-crds", "--kube-version", kubernetes,
        ]  # fmt: skip
        if release.inputs.get("skipCrds") is True:
            words[-3:] = ["--skip-crds", "--kube-version", kubernetes]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except FileNotFoundError as exc:
            raise UsageError(f"'{helm}' is not there: install Helm 3, or name it with --helm") from exc
        except subprocess.TimeoutExpired as exc:
            raise UsageError(f"helm did not render {chart.name} within {_TIMEOUT_S} s") from exc
    if done.returncode != 0:
        told = [line for line in done.stderr.splitlines() if line.strip()]
        raise UsageError(f"helm cannot render {chart.name}: {' '.join(told[-3:])[:400]}")
    if len(done.stdout) > _MAX_OUTPUT:
        raise UsageError(f"{chart.name} renders more than {_MAX_OUTPUT >> 20} MiB")
    try:
        documents = [one for one in yaml.load_all(done.stdout, Loader=_Loader) if isinstance(one, dict)]
    except yaml.YAMLError as exc:
        raise UsageError(f"{chart.name} renders what is no YAML: {str(exc).splitlines()[0]}") from exc
    return documents, tuple(missing)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # either is a SafeLoader
    """A safe loader that reads a lone `=` as text: CRDs of Prometheus have one."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: str(node.value))


def _check(
    graph: ResourceGraph,
    release: Resource,
    folder: Path,
    helm: str,
    kubernetes: str,
    named_only: Mapping[str, Mapping[str, str]],
) -> ChartResult:
    chart = _text(release, "chart").rpartition("/")[2]
    version = _text(release, "version")
    known = (_text(release, "name") or release.name, release.urn, chart or UNKNOWN_WORD, version or UNKNOWN_WORD)
    path = find_chart(folder, chart, version)
    if path is None:
        reason = f"neither {chart}-{version}.tgz nor a folder {chart} is in {folder}"
        return ChartResult(*known, "absent", reason=reason)
    try:
        documents, unknown = render_chart(release, path, helm, kubernetes)
    except UsageError as exc:
        return ChartResult(*known, "failed", reason=str(exc))
    declared = _declared(graph, release)
    found = tuple(sorted(set(rendered_images(documents))))
    have = {_plain_name(one) for one in found}
    excused = named_only.get(chart, {})
    beyond = [one for one in found if _plain_name(one) not in declared]
    undeclared = tuple(one for one in beyond if _repository(one) not in excused)
    return ChartResult(
        *known,
        "differs" if undeclared else "same",
        len(documents),
        found,
        undeclared,
        tuple(one for one in beyond if _repository(one) in excused),
        tuple(sorted(declared - have)),
        unknown,
    )


def find_chart(folder: Path, name: str, version: str) -> Path | None:
    """Return a packaged chart, or the folder of one, or None."""
    for path in (folder / f"{name}-{version}.tgz", folder / f"{name}-{version.removeprefix('v')}.tgz"):
        if path.is_file():
            return path
    unpacked = folder / name
    return unpacked if name and (unpacked / "Chart.yaml").is_file() else None


def _declared(graph: ResourceGraph, release: Resource) -> set[str]:
    """Return the images that the components around a Release declare."""
    for owner in graph.ancestors(release):
        facts = facts_of(owner)
        if facts is not None and facts.images:
            return {_plain_name(image.deployed_as) for image in facts.images}
    return set()


def _plain_name(reference: str) -> str:
    """Return a reference written out; what is none stays as it is."""
    try:
        return str(ImageReference.parse(reference))
    except CatalogError:
        return reference


def _repository(reference: str) -> str:
    """Return a reference without tag and digest; what is none stays as it is."""
    try:
        found = ImageReference.parse(reference)
    except CatalogError:
        return reference
    return f"{found.registry}/{found.repository}"


def _text(release: Resource, key: str) -> str:
    value = plain(release.inputs.get(key))
    return value if isinstance(value, str) else ""


def _values(value: Any, path: str, missing: list[str]) -> Any:
    found = value.value if isinstance(value, Secret) else value
    if isinstance(found, Mapping):
        return {str(key): _values(item, f"{path}.{key}".lstrip("."), missing) for key, item in found.items()}
    if isinstance(found, list | tuple):
        return [_values(item, f"{path}[{index}]", missing) for index, item in enumerate(found)]
    if found is UNKNOWN or not is_known(found):
        missing.append(path)
        return UNKNOWN_WORD
    return int(found) if isinstance(found, float) and found.is_integer() else found


def rendered_images(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the images of rendered objects, some more than once (2)."""
    for document in documents:
        if document.get("kind") != "CustomResourceDefinition":
            yield from _images(document, "")


def _images(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "image" in value and value.get("enabled") is False:
            return
        # Source: NVIDIA/gpu-operator v26.7.0 api/nvidia/v1/clusterpolicy_types.go, ImagePath, read 2026-11
        parts = [value.get(name) for name in ("repository", "image", "version")]
        whole = all(isinstance(part, str) and part for part in parts)
        if whole:
            mark = "@" if str(parts[2]).startswith("sha256:") else ":"
            yield f"{parts[0]}/{parts[1]}{mark}{parts[2]}"
        for name, item in value.items():
            if not (name == "image" and "repository" in value):
                yield from _images(item, str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _images(item, key)
    elif isinstance(value, str):
        if key in ("image", "imageName") and value:
            yield value
        elif key in ("args", "command", "value"):
            yield from (found for found in _HANDED_ON.findall(value) if ":" in found.rpartition("/")[2] or "@" in found)
