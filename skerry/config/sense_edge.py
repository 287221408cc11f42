"""What the server side of edge mode must be: devices that fit, limits that let all back, certificates that last.

What nobody knows is no problem here: it is left to the rules, which say that they could not tell.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.catalog import load_catalog
from skerry.config.edge import (
    DEVICE_BYTES,
    LONGEST_OFFLINE_DAYS,
    LONGEST_UNREVOKED_DAYS,
    PROXY_BUFFER_BYTES,
    DeviceCertificates,
    EdgeSpec,
)
from skerry.config.sense_services import address_problems
from skerry.config.services import Exposure
from skerry.config.spec import DeploymentSpec, Layer, Mode, ObjectStoreKind, System, TargetKind
from skerry.edge_sizing import GIB, Sum, device_sum, reconnection, reconnection_sum
from skerry.errors import CatalogError, Problem
from skerry.images import ImageReference


def edge_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Yield everything that cannot be with the server side of edge mode."""
    edge = spec.edge
    if edge is None:
        return
    if spec.system is not System.SENSEI:
        yield Problem("edge", f"has no meaning for {spec.system.value}", "remove it")
        return
    if spec.mode is Mode.HYBRID:
        text = "has no side in mode hybrid: what devices hold may be rows, which stay with the customer, where nothing "
        yield Problem("edge", f"{text}calls in", "use mode private or saas for the deployment that devices call")
    yield from _device(edge)
    yield from _store(spec, edge)
    yield from _limits(edge)
    yield from _certificates(edge)
    yield from _names(edge)
    if spec.layer is not Layer.BASE:
        yield from _entrance(spec, edge)


def model_bytes(edge: EdgeSpec) -> int | None:
    """Return the bytes of a device's model: as measured, else those of its row; None where nobody knows.

    Raises:
        CatalogError: the model has no row.
    """
    device = edge.device
    if device.model_bytes is not None or device.model is None:
        return device.model_bytes
    return load_catalog().model(device.model, "devices").bytes


def device_of(edge: EdgeSpec) -> Sum:
    """Return what one device must hold.

    Raises:
        CatalogError: the model has no row.
    """
    device = edge.device
    return device_sum(model_bytes(edge), device.knowledge_bytes, device.bytes_per_day, device.days_offline)


def reconnection_of(edge: EdgeSpec) -> Sum:
    """Return what all devices send where all of them come back at once."""
    return reconnection_sum(edge.devices, edge.device.days_offline, edge.device.bytes_per_day)


def _device(edge: EdgeSpec) -> Iterator[Problem]:
    device, path = edge.device, "edge.device"
    if device.days_offline > LONGEST_OFFLINE_DAYS:
        text = f"{device.days_offline} days alone is more than the {LONGEST_OFFLINE_DAYS} that devices are made for"
        yield Problem(f"{path}.days_offline", text, f"use {LONGEST_OFFLINE_DAYS} or less")
    if device.storage_bytes > DEVICE_BYTES:
        text = f"{device.storage_bytes:,} bytes is more than the 1 GB ({DEVICE_BYTES:,} bytes) of a device"
        yield Problem(f"{path}.storage_bytes", text, "use 1 GB or less")
    try:
        held = device_of(edge)
    except CatalogError as exc:
        yield Problem(f"{path}.model", str(exc))
        return
    room = min(device.storage_bytes, DEVICE_BYTES)
    if held.known > room:
        # What is known is too much already, whatever else there is.
        text = f"{held.text}; what is known, {held.known:,} bytes, is more than the {room:,} of a device"
        remedy = "use a smaller model (1 to 1.5 thousand million parameters at 4 bit), less knowledge or fewer days"
        yield Problem(path, text, remedy)


def _store(spec: DeploymentSpec, edge: EdgeSpec) -> Iterator[Problem]:
    """Check that a store of our own takes all at once; a cloud's bucket has no bound."""
    room = own_store_bytes(spec)
    sent = reconnection_of(edge)
    if room is not None and sent.known > room:
        gib = spec.channels.object_store_gib
        text = f"{sent.text}, more than the object store of {gib:,} GiB = {room:,} bytes"
        yield Problem("edge.devices", text, f"set channels.object_store_gib to {-(-sent.known // GIB):,} or more")


def own_store_bytes(spec: DeploymentSpec) -> int | None:
    """Return the bytes of the object store that runs in the cluster; None where a cloud's has no bound."""
    own = spec.channels.object_store is ObjectStoreKind.SEAWEEDFS or spec.target.kind is TargetKind.ONPREM
    return spec.channels.object_store_gib * GIB if own else None


