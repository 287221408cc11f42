"""Two machines that share one platform: groups of services, each with its part of the GPU.

The groups, their agents and numbers are those of skerry/data/dual_host; what a stack says here goes over them.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from skerry.config.application import EnvironmentName, HttpPath
from skerry.config.gpu import MigName
from skerry.config.words import DnsLabel, SecretKey, Spec

GroupName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
MachinePath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9/._-]+$", max_length=200)]
RegistryPrefix = Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:\d{1,5})?(/[a-z0-9._/-]+)?$", max_length=300)]
ImageTag = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]


class Mechanism(str, Enum):
    """How the services of a machine share its GPU."""

    AUTO = "auto"
    """MPS where the machine and the model can, else turns by time."""
    MPS = "mps"
    """All compute at once, each within its part of the threads and the memory; Linux only."""
    MIG = "mig"
    """The GPU is cut into slices; only some models can, and neither RTX 4090 nor RTX 3060 does."""
    TIME_SLICING = "time-slicing"
    """They take turns; nothing keeps one from the memory of another."""


class StartOrder(str, Enum):
    """What decides which group waits for which."""

    STEPS = "steps"
    """The diagrams, and beside them the six steps: a group also waits for all groups of the step before its own."""
    DIAGRAMS = "diagrams"
    """The diagrams alone; the steps are checked against them and order nothing."""


class DualAgentSpec(Spec):
    """One agent of a group, as one service."""

    image: str | None = Field(default=None, max_length=500)
    """Its image; left out, `<images.prefix>/<name>:<images.tag>`."""
    command: tuple[str, ...] = Field(default=(), max_length=50)
    """What it runs; left out, what its image says."""
    environment: dict[EnvironmentName, str] = Field(default={}, max_length=100)
    """Plain values beside those that Skerry sets."""
    secrets: dict[EnvironmentName, SecretKey] = Field(default={}, max_length=50)
    """Variable -> secret key of the stack."""
    after: tuple[DnsLabel, ...] = Field(default=(), max_length=16)
    """Agents of its group that must be well before it, beside those of the diagram."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Where it listens, within the range of services; left out, the next of them."""
    gpu_weight: int = Field(default=1, ge=0, le=100)
    """Its weight as its group's part of the GPU is split; 0: it does not use the GPU."""
    memory_mib: int | None = Field(default=None, ge=16, le=1_048_576)
    """The most memory; left out, an even part of its group's."""
    data_path: MachinePath | None = None
    """Where it keeps files that must outlive it; left out, it keeps none."""
    data_gib: float = Field(default=10, gt=0, le=100_000)
    """How much that may become."""
    scratch: tuple[MachinePath, ...] = Field(default=(), max_length=16)
    """Folders beside /tmp that it may write, in memory; the rest of its image is read-only."""
    health_command: tuple[str, ...] = Field(default=(), max_length=20)
    """What says inside it whether it is well; left out, the health probe, for which its image needs `python3`."""


class DualGroupSpec(Spec):
    """What a stack says of a group."""

    agents: dict[DnsLabel, DualAgentSpec] = Field(default={}, max_length=32)
    """Agents: those of the table take what is said here, others are added."""
    purpose: str = Field(default="", max_length=200)
    """What it is for; needed of a group that the table has not."""
    after: tuple[GroupName, ...] = Field(default=(), max_length=16)
    """Groups of the same machine that must be well before it, beside those of the diagram."""
    vcpus: float | None = Field(default=None, gt=0, le=256)
    """CPU of the whole group; left out, the table's."""
    memory_mib: int | None = Field(default=None, ge=16, le=1_048_576)
    """The most memory of the whole group; left out, the table's."""
    gpu_percent: int | None = Field(default=None, ge=0, le=100)
    """Its part of the GPU; left out, the table's."""
    mig_profile: MigName | None = None
    """With `mig`: the slice that the whole group shares."""
    start_period_s: int | None = Field(default=None, ge=0, le=3600)
    """How long failures do not count after a start; left out, what `health` says."""


class DualSideSpec(Spec):
    """What a stack says of one of the two machines."""

    groups: dict[GroupName, DualGroupSpec] = Field(default={}, max_length=32)
    """Groups: those of the table take what is said here, others are added."""
    ram_gb: float | None = Field(default=None, gt=0, le=4096)
    """What the caps of memory stay below, in GB of 10^9 bytes; left out, 32 on the main machine, 12 on the second."""
    vcpu_oversubscription: float = Field(default=1, ge=1, le=8)
    """How often each thread of the processors may be promised; 1: limits are scaled down until their sum fits."""
    gpu_headroom_percent: int | None = Field(default=None, ge=0, le=90)
    """What of the GPU stays free; left out, 0 on the main machine and 30 on the second."""
    gpu_reported_mib: int | None = Field(default=None, ge=1024, le=524_288)
    """The memory that `nvidia-smi` reports, in MiB; left out, the table's, else `gpu_memory_gib` of the machine."""
    mechanism: Mechanism | None = None
    """How its GPU is shared; left out, `gpu.mechanism`."""


