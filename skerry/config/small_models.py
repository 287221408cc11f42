"""The small model of Worker and Validator agents, where it is served in the execution tier itself."""

from __future__ import annotations

from pydantic import Field

from skerry.config.words import Spec


class SmallServerSpec(Spec):
    """The servers of the small model; ignored where its answers come from the cognitive tier."""

    replicas: int = Field(default=2, ge=1, le=64)
    """How many run."""
    context_tokens: int = Field(default=8192, ge=512, le=131_072)
    """The longest prompt and answer together, in tokens."""
    parallel: int = Field(default=2, ge=1, le=64)
    """With `cpu`: prompts that one server answers at a time; each holds a cache of the whole context."""
    vcpu: int = Field(default=8, ge=1, le=128)
    """With `cpu`: virtual CPUs of one server."""
    gpu_memory_utilization: float = Field(default=0.90, gt=0.1, le=0.98)
    """With `gpu`: the share of GPU memory that vLLM may take."""
