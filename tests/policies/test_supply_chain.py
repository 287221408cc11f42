from __future__ import annotations

from typing import Any

import pytest

from policies.rules.supply_chain import RULES
from skerry.facts import AcceptedLicenceFact, BaselineFact, ChartFact, ImageFact, ModelFact
from skerry.graph import UNKNOWN, Secret
from tests.simulators.policy_graphs import DIGEST, Build, run, told

SUP001, SUP002, SUP003, SUP004, SUP005, SUP006, SUP007, SUP008 = RULES
Told = list[tuple[str, str, str]]
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
PINNED = f"docker.io/library/web:1@{DIGEST}"


def pod(image: Any, **container: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"image": image, **container}]}}}}


def runs(image: Any, production: bool = False) -> Build:
    return lambda b: b.add(DEPLOYMENT, "it", pod(image), parent=b.deployment(production=production))


def image(deployed_as: str, **more: Any) -> ImageFact:
    return ImageFact(name="web", reference="docker.io/library/web:1", deployed_as=deployed_as, why="serves", **more)


NO_IMAGES: Told = [("not-applicable", "", "no images in the graph")]
UNKNOWN_IMAGE: Told = [("undetermined", "it", "an image reference is not known before a deployment")]
DIGESTS: dict[str, tuple[Build, Told]] = {
    "pinned": (runs(PINNED), [("ok", "it", "")]),
    "not pinned": (runs("web:1"), [("undetermined", "it", "image web:1 is not pinned by a digest")]),
    "not pinned in production": (
        runs("web:1", production=True),
        [("violation", "it", "image web:1 is not pinned by a digest, and the deployment is in production")],
    ),
    "of a chart": (
        lambda b: b.component("op", images=(image("docker.io/library/web:1", declared=True),)),
        [("undetermined", "op", "image docker.io/library/web:1 is not pinned by a digest")],
    ),
    "that no manifest carries is judged where its component names it": (
        lambda b: b.component("op", images=(image("web:1"),)),
        [("undetermined", "op", "image web:1 is not pinned by a digest")],
    ),
    "that is none": (
        runs("web:1@sha256:abc"),
        [
            (
                "violation",
                "it",
                "'web:1@sha256:abc' is no image reference: write registry/repository:tag or"
                " registry/repository@sha256:<64 hex>",
            )
        ],
    ),
    "unknown": (runs(UNKNOWN), UNKNOWN_IMAGE),
    "secret": (runs(Secret("registry.example/secret-project:1")), UNKNOWN_IMAGE),
    "no images": (lambda b: None, NO_IMAGES),
}


@pytest.mark.parametrize("case", DIGESTS)
def test_sup001_images_are_pinned(case: str) -> None:
    build, expected = DIGESTS[case]
    assert expected == told(run(build, SUP001))


TAGS: dict[str, tuple[Build, Told]] = {
    "a version": (runs("web:1"), [("ok", "it", "")]),
    "a digest alone": (runs(f"web@{DIGEST}"), [("ok", "it", "")]),
    "latest": (runs("web:latest"), [("violation", "it", "image web:latest has the tag latest or none")]),
    "none": (runs("web"), [("violation", "it", "image web has the tag latest or none")]),
    "unknown": (runs(UNKNOWN), UNKNOWN_IMAGE),
    "that is no reference": (runs("Web!"), [("undetermined", "it", "'Web!' is no image reference")]),
    "no images": (lambda b: None, NO_IMAGES),
}


@pytest.mark.parametrize("case", TAGS)
def test_sup002_no_latest(case: str) -> None:
    build, expected = TAGS[case]
    assert expected == told(run(build, SUP002))


DECLARED: dict[str, tuple[Build, Told]] = {
    "declared": (
        lambda b: b.add(DEPLOYMENT, "it", pod(PINNED), parent=b.component("c", images=(image(PINNED),))),
        [("ok", "it", "")],
    ),
    "not declared": (
        lambda b: b.add(DEPLOYMENT, "it", pod("busybox:1"), parent=b.component("c", images=(image(PINNED),))),
        [("violation", "it", "image busybox:1 is declared by no component, so no bundle carries it")],
    ),
    "unknown": (
        lambda b: b.add(DEPLOYMENT, "it", pod(UNKNOWN), parent=b.component("c", images=(image(PINNED),))),
        UNKNOWN_IMAGE,
    ),
    "a foreign program": (
        lambda b: b.add(DEPLOYMENT, "it", pod("busybox:1")),
        [("not-applicable", "", "the graph has no component that declares images")],
    ),
    "no manifests": (
        lambda b: b.component("c"),
        [("not-applicable", "", "no images in manifests in the graph")],
    ),
}


