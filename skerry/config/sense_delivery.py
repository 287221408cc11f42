"""What the delivery of new versions asks of a service, and which runtime can do which."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.application import Application, hosts_of
from skerry.config.application import Exposure, Runtime
from skerry.config.delivery import Strategy
from skerry.errors import Problem

VALUES_OF_RULE = 5
"""Source: Elastic Load Balancing "Quotas for your Application Load Balancers", condition values per rule (not opened;
check before relying on it)."""


def rule_parts(application: Application) -> list[tuple[list[str], list[str]]]:
    """Return the paths and the ranges of each rule that an AWS load balancer needs: a rule has few values."""
    row = application.spec
    left = max(VALUES_OF_RULE - len(hosts_of(application)), 2)
    paths = _parts([f"{path}*" for path in row.paths], left // 2 if row.allow_cidrs else left)
    ranges = _parts(list(row.allow_cidrs), left // 2 if row.paths else left)
    return [(some_paths, some_ranges) for some_paths in paths for some_ranges in ranges]


def _parts(values: list[str], size: int) -> list[list[str]]:
    return [values[at : at + size] for at in range(0, len(values), size)] or [[]]


def delivery_problems(path: str, application: Application) -> Iterator[Problem]:
    """Yield what is wrong with how new versions of a service come in.

    Args:
        path: where the service stands.
        application: the service.
    """
    asked, runtime, here = application.spec.delivery, application.spec.runtime, f"{path}.delivery"
    if asked.strategy is Strategy.ROLLING:
        for field in ("percent", "stable", "watch_minutes"):
            if field in asked.model_fields_set and getattr(asked, field) is not None:
                yield Problem(f"{here}.{field}", "has no meaning with rolling", "name a strategy, or remove it")
        return
    if runtime is Runtime.KUBERNETES:
        text = f"'{asked.strategy.value}' is on ecs, lambda, cloud-run and functions: kubernetes exchanges pods"
        yield Problem(f"{here}.strategy", text, "use rolling")
        return
    if (asked.strategy is Strategy.CANARY) != (asked.percent is not None):
        text = "is required with canary" if asked.percent is None else "has no meaning with blue-green"
        yield Problem(f"{here}.percent", text, "use 10, then 50, say" if asked.percent is None else "remove it")
    if application.main_port is None:
        yield Problem(f"{here}.strategy", "nobody calls a service without a port", "use rolling")
    if runtime is Runtime.ECS:
        yield from _on_ecs(here, application)
        return
    if asked.stable is None:
        yield Problem(f"{here}.stable", "is required: it names the version that is called now", "name it")
    elif runtime is Runtime.LAMBDA and not asked.stable.isdigit():
        yield Problem(f"{here}.stable", f"'{asked.stable}' is no number of a version", "write it like '7'")
    if "watch_minutes" in asked.model_fields_set:
        text = f"is only on ecs: {runtime.value} goes on when `percent` is changed, and not by itself"
        yield Problem(f"{here}.watch_minutes", text, "remove it")


def _on_ecs(here: str, application: Application) -> Iterator[Problem]:
    asked = application.spec.delivery
    if application.spec.exposure is Exposure.NONE:
        text = "shares callers out at a load balancer, and none stands before this service"
        yield Problem(f"{here}.strategy", text, "set exposure, or use rolling")
        return
    if asked.stable is not None:
        yield Problem(f"{here}.stable", "ECS knows which tasks are the old ones", "remove it")
    if (rules := len(rule_parts(application))) > 1:
        text = f"its hosts, paths and ranges make {rules} rules of the load balancer, and ECS moves callers by one"
        yield Problem(f"{here}.strategy", text, "name fewer of them, or use rolling")
