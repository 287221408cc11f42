"""What the check of charts tells: images that nobody declared, charts that are not there, Helm's own complaints.

Helm is a script here that prints what a chart would render; real charts and the real Helm are in tests/admission.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airgap_bundle.chart_images import check_charts, find_chart, rendered_images
from cli.main import main
from skerry.engine.run import run_deployment
from skerry.errors import UsageError
from tests.conftest import ROOT

STACK = "sensei-airgapped"
SITE = "registry.site.example:5000"
OPERATOR = f"{SITE}/quay.io/kuberay/operator:v1.7.0"
POD = "kind: Deployment\nspec: {{template: {{spec: {{containers: [{{image: '{0}', args: ['{1}']}}]}}}}}}\n"


def helm(folder: Path, text: str, code: int = 0) -> str:
    """Return a program that prints a text, whatever it is asked."""
    (folder / "out").write_text(text)
    program = folder / "helm"
    program.write_text(
        f"#!/bin/sh\nif [ {code} != 0 ]; then cat '{folder}/out' >&2; exit {code}; fi\ncat '{folder}/out'\n"
    )
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def charts(tmp_path: Path) -> Path:
    folder = tmp_path / "charts"
    (folder / "kuberay-operator").mkdir(parents=True)
    (folder / "kuberay-operator" / "Chart.yaml").write_text("name: kuberay-operator\nversion: 1.7.0\n")
    return folder


CASES = {
    "what is declared": (POD.format(OPERATOR, "--x"), "same", (), ()),
    "another tag": (
        POD.format(f"{SITE}/quay.io/kuberay/operator:v9", "--x"),
        "differs", (f"{SITE}/quay.io/kuberay/operator:v9",), (OPERATOR,),
    ),
    "an image that an argument hands on": (
        POD.format(OPERATOR, "--sidecar=quay.io/other/thing:v2"), "differs", ("quay.io/other/thing:v2",), ()
    ),
    "an argument that is no image": (POD.format(OPERATOR, "--url=https://example.com/x"), "same", (), ()),
    "an image of Docker's own": (POD.format("busybox", "--x"), "differs", ("busybox",), (OPERATOR,)),
    "nothing at all": ("", "same", (), (OPERATOR,)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_images_are_held_against_the_declared_ones(case: str, charts: Path, tmp_path: Path) -> None:
    text, *expected = CASES[case]
    results = check_charts(run_deployment(ROOT, STACK), charts, helm(tmp_path, text), "1.35.0")
    (found,) = [one for one in results if one.chart == "kuberay-operator"]
    assert expected == [found.outcome, found.undeclared, found.not_rendered]


def test_an_image_whose_row_says_that_it_never_runs_is_told_and_fails_nothing(charts: Path, tmp_path: Path) -> None:
    program = helm(tmp_path, POD.format(OPERATOR, "--sidecar=quay.io/other/thing:v2"))
    rows = {"kuberay-operator": {"quay.io/other/thing": "it is off"}}
    results = check_charts(run_deployment(ROOT, STACK), charts, program, "1.35.0", rows)
    (found,) = [one for one in results if one.chart == "kuberay-operator"]
    assert (found.outcome, found.named_only) == ("same", ("quay.io/other/thing:v2",))


def test_images_of_custom_resources_count_and_those_of_their_schemas_do_not() -> None:
    documents = [
        {"kind": "CustomResourceDefinition", "spec": {"default": {"image": "of/a-schema:1"}}},
        {"kind": "Cluster", "spec": {"imageName": "ghcr.io/a/b:1", "image": {"repository": "x"}}},
        {
            "kind": "Policy",
            "spec": {
                "on": {"repository": "nvcr.io/n", "image": "toolkit", "version": "v1"},
                "off": {"enabled": False, "image": "driver", "repository": "r", "version": "2"},
                "pinned": {"repository": "r.io/n", "image": "x", "version": "sha256:1"},
            },
        },
        {"kind": "Pod", "spec": {"containers": [{"image": "c:1", "env": [{"name": "X", "value": "ghcr.io/d/e:2"}]}]}},
    ]
    assert list(rendered_images(documents)) == [
        "ghcr.io/a/b:1",
        "nvcr.io/n/toolkit:v1",
        "r.io/n/x@sha256:1",
        "c:1",
        "ghcr.io/d/e:2",
    ]


def test_a_chart_that_is_not_there_and_one_that_cannot_be_rendered_are_no_pass(
    charts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = helm(tmp_path, "Error: values do not meet the schema\n", code=1)
    words = ["images", "charts", "--stack", STACK, "--charts", str(charts), "--helm", program]
    assert main([*words, "--format", "json"]) == 1
    rows = {row["chart"]: row for row in json.loads(capsys.readouterr().out)["charts"]}
    assert rows["cloudnative-pg"]["outcome"] == "absent"
    assert rows["kuberay-operator"]["outcome"] == "failed"
    assert "values do not meet the schema" in rows["kuberay-operator"]["reason"]
    assert main(words) == 1
    assert "0 of 7 charts run just what is declared" in capsys.readouterr().out


WRONG = {
    "no folder": (["--charts", "nowhere"], "--charts 'nowhere' is no folder"),
    "no Helm": (["--helm", "no-such-helm"], "install Helm 3"),
    "no YAML": ([], "renders what is no YAML"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_said(case: str, charts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, expected = WRONG[case]
    words = {"--charts": str(charts), "--helm": helm(tmp_path, "{")} | dict(zip(given[::2], given[1::2], strict=True))
    code = main(["images", "charts", "--stack", STACK, *[word for pair in words.items() for word in pair]])
    out = capsys.readouterr()
    assert code in (1, 2)
    assert expected in " ".join((out.out + out.err).split())


def test_a_packaged_chart_is_found_by_name_and_version(tmp_path: Path) -> None:
    file = tmp_path / "cert-manager-1.21.2.tgz"
    file.touch()
    assert (file, None) == (find_chart(tmp_path, "cert-manager", "v1.21.2"), find_chart(tmp_path, "keda", "2.20.2"))


def test_the_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        check_charts(run_deployment(ROOT, STACK), tmp_path / "none", "helm", "1.35.0")
