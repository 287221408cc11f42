"""The same rules as a CrossGuard policy pack: the only module of the room that knows pulumi.

(1) CrossGuard hands a stack policy the *outputs* of each resource, so a component would come without its facts. A
    policy that sees every resource before it is made therefore writes the inputs down (`Recorder`); it is of
    enforcement `remediate` because only there does the SDK leave the marks of secrets on values. It changes nothing.
(2) Each rule is a stack policy. The first one that is asked builds the graph and runs all rules; the others read the
    same report.
(3) A violation is reported at the rule's own enforcement level. What is undetermined is reported by one further policy
    of level advisory; setting that to mandatory in the pack's configuration is strict mode.
(4) The option retainOnDelete is not handed on by CrossGuard: rules are told so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from threading import Lock
from typing import Any, Final

import pulumi
import pulumi_policy
from pulumi_policy.proxy import _is_unknown

from policies.context import Estimator
from policies.rules.catalogue import ALL_RULES
from policies.runner import Report, check
from policies.verdict import Finding, Rule, Severity, Verdict
from policies.waivers import WAIVER_RULES
from skerry.graph import PROVIDER_PREFIX, UNKNOWN, Asset, Resource, ResourceGraph, Secret

PACK_NAME: Final = "skerry"
RECORDER_NAME: Final = "skerry-inputs"
UNDETERMINED_NAME: Final = "skerry-undetermined"

_SEVERITIES: Final = {
    Severity.CRITICAL: pulumi_policy.Severity.CRITICAL,
    Severity.HIGH: pulumi_policy.Severity.HIGH,
    Severity.MEDIUM: pulumi_policy.Severity.MEDIUM,
    Severity.LOW: pulumi_policy.Severity.LOW,
}


def to_value(value: Any) -> Any:
    """Return a property as the SDK hands it over in the form of the graph, with its unknowns and secrets marked."""
    if _is_unknown(value):
        return UNKNOWN
    if isinstance(value, pulumi_policy.secret.Secret):
        return Secret(to_value(value.value))
    if isinstance(value, pulumi.Asset | pulumi.Archive):
        return _asset(value)
    if isinstance(value, Mapping):
        raw = value if isinstance(value, dict) else value["__target"]
        return {str(key): to_value(item) for key, item in raw.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        raw_items = value if isinstance(value, list) else value["__target"]  # type: ignore[call-overload]  # a proxy
        return [to_value(item) for item in raw_items]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _asset(value: Any) -> Asset:
    kinds = {
        pulumi.FileAsset: "file", pulumi.StringAsset: "text", pulumi.RemoteAsset: "remote",
        pulumi.FileArchive: "archive", pulumi.RemoteArchive: "archive", pulumi.AssetArchive: "archive",
    }  # fmt: skip
    location = getattr(value, "path", None) or getattr(value, "uri", None) or ""
    return Asset(kinds.get(type(value), "archive"), str(location))


class Recorder:
    """The inputs of every resource in the order in which the program registered them (1)."""

    def __init__(self) -> None:
        """Start with nothing recorded."""
        self._lock = Lock()
        self._inputs: dict[str, dict[str, Any]] = {}
        self._marked: set[str] = set()
        self.version = 0
        """Rises with every record, so that a report over older inputs is not taken again."""

    def remediate(self, args: Any) -> None:
        """Write down inputs whose secrets are marked, and ask for no change."""
        self._record(args, marked=True)

    def validate(self, args: Any, report_violation: Callable[..., None]) -> None:
        """Write down inputs where the engine did not ask for remediations, and report nothing."""
        self._record(args, marked=False)

    def _record(self, args: Any, *, marked: bool) -> None:
        with self._lock:
            if not marked and args.urn in self._marked:
                return
            self._inputs[args.urn] = to_value(args.props)
            if marked:
                self._marked.add(args.urn)
            self.version += 1

    def inputs(self, urn: str) -> dict[str, Any] | None:
        """Return the inputs of a resource, or None where it was not seen."""
        return self._inputs.get(urn)

    def positions(self) -> dict[str, int]:
        """Return the place of each resource in the order of registration."""
        return {urn: place for place, urn in enumerate(self._inputs)}

    def sees_secrets(self, urns: Sequence[str]) -> bool:
        """Say whether the secrets of all these resources are marked."""
        return all(urn in self._marked for urn in urns)


def graph_of(resources: Sequence[Any], recorder: Recorder) -> ResourceGraph:
    """Return the graph of a stack as CrossGuard hands it over, with the inputs that were recorded."""
    found = {one.urn: _resource(one, recorder) for one in resources}
    for one in resources:
        if one.provider is not None and one.provider.urn not in found:
            provider = one.provider
            found[provider.urn] = Resource(
                provider.urn, provider.resource_type, provider.name, True, inputs=to_value(provider.props)
            )
    places = recorder.positions()
    depth = {urn: _depth(found, urn) for urn in found}
    ordered = tuple(
        found[urn] for urn in sorted(found, key=lambda urn: (depth[urn], places.get(urn, len(places)), urn))
    )
    parts = (ordered[0].urn.split("::") if ordered else []) + ["", "", ""]
    stack = parts[0].removeprefix("urn:pulumi:")
    return ResourceGraph(project=parts[1], stacks=(stack,), resources=ordered, producer="crossguard")


def _depth(found: Mapping[str, Resource], urn: str) -> int:
    depth, parent = 0, found[urn].parent
    while parent in found and depth < len(found):
        depth, parent = depth + 1, found[parent].parent
    return depth


def _resource(one: Any, recorder: Recorder) -> Resource:
    outputs = to_value(one.props)
    recorded = recorder.inputs(one.urn)
    parent = one.parent.urn if one.parent is not None else (one.opts.parent or "")
    return Resource(
        urn=one.urn,
        type=one.resource_type,
        name=one.name,
        custom=one.provider is not None or one.resource_type.startswith(PROVIDER_PREFIX),
        parent=parent,
        provider=f"{one.provider.urn}::known-after-deployment" if one.provider is not None else "",
        inputs=outputs if recorded is None else recorded,
        outputs=outputs,
        dependencies=tuple(sorted(other.urn for other in one.dependencies)),
        property_dependencies={
            key: tuple(sorted(other.urn for other in others)) for key, others in one.property_dependencies.items()
        },
        protect=bool(one.opts.protect),
        ignore_changes=tuple(one.opts.ignore_changes),
        delete_before_replace=one.opts.delete_before_replace,
        additional_secret_outputs=tuple(one.opts.additional_secret_outputs),
        aliases=tuple(one.opts.aliases),
    )


class Checker:
    """Runs all rules once for a stack and keeps the report for every policy that asks (2)."""

    def __init__(self, recorder: Recorder, today: Callable[[], date], estimate: Estimator | None = None) -> None:
        """Take the recorder of this pack, the clock, and what prices a graph."""
        self._recorder = recorder
        self._today = today
        self._estimate = estimate
        self._lock = Lock()
        self._key: tuple[int, tuple[str, ...]] | None = None
        self._report: Report | None = None

    def report(self, resources: Sequence[Any]) -> Report:
        """Return the report over a stack.

        Raises:
            PolicyError: a rule failed to run.
            GraphError: a component's facts cannot be read.
        """
        urns = tuple(sorted(one.urn for one in resources))
        key = (self._recorder.version, urns)
        with self._lock:
            if self._report is None or key != self._key:
                self._report = check(
                    graph_of(resources, self._recorder),
                    today=self._today(),
                    estimate=self._estimate,
                    sees_secrets=self._recorder.sees_secrets(urns),
                    sees_retain=False,
                )
                self._key = key
            return self._report


def _message(finding: Finding, *, with_rule: bool = False) -> str:
    rule = f"{finding.rule.id}: " if with_rule else ""
    place = f" [{finding.property_path}]" if finding.property_path else ""
    where = f"{finding.path}: " if finding.path else ""
    return f"{rule}{where}{finding.message}{place}; remedy: {finding.remedy}"


def _rule_policy(rule: Rule, checker: Checker) -> Any:
    def validate(args: Any, report_violation: Callable[..., None]) -> None:
        findings = [finding for finding in checker.report(args.resources).findings if finding.rule.id == rule.id]
        if not findings or all(finding.verdict is Verdict.NOT_APPLICABLE for finding in findings):
            args.not_applicable(findings[0].message if findings else f"no {rule.subject} in the graph")
        for finding in findings:
            if finding.verdict is Verdict.VIOLATION:
                report_violation(_message(finding), finding.urn or None)

    level = pulumi_policy.EnforcementLevel
    return pulumi_policy.StackValidationPolicy(
        name=rule.id,
        description=rule.title,
        validate=validate,
        enforcement_level=level.MANDATORY if rule.severity.mandatory else level.ADVISORY,
        display_name=f"{rule.id} {rule.title}",
        severity=_SEVERITIES[rule.severity],
        tags=list(rule.controls),
        remediation_steps=rule.remedy,
    )


def _undetermined_policy(checker: Checker) -> Any:
    def validate(args: Any, report_violation: Callable[..., None]) -> None:
        for finding in checker.report(args.resources).of(Verdict.UNDETERMINED):
            report_violation(_message(finding, with_rule=True), finding.urn or None)

    return pulumi_policy.StackValidationPolicy(
        name=UNDETERMINED_NAME,
        description="what no rule could tell is not passed; set this policy to mandatory for strict mode",
        validate=validate,
        enforcement_level=pulumi_policy.EnforcementLevel.ADVISORY,
    )


def policies(today: Callable[[], date], estimate: Estimator | None = None) -> list[Any]:
    """Return the policies of the pack: the recorder, one for each rule, and one for what is undetermined."""
    recorder = Recorder()
    checker = Checker(recorder, today, estimate)
    record = pulumi_policy.ResourceValidationPolicy(
        name=RECORDER_NAME,
        description="reads the inputs of every resource for the stack policies, and changes nothing",
        validate=recorder.validate,
        remediate=recorder.remediate,
        enforcement_level=pulumi_policy.EnforcementLevel.REMEDIATE,
    )
    rules = [_rule_policy(rule, checker) for rule in (*ALL_RULES, *WAIVER_RULES)]
    return [record, *rules, _undetermined_policy(checker)]
