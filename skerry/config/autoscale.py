"""How agents that take work from a queue follow its length."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from skerry.config.words import DnsLabel, Spec

# Source: kedacore/keda v2.21.0 pkg/scalers/temporal_scaler.go, validVisibilityQueryLiteral, read 2026-11
TaskQueue = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_./:-]+$", max_length=200)]


class AutoscaleSpec(Spec):
    """How many agents of one kind run: as many as the backlog of their Temporal task queue asks, by KEDA."""

    minimum: int = Field(default=2, ge=0, le=256)
    """The fewest; 0 lets them all go while nothing waits."""
    typical: int | None = Field(default=None, ge=0, le=256)
    """What finance should expect; left out, the minimum."""
    maximum: int = Field(ge=1, le=256)
    """The most."""
    task_queue: TaskQueue | None = None
    """The Temporal task queue that they poll; left out, the kind of the agents."""
    tasks_per_replica: int = Field(default=10, ge=1, le=10_000)
    """Tasks that may wait for each agent before one more is started."""
    polling_s: int = Field(default=15, ge=5, le=300)
    """With a minimum of 0: seconds between two looks at an empty queue."""
    cooldown_s: int = Field(default=300, ge=30, le=3600)
    """Seconds that less work must last before agents are taken away."""
    fallback_replicas: int | None = Field(default=None, ge=0, le=256)
    """How many run while the queue cannot be asked; left out, what is typical."""
    tls_secret: DnsLabel | None = None
    """The Secret in the execution tier (`tls.crt`, `tls.key`, `ca.crt`) that the look needs; left out, none."""

    @property
    def expected(self) -> int:
        """What is typical: the minimum unless somebody said more."""
        return self.minimum if self.typical is None else self.typical
