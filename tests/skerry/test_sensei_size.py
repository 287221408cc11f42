"""Sensei's size: tiers by mode, the minimum that the table lacks, and whether a model fits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from skerry.catalog import load_catalog
from skerry.config.serving import Precision
from skerry.errors import SizingError, UsageError
from skerry.sensei_size import Answer, Asked, answer, sizes


def of(**asked: object) -> Answer:
    return answer(Asked(**asked), load_catalog().models)  # type: ignore[arg-type]  # tables name the fields


MODES = {
    "private": ("private", 9, 140, 6, 2000),
    "air-gapped": ("air-gapped", 9, 140, 6, 2000),
    "hybrid: the execution tier alone": ("hybrid", 4, 128, 4, 500),
    "saas: nothing at a site": ("saas", None, None, None, None),
    "edge: one device": ("edge", None, None, 1, 1),
}


@pytest.mark.parametrize("case", MODES)
def test_machines_and_storage_follow_from_the_mode(case: str) -> None:
    mode, least, most, table, storage = MODES[case]
    found = of(mode=mode)
    assert (least, most) == (found.least.value, found.most.value)
    assert (table, storage) == (found.table_says.value, found.storage_gb.value)


def test_the_minimum_of_the_table_leaves_none_for_the_meta_tier() -> None:
    assert any("leave none for the meta tier" in note for note in of(mode="private").notes)


SHAPES = {
    "bf16 on one GPU of 80 GiB": (Precision.BF16, 1, 80.0, False),
    "bf16 on two GPUs of 80 GiB": (Precision.BF16, 2, 80.0, False),
    "bf16 on four GPUs of 80 GiB": (Precision.BF16, 4, 80.0, True),
    "fp8 on two GPUs of 80 GiB": (Precision.FP8, 2, 80.0, True),
    "int4 on one GPU of 80 GiB": (Precision.INT4, 1, 80.0, True),
    "int4 on two GPUs of 40 GiB": (Precision.INT4, 2, 40.0, True),
}


@pytest.mark.parametrize("case", SHAPES)
def test_seventy_billion_parameters_fit_or_do_not(case: str) -> None:
    precision, gpus, memory, fits = SHAPES[case]
    if fits:
        found = of(mode="private", precision=precision, gpus=gpus, gpu_memory_gib=memory)
        assert found.chosen is not None
        assert (2 * gpus, 2) == (found.gpus.value, sum(one.servers for one in found.plan.servers) if found.plan else 0)
        return
    with pytest.raises(SizingError) as caught:
        of(mode="private", precision=precision, gpus=gpus, gpu_memory_gib=memory)
    assert "GiB for 131.5 GiB of weights" in str(caught.value)
    assert "a smaller --precision, or a shorter --context" in str(caught.value)


TARGETS = {"aws": 16, "gcp": 8, "azure": 8, "onprem": 8}


@pytest.mark.parametrize("target", TARGETS)
def test_gpus_are_counted_as_the_target_sells_them(target: str) -> None:
    assert TARGETS[target] == of(mode="private", target=target).gpus.value


def test_weights_of_every_machine_count_against_the_table() -> None:
    found = of(mode="air-gapped")
    assert Decimal("423.6") == found.weights_gb.value
    assert any("1,576.4 are left" in note for note in found.notes)


def test_a_device_of_one_gigabyte_holds_a_small_model() -> None:
    assert "holds 1.3 billion parameters in 4 bits" in of(mode="edge").weights_gb.how


REFUSED = {
    "a mode": ({"mode": "cloud"}, "mode 'cloud' is none: choose one of saas, hybrid, private, air-gapped, edge"),
    "a target": ({"mode": "private", "target": "ibm"}, "target 'ibm' is none: choose one of aws, gcp, azure, onprem"),
    "a model": ({"mode": "private", "model": "gpt-4"}, "model 'gpt-4' is not in images/models.yaml: it has llama-"),
    "a model where none is served": (
        {"mode": "hybrid", "model": "llama-3.3-70b-instruct"},
        "mode hybrid has no GPU machines at the site, so no model is fitted to them: leave --model and --gpus out",
    ),
    "half of a machine": ({"mode": "private", "gpus": 2}, "--gpus and --gpu-memory-gib go together"),
    "no context": ({"mode": "private", "context_tokens": 0}, "context 0 is not a number of tokens: give 512 to"),
    "too many GPUs": ({"mode": "private", "gpus": 17, "gpu_memory_gib": 80.0}, "gpus 17 is not a number of GPUs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case: str) -> None:
    asked, expected = REFUSED[case]
    with pytest.raises(UsageError) as caught:
        of(**asked)
    assert expected in str(caught.value)


def test_every_row_names_a_line_of_the_deployment_architecture() -> None:
    source = sizes()
    seeds = [row.seed for row in (*source.tiers.values(), *source.modes.values(), source.gpu, source.quorum)]
    assert [seed for seed in seeds if not seed.startswith("000:") or int(seed[4:]) > 135] == []
