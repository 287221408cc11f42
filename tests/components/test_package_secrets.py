"""Which fields of a deployment name secrets that a program passes, and which name Secrets of Kubernetes."""

from __future__ import annotations

from components.package.deployment import secret_fields
from skerry.config.load import load_spec
from tests.simulators.changed_stacks import shipped
from tests.simulators.moved_stacks import changed
from tests.simulators.stack_objects import AWS


def test_every_field_that_names_a_secret_of_the_stack_is_found_by_its_path() -> None:
    changes = {
        "cognitive.providers": ["local", "openai", "anthropic"],
        "cognitive.api_key_secret": "oneKey",
        "cognitive.api_key_secrets": {"openai": "openaiKey"},
        "target.kubeconfig_secret": "kube",
    }
    assert secret_fields(load_spec(changed(shipped(AWS), changes), AWS)) == {
        "target.kubeconfig_secret": "kube",
        "cognitive.api_key_secret": "oneKey",
        "cognitive.api_key_secrets.openai": "openaiKey",
    }


def test_a_deployment_without_secrets_has_none() -> None:
    assert secret_fields(load_spec(shipped(AWS), AWS)) == {}