def _limits(edge: EdgeSpec) -> Iterator[Problem]:
    limits, device = edge.limits, edge.device
    for name in ("requests_per_second", "concurrent_syncs", "connections"):
        value = getattr(limits, name)
        if value < edge.proxies:
            text = f"{value} cannot be shared out among {edge.proxies} proxies"
            yield Problem(f"edge.limits.{name}", text, f"use {edge.proxies} or more")
    share = limits.connections // edge.proxies
    if share * limits.request_bytes > PROXY_BUFFER_BYTES:
        held = f"{share:,} connections of a proxy x {limits.request_bytes:,} bytes = {share * limits.request_bytes:,}"
        text = f"{held}, more than the {PROXY_BUFFER_BYTES:,} that it may hold"
        yield Problem("edge.limits.connections", text, "use fewer, smaller requests or more proxies")
    if 2 * limits.concurrent_syncs > limits.connections:
        text = f"{limits.concurrent_syncs} at once and as many waiting are more than {limits.connections} connections"
        yield Problem("edge.limits.concurrent_syncs", text, f"use {limits.connections // 2} or less")
    if edge.sync.minimum > edge.sync.maximum:
        text = f"{edge.sync.minimum} <= {edge.sync.maximum} does not hold"
        yield Problem("edge.sync.minimum", text, "order the two")
    if device.bytes_per_day is None:
        return
    back = reconnection(
        edge.devices,
        device.days_offline,
        device.bytes_per_day,
        limits.request_bytes,
        per_second(edge),
        limits.device_requests_per_minute,
    )
    if back.hours > limits.reconnect_hours:
        text = f"{back.text}, more than the {limits.reconnect_hours} of reconnect_hours"
        yield Problem(f"edge.limits.{back.limit}", text, "raise it, or let devices take longer")


def per_second(edge: EdgeSpec) -> int:
    """Return the requests of all devices in a second that the proxies take together: whole shares."""
    return max(edge.limits.requests_per_second // edge.proxies, 1) * edge.proxies


def _certificates(edge: EdgeSpec) -> Iterator[Problem]:
    days, alone = edge.certificate_days, edge.device.days_offline
    path = "edge.certificate_days"
    if days is not None and days <= alone:
        text = f"{days} days is not more than the {alone} that a device may be alone: it could not come back"
        yield Problem(path, text, f"use more than {alone}")
    if edge.revocation_secret is not None:
        return
    if days is None:
        text = "is left out, and so is revocation_secret: nobody could shut out a device that is lost"
        yield Problem(path, text, f"name the Secret with `ca.crl`, or certificates of {LONGEST_UNREVOKED_DAYS} days")
    elif days > LONGEST_UNREVOKED_DAYS:
        text = f"{days} days without a revocation list: a lost device would be let in for as long"
        yield Problem(path, text, f"use {LONGEST_UNREVOKED_DAYS} or less, or name revocation_secret")


def _names(edge: EdgeSpec) -> Iterator[Problem]:
    try:
        ImageReference.parse(edge.sync.image)
    except CatalogError as exc:
        yield Problem("edge.sync.image", str(exc))
    for index, code in enumerate(edge.jurisdictions):
        if code in edge.jurisdictions[:index]:
            yield Problem(f"edge.jurisdictions[{index}]", f"'{code}' is named twice", "name each once")


def _entrance(spec: DeploymentSpec, edge: EdgeSpec) -> Iterator[Problem]:
    inside = edge.exposure is Exposure.INTERNAL
    if not inside and not spec.target.connected:
        yield Problem("edge.exposure", "is internet, but the site has no connection", "use internal")
    yield from address_problems("edge.client_cidrs", edge.client_cidrs, private=inside)
    for index, text in enumerate(edge.client_cidrs if edge.certificates is DeviceCertificates.FLEET else ()):
        if ":" in text:
            told = f"'{text}' is of IPv6, and devices of a fleet are told apart by addresses of IPv4"
            yield Problem(f"edge.client_cidrs[{index}]", told, "use certificates: device, or addresses of IPv4")
    if edge.tls_secret is None and spec.services.certificates is None:
        text = "is left out, and so is services.certificates: the endpoint would have no certificate"
        yield Problem("edge.tls_secret", text, "name the site's Secret, or switch services.certificates on")
