"""The fields of `skerry.config.dual_host` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from skerry.config.dual_host import Mechanism, StartOrder


class DualImages(TypedDict):
    """Where the agents' images are."""

    prefix: str
    """Registry and folder, such as registry.example/dual-host."""
    tag: str
    """The tag of all of them."""
    stand_in: NotRequired[str]
    """One image for every agent without an image of its own, such as that of images/stand-in; left out, their own."""
    pull_secret: NotRequired[str]
    """The secret key with Docker's config.json that may read there; left out, the registry asks nobody who reads."""


class DualAgent(TypedDict):
    """One agent of a group, as one service."""

    image: NotRequired[str]
    """Its image; left out, `<images.prefix>/<name>:<images.tag>`."""
    command: NotRequired[Sequence[str]]
    """What it runs; left out, what its image says."""
    environment: NotRequired[Mapping[str, str]]
    """Plain values beside those that Skerry sets."""
    secrets: NotRequired[Mapping[str, str]]
    """Variable -> secret key of the stack."""
    after: NotRequired[Sequence[str]]
    """Agents of its group that must be well before it, beside those of the diagram."""
    port: NotRequired[int]
    """Where it listens, within the range of services; left out, the next of them."""
    gpu_weight: NotRequired[int]
    """Its weight as its group's part of the GPU is split; 0: it does not use the GPU."""
    memory_mib: NotRequired[int]
    """The most memory; left out, an even part of its group's."""
    data_path: NotRequired[str]
    """Where it keeps files that must outlive it; left out, it keeps none."""
    data_gib: NotRequired[float]
    """How much that may become."""
    scratch: NotRequired[Sequence[str]]
    """Folders beside /tmp that it may write, in memory; the rest of its image is read-only."""
    health_command: NotRequired[Sequence[str]]
    """What says inside it whether it is well; left out, the health probe, for which its image needs `python3`."""


class DualGroup(TypedDict):
    """What a stack says of a group."""

    agents: NotRequired[Mapping[str, DualAgent]]
    """Agents: those of the table take what is said here, others are added."""
    purpose: NotRequired[str]
    """What it is for; needed of a group that the table has not."""
    after: NotRequired[Sequence[str]]
    """Groups of the same machine that must be well before it, beside those of the diagram."""
    vcpus: NotRequired[float]
    """CPU of the whole group; left out, the table's."""
    memory_mib: NotRequired[int]
    """The most memory of the whole group; left out, the table's."""
    gpu_percent: NotRequired[int]
    """Its part of the GPU; left out, the table's."""
    mig_profile: NotRequired[str]
    """With `mig`: the slice that the whole group shares."""
    start_period_s: NotRequired[int]
    """How long failures do not count after a start; left out, what `health` says."""


class DualSide(TypedDict):
    """What a stack says of one of the two machines."""

    groups: NotRequired[Mapping[str, DualGroup]]
    """Groups: those of the table take what is said here, others are added."""
    ram_gb: NotRequired[float]
    """What the caps of memory stay below, in GB of 10^9 bytes; left out, 32 on the main machine, 12 on the second."""
    vcpu_oversubscription: NotRequired[float]
    """How often each thread of the processors may be promised; 1: limits are scaled down until their sum fits."""
    gpu_headroom_percent: NotRequired[int]
    """What of the GPU stays free; left out, 0 on the main machine and 30 on the second."""
    gpu_reported_mib: NotRequired[int]
    """The memory that `nvidia-smi` reports, in MiB; left out, the table's, else `gpu_memory_gib` of the machine."""
    mechanism: NotRequired[Mechanism]
    """How its GPU is shared; left out, `gpu.mechanism`."""


class DualGpu(TypedDict):
    """How both GPUs are shared."""

    mechanism: NotRequired[Mechanism]
    """The way."""
    reserve_mib: NotRequired[int]
    """Memory in MiB that no service gets, for contexts and a display; taken from the headroom where that is enough."""
    user: NotRequired[int]
    """The user id of every service with a part of the GPU: one MPS server has clients of one user."""
    mps_on_wsl2: NotRequired[bool]
    """True lets `mps` be asked for under WSL2, where nobody of us tried it."""


class DualHealth(TypedDict):
    """How services are asked whether they are well."""

    path: NotRequired[str]
    """Of an HTTP GET that answers with a JSON object."""
    interval_s: NotRequired[int]
    """Seconds between two."""
    timeout_s: NotRequired[int]
    """How long an answer may take."""
    retries: NotRequired[int]
    """How many must fail."""
    start_period_s: NotRequired[int]
    """How long failures do not count after a start."""
    gpu_start_period_s: NotRequired[int]
    """The same for services with a part of the GPU, which load models first."""


class DualWorkflow(TypedDict):
    """The GitHub workflow that builds and pushes the agents' images."""

    contexts: NotRequired[str]
    """The folder of the repository that has one folder an image, each with a Dockerfile."""
    username_secret: NotRequired[str]
    """The repository's secret with the name for the registry."""
    password_secret: NotRequired[str]
    """The repository's secret with the password, or a token that may push."""


class DualLoadTarget(TypedDict):
    """One service of the load test: how it is asked."""

    path: str
    """The path of its POST."""
    body: NotRequired[str]
    """A file beside the script that is sent, such as a recording; left out, nothing is."""
    content_type: NotRequired[str]
    """What that is."""
    p95_ms: int
    """The longest that 95 of 100 answers may take."""


class DualLoad(TypedDict):
    """The load test of speech and vision at once, which finds their parts of the GPU."""

    targets: NotRequired[Mapping[str, DualLoadTarget]]
    """Service of the main machine -> how it is asked; one that is left out is not asked, and the plan says so."""
    concurrency: NotRequired[Sequence[int]]
    """Callers at once, step by step."""
    step_s: NotRequired[int]
    """How long a step lasts."""
    fractions: NotRequired[Sequence[int]]
    """Percents of the GPU that speech and vision are tried with; learning gives up what they gain."""
    error_percent: NotRequired[float]
    """A step with more errors is the last one."""


class DualWeb(TypedDict):
    """The web interface, shown to the local network over HTTPS."""

    certificate_secret: str
    """The secret key with its certificate."""
    key_secret: str
    """The secret key with that certificate's private key."""


class DualHostSettings(TypedDict):
    """The platform on two machines."""

    main: str
    """The machine with the larger GPU."""
    second: str
    """The other machine."""
    images: DualImages
    """Where the agents' images are."""
    main_settings: NotRequired[DualSide]
    """What is otherwise on the main machine."""
    second_settings: NotRequired[DualSide]
    """What is otherwise on the second machine."""
    gpu: NotRequired[DualGpu]
    """How the GPUs are shared."""
    start_order: NotRequired[StartOrder]
    """What decides which group waits for which."""
    health: NotRequired[DualHealth]
    """How services are asked whether they are well."""
    observability_sync: NotRequired[bool]
    """True: the second machine's hub sends what it gathers to that of the main machine."""
    workflow: NotRequired[DualWorkflow]
    """The workflow that builds and pushes images."""
    load_test: NotRequired[DualLoad]
    """The load test of speech and vision."""
    web: NotRequired[DualWeb]
    """The web interface for `hosts.lan_cidrs`; left out, it is reached on its machine and in the overlay alone."""