@pytest.mark.parametrize("case", DECLARED)
def test_sup003_images_are_declared(case: str) -> None:
    build, expected = DECLARED[case]
    assert expected == told(run(build, SUP003))


def chart(digest: str | None = DIGEST) -> ChartFact:
    return ChartFact(name="keda", repository="oci://charts", version="2.0.0", digest=digest, why="scaling")


def release(inputs: dict[str, Any], digest: str | None = DIGEST, production: bool = False) -> Build:
    def build(b: Any) -> None:
        operator = b.component("op", b.deployment(production=production), charts=(chart(digest),))
        b.add("kubernetes:helm.sh/v3:Release", "it", inputs, parent=operator)

    return build


CHARTS: dict[str, tuple[Build, Told]] = {
    "declared and pinned": (release({"chart": "keda", "version": "2.0.0"}), [("ok", "it", "")]),
    "by its address": (release({"chart": "oci://site/charts/keda", "version": "2.0.0"}), [("ok", "it", "")]),
    "from a file": (release({"chart": "./keda-2.0.0.tgz"}), [("ok", "it", "")]),
    "no digest": (
        release({"chart": "keda", "version": "2.0.0"}, None),
        [("undetermined", "it", "chart keda 2.0.0 is not pinned by a digest")],
    ),
    "no digest in production": (
        release({"chart": "keda", "version": "2.0.0"}, None, True),
        [("violation", "it", "chart keda 2.0.0 is not pinned by a digest, and the deployment is in production")],
    ),
    "another chart": (
        release({"chart": "kedalike", "version": "2.0.0"}),
        [("violation", "it", "chart kedalike is not the one that its component declares")],
    ),
    "another version": (
        release({"chart": "keda", "version": "2.1.0"}),
        [("violation", "it", "version 2.1.0 is not the declared 2.0.0")],
    ),
    "unknown": (
        release({"chart": UNKNOWN}),
        [("undetermined", "it", "its chart or version is not known before a deployment")],
    ),
    "a bare release": (
        lambda b: b.add("kubernetes:helm.sh/v3:Release", "it", {"chart": "keda"}),
        [("undetermined", "it", "a bare Release: what its chart runs is declared nowhere")],
    ),
    "no release": (lambda b: None, [("not-applicable", "", "no Helm releases in the graph")]),
}


@pytest.mark.parametrize("case", CHARTS)
def test_sup004_charts_are_pinned(case: str) -> None:
    build, expected = CHARTS[case]
    assert expected == told(run(build, SUP004))


def model(revision: str | None) -> ModelFact:
    return ModelFact(name="llama", source="hf://x", revision=revision, why="answers")


def baseline(digest: str | None) -> BaselineFact:
    return BaselineFact(name="patterns", source="s3://x", version="1", digest=digest, why="starts")


ARTEFACTS: dict[str, tuple[Build, Told]] = {
    "pinned": (
        lambda b: b.component("c", models=(model("abc"),), baselines=(baseline(DIGEST),)),
        [("ok", "c", ""), ("ok", "c", "")],
    ),
    "neither": (
        lambda b: b.component("c", models=(model(None),), baselines=(baseline(None),)),
        [
            ("undetermined", "c", "model llama has no revision"),
            ("undetermined", "c", "baseline patterns has no digest"),
        ],
    ),
    "neither in production": (
        lambda b: b.component("c", b.deployment(production=True), models=(model(None),)),
        [("violation", "c", "model llama has no revision, and the deployment is in production")],
    ),
    "none": (lambda b: b.component("c"), [("not-applicable", "", "no models and baselines in the graph")]),
}


@pytest.mark.parametrize("case", ARTEFACTS)
def test_sup005_models_are_pinned(case: str) -> None:
    build, expected = ARTEFACTS[case]
    assert expected == told(run(build, SUP005))


OFF = {"kind": "onprem", "connected": False, "site_registry": "registry.site:5000"}
PULLS: dict[str, tuple[Build, Told]] = {
    "left out": (lambda b: b.add(DEPLOYMENT, "it", pod("web:1"), parent=b.deployment(OFF)), [("ok", "it", "")]),
    "always": (
        lambda b: b.add(DEPLOYMENT, "it", pod("web:1", imagePullPolicy="Always"), parent=b.deployment(OFF)),
        [("violation", "it", "it asks the registry at every start, also when the registry is away")],
    ),
    "unknown": (
        lambda b: b.add(DEPLOYMENT, "it", pod("web:1", imagePullPolicy=UNKNOWN), parent=b.deployment(OFF)),
        [("undetermined", "it", "its pull policy is not known before a deployment")],
    ),
    "connected": (
        lambda b: b.add(DEPLOYMENT, "it", pod("web:1", imagePullPolicy="Always"), parent=b.deployment()),
        [("not-applicable", "", "no containers of disconnected targets in the graph")],
    ),
}


