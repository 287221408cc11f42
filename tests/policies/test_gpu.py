from __future__ import annotations

from typing import Any

import pytest

from policies.rules.gpu import RULES
from skerry.facts import EndpointFact, Tier
from skerry.graph import UNKNOWN
from tests.simulators.policy_graphs import Build, Builder, run, told

GPU001, GPU002 = RULES
Told = list[tuple[str, str, str]]
HOSTED = EndpointFact(
    name="openai", host="api.openai.com", port=443, protocol="https", direction="egress", scope="internet", why="next"
)


def tier(*servers: int | None, **facts: Any) -> Build:
    def build(b: Builder) -> None:
        cognitive = b.component("cognitive", role="tier", tier=Tier.COGNITIVE, **facts)
        for number, replicas in enumerate(servers):
            b.component(f"s{number}", parent=cognitive, role="inference-server", replicas=replicas)

    return build


ANSWERS: dict[str, tuple[Build, Told]] = {
    "two servers": (tier(2), [("ok", "cognitive", "")]),
    "one of each of two models": (tier(1, 1), [("ok", "cognitive", "")]),
    "one, and a provider": (tier(1, endpoints=(HOSTED,)), [("ok", "cognitive", "")]),
    "one alone": (
        tier(1), [("violation", "cognitive", "1 model server answers, and nobody else when it does not")],
    ),
    "nobody says how many": (tier(None), [("undetermined", "cognitive", "how many model servers run is not known")]),
    "none local": (tier(), [("not-applicable", "", "no cognitive tiers with local inference in the graph")]),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_gpu001_somebody_else_answers(case: str) -> None:
    build, expected = ANSWERS[case]
    assert expected == told(run(build, GPU001))


HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
KEDA = "kubernetes:keda.sh/v1alpha1:ScaledObject"


def scaled(limits: dict[str, Any], kind: str = HPA, target: Any = "vllm", **container: Any) -> Build:
    def build(b: Builder) -> None:
        where = {"name": "vllm", "namespace": "n"}
        pod = {"containers": [{"name": "c", "resources": {"limits": limits, **container}}]}
        b.add("kubernetes:apps/v1:Deployment", "server", {"metadata": where, "spec": {"template": {"spec": pod}}})
        reference = target if target is UNKNOWN else {"kind": "Deployment", "name": target}
        b.add(kind, "scaler", {"metadata": {"name": "s", "namespace": "n"}, "spec": {"scaleTargetRef": reference}})

    return build


BY_LOAD: dict[str, tuple[Build, Told]] = {
    "a whole GPU": (
        scaled({"nvidia.com/gpu": "1"}),
        [("violation", "scaler", "it scales vllm, each of whose pods takes nvidia.com/gpu")],
    ),
    "a slice, by KEDA": (
        scaled({"nvidia.com/mig-3g.40gb": "1"}, KEDA),
        [("violation", "scaler", "it scales vllm, each of whose pods takes nvidia.com/mig-3g.40gb")],
    ),
    "a claim": (
        scaled({}, claims=[{"name": "gpus"}]),
        [("violation", "scaler", "it scales vllm, each of whose pods takes the claim gpus")],
    ),
    "no GPU": (scaled({"memory": "1Gi"}), [("ok", "scaler", "")]),
    "something else": (scaled({"nvidia.com/gpu": "1"}, target="other"), [("ok", "scaler", "")]),
    "nobody knows what": (
        scaled({"nvidia.com/gpu": "1"}, target=UNKNOWN),
        [("undetermined", "scaler", "what it scales is not known before a deployment")],
    ),
    "no autoscaler": (
        lambda b: b.add("kubernetes:core/v1:Service", "s"),
        [("not-applicable", "", "no autoscalers of workloads in the graph")],
    ),
}


@pytest.mark.parametrize("case", BY_LOAD)
def test_gpu002_gpus_are_not_scaled_by_load(case: str) -> None:
    build, expected = BY_LOAD[case]
    assert expected == told(run(build, GPU002))