class DualGpuSpec(Spec):
    """How both GPUs are shared."""

    mechanism: Mechanism = Mechanism.AUTO
    """The way."""
    reserve_mib: int = Field(default=1024, ge=0, le=65_536)
    """Memory in MiB that no service gets, for contexts and a display; taken from the headroom where that is enough."""
    user: int = Field(default=65_532, ge=1, le=4_294_967_294)
    """The user id of every service with a part of the GPU: one MPS server has clients of one user."""
    mps_on_wsl2: bool = False
    """True lets `mps` be asked for under WSL2, where nobody of us tried it."""


class DualImagesSpec(Spec):
    """Where the agents' images are."""

    prefix: RegistryPrefix
    """Registry and folder, such as registry.example/dual-host."""
    tag: ImageTag
    """The tag of all of them."""
    stand_in: str | None = Field(default=None, max_length=500)
    """One image for every agent without an image of its own, such as that of images/stand-in; left out, their own."""
    pull_secret: SecretKey | None = None
    """The secret key with Docker's config.json that may read there; left out, the registry asks nobody who reads."""


class DualHealthSpec(Spec):
    """How services are asked whether they are well."""

    path: HttpPath = "/health"
    """Of an HTTP GET that answers with a JSON object."""
    interval_s: int = Field(default=30, ge=1, le=3600)
    """Seconds between two."""
    timeout_s: int = Field(default=10, ge=1, le=600)
    """How long an answer may take."""
    retries: int = Field(default=3, ge=1, le=20)
    """How many must fail."""
    start_period_s: int = Field(default=30, ge=0, le=3600)
    """How long failures do not count after a start."""
    gpu_start_period_s: int = Field(default=300, ge=0, le=3600)
    """The same for services with a part of the GPU, which load models first."""


class DualWorkflowSpec(Spec):
    """The GitHub workflow that builds and pushes the agents' images."""

    contexts: str = Field(default="agents", pattern=r"^[A-Za-z0-9._/-]{1,200}$")
    """The folder of the repository that has one folder an image, each with a Dockerfile."""
    username_secret: str = Field(default="REGISTRY_USERNAME", pattern=r"^[A-Z][A-Z0-9_]{0,99}$")
    """The repository's secret with the name for the registry."""
    password_secret: str = Field(default="REGISTRY_PASSWORD", pattern=r"^[A-Z][A-Z0-9_]{0,99}$")
    """The repository's secret with the password, or a token that may push."""


class DualLoadTargetSpec(Spec):
    """One service of the load test: how it is asked."""

    path: HttpPath
    """The path of its POST."""
    body: str = Field(default="", max_length=300)
    """A file beside the script that is sent, such as a recording; left out, nothing is."""
    content_type: str = Field(default="application/octet-stream", max_length=100)
    """What that is."""
    p95_ms: int = Field(ge=1, le=600_000)
    """The longest that 95 of 100 answers may take."""


class DualLoadSpec(Spec):
    """The load test of speech and vision at once, which finds their parts of the GPU."""

    targets: dict[DnsLabel, DualLoadTargetSpec] = Field(default={}, max_length=8)
    """Service of the main machine -> how it is asked; one that is left out is not asked, and the plan says so."""
    concurrency: tuple[int, ...] = Field(default=(1, 2, 4, 8, 16), min_length=1, max_length=12)
    """Callers at once, step by step."""
    step_s: int = Field(default=60, ge=1, le=3600)
    """How long a step lasts."""
    fractions: tuple[int, ...] = Field(default=(10, 15, 20, 25, 30), min_length=1, max_length=12)
    """Percents of the GPU that speech and vision are tried with; learning gives up what they gain."""
    error_percent: float = Field(default=1, ge=0, le=100)
    """A step with more errors is the last one."""


class DualWebSpec(Spec):
    """The web interface, shown to the local network over HTTPS."""

    certificate_secret: SecretKey
    """The secret key with its certificate."""
    key_secret: SecretKey
    """The secret key with that certificate's private key."""


class DualHostSpec(Spec):
    """The platform on two machines."""

    main: DnsLabel
    """The machine with the larger GPU."""
    second: DnsLabel
    """The other machine."""
    images: DualImagesSpec
    """Where the agents' images are."""
    main_settings: DualSideSpec = DualSideSpec()
    """What is otherwise on the main machine."""
    second_settings: DualSideSpec = DualSideSpec()
    """What is otherwise on the second machine."""
    gpu: DualGpuSpec = DualGpuSpec()
    """How the GPUs are shared."""
    start_order: StartOrder = StartOrder.STEPS
    """What decides which group waits for which."""
    health: DualHealthSpec = DualHealthSpec()
    """How services are asked whether they are well."""
    observability_sync: bool = True
    """True: the second machine's hub sends what it gathers to that of the main machine."""
    workflow: DualWorkflowSpec = DualWorkflowSpec()
    """The workflow that builds and pushes images."""
    load_test: DualLoadSpec = DualLoadSpec()
    """The load test of speech and vision."""
    web: DualWebSpec | None = None
    """The web interface for `hosts.lan_cidrs`; left out, it is reached on its machine and in the overlay alone."""