@pytest.mark.parametrize("case", PULLS)
def test_sup006_pods_start_alone(case: str) -> None:
    build, expected = PULLS[case]
    assert expected == told(run(build, SUP006))


def accepted(licence: str, day: str = "2026-11-19") -> AcceptedLicenceFact:
    return AcceptedLicenceFact(licence=licence, accepted_by="legal", accepted_on=day)


SSPL = image("web:1", terms=("SSPL-1.0",))
LLAMA = ModelFact(name="llama", source="hf://x", terms=("LicenseRef-Llama",), why="answers")
TERMS: dict[str, tuple[Build, Told]] = {
    "accepted": (
        lambda b: b.component("c", b.deployment(accepted_licences=(accepted("SSPL-1.0"),)), images=(SSPL,)),
        [("ok", "c", "")],
    ),
    "accepted as of tomorrow": (
        lambda b: b.component(
            "c", b.deployment(accepted_licences=(accepted("SSPL-1.0", "2026-11-21"),)), images=(SSPL,)
        ),
        [("undetermined", "c", "image web: nobody accepted SSPL-1.0")],
    ),
    "another one accepted": (
        lambda b: b.component("c", b.deployment(accepted_licences=(accepted("SSPL-1.0"),)), models=(LLAMA,)),
        [("undetermined", "c", "model llama: nobody accepted LicenseRef-Llama")],
    ),
    "one of two": (
        lambda b: b.component(
            "c",
            b.deployment(accepted_licences=(accepted("SSPL-1.0"),)),
            images=(image("web:1", terms=("SSPL-1.0", "LicenseRef-NVIDIA")),),
        ),
        [("undetermined", "c", "image web: nobody accepted LicenseRef-NVIDIA")],
    ),
    "not accepted in production": (
        lambda b: b.component("c", b.deployment(production=True), images=(SSPL,), models=(LLAMA,)),
        [
            ("violation", "c", "image web: nobody accepted SSPL-1.0, and the deployment is in production"),
            ("violation", "c", "model llama: nobody accepted LicenseRef-Llama, and the deployment is in production"),
        ],
    ),
    "of a chart and of a baseline": (
        lambda b: b.component(
            "c",
            charts=(ChartFact(name="op", repository="oci://x", version="1", terms=("BUSL-1.1",), why="runs"),),
            baselines=(BaselineFact(name="patterns", source="s3://x", version="1", terms=("Own",), why="starts"),),
        ),
        [
            ("undetermined", "c", "baseline patterns: nobody accepted Own"),
            ("undetermined", "c", "chart op: nobody accepted BUSL-1.1"),
        ],
    ),
    "without terms": (
        lambda b: b.component("c", images=(image("web:1"),)),
        [("not-applicable", "", "no licences with terms in the graph")],
    ),
}


@pytest.mark.parametrize("case", TERMS)
def test_sup007_terms_are_accepted_by_the_configuration_alone(case: str) -> None:
    build, expected = TERMS[case]
    assert expected == told(run(build, SUP007))


KEPT = image("web:1", may_be_passed_on=False)
CARRIED: dict[str, tuple[Build, Told]] = {
    "may be": (lambda b: b.component("c", b.deployment(OFF), images=(image("web:1"),)), [("ok", "c", "")]),
    "may not be": (
        lambda b: b.component("c", b.deployment(OFF), images=(KEPT,)),
        [("violation", "c", "image web may not be passed on")],
    ),
    "a model may not be": (
        lambda b: b.component("c", b.deployment(OFF), models=(LLAMA.model_copy(update={"may_be_passed_on": False}),)),
        [("violation", "c", "model llama may not be passed on")],
    ),
    "may not be, and is not carried": (
        lambda b: b.component("c", b.deployment(), images=(KEPT,)),
        [("not-applicable", "", "no carried images, models, baselines and charts in the graph")],
    ),
}


@pytest.mark.parametrize("case", CARRIED)
def test_sup008_what_is_carried_may_be_passed_on(case: str) -> None:
    build, expected = CARRIED[case]
    assert expected == told(run(build, SUP008))
