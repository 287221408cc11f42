"""Which servers run on which machines, and what is left of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skerry.catalog import load_catalog
from skerry.config.load import load_part
from skerry.config.spec import CognitiveSpec
from skerry.serving_plan import ServingPlan, plan

AGENTS = {"scout": {"image": "a.example/scout:1"}, "architect": {"image": "a.example/architect:1"}}
MACHINE = {"vcpu": 96, "memory_gib": 1152, "gpu_model": "H100", "gpus": 8, "gpu_memory_gib": 80}
SECOND = {"model": "llama-3.1-8b-instruct", "servers": 3}


def planned(minimum: int = 2, sharing: Mapping[str, Any] | None = None, **more: Any) -> ServingPlan:
    pool = {"minimum": minimum, "maximum": 8, "machine": MACHINE, **({"sharing": sharing} if sharing else {})}
    given = {"model": "llama-3.3-70b-instruct", "context_tokens": 32768, **more}
    return plan(load_part(CognitiveSpec, {**AGENTS, "pool": pool, **given}, "c"), load_catalog().models, renames=True)


CASES: Mapping[str, tuple[dict[str, Any], dict[str, tuple[int, int]], int]] = {
    # sentence: (what is asked, provider -> (servers, GPUs of each), units left)
    "the first model takes everything": ({}, {"local": (4, 4)}, 0),
    "a number of servers leaves the rest": ({"serving": {"servers": 3}}, {"local": (3, 4)}, 4),
    "the second model is spread, and the first takes what is left in one piece": (
        {"providers": ["local", "second-local"], "serving": {"second": SECOND}},
        {"local": (2, 4), "second-local": (3, 1)},
        5,
    ),
    "the second model may be asked first": (
        {"providers": ["second-local", "local"], "serving": {"second": {**SECOND, "servers": 2}}},
        {"second-local": (2, 1), "local": (2, 4)},
        6,
    ),
    "parts of GPUs": (
        {
            "model": "llama-3.1-8b-instruct", "context_tokens": 8192,
            "sharing": {"mode": "mig", "profile": "3g.40gb"},
        },
        {"local": (32, 1)},
        0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "servers", "left"), CASES.values(), ids=CASES.keys())
def test_plan(asked: dict[str, Any], servers: dict[str, tuple[int, int]], left: int) -> None:
    made = planned(**asked)
    assert {one.provider.value: (one.servers, one.fit.tensor_parallel) for one in made.servers} == servers
    assert [one.provider.value for one in made.servers] == list(servers), "in the order of asking"
    assert made.units_left == left
    assert sum(one.units for one in made.servers) + left == made.nodes * made.share.per_node


def test_the_sum_is_in_one_line() -> None:
    assert planned(serving={"servers": 3}).arithmetic == "2 machines x 8 - 3 x 4 (llama-3.3-70b-instruct) = 4 left"
