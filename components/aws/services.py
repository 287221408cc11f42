"""Identities at AWS of the services beside the tiers: who reads secrets, who proves that a domain is ours."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi_aws import iam

from components.aws.permissions import document, trust_of
from components.base import SkerryComponent
from skerry.config.services import AcmeSpec, SecretsSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

NAMESPACE = "{system}-operators"
"""Where both controllers run."""


def asks_aws(spec: DeploymentSpec) -> bool:
    """Return whether a service needs an identity at AWS."""
    return _store(spec) is not None or _acme(spec) is not None


class AwsServiceIdentities(SkerryComponent):
    """Gives controllers roles by EKS Pod Identity, each with what it needs and no key."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        *,
        cluster_name: pulumi.Input[str],
        key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the roles and their associations.

        Args:
            name: the component's name.
            spec: the deployment; its services say what is needed.
            cluster_name: the EKS cluster.
            key_arn: the deployment's key, which may encrypt the secrets.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="identities"), opts)
        self._cluster_name = cluster_name
        self._namespace = NAMESPACE.format(system=spec.system.value)
        store, acme = _store(spec), _acme(spec)
        if store is not None:
            region, prefix = spec.target.region, store.prefix
            key: pulumi.Output[str] = pulumi.Output.from_input(key_arn)
            self._role("external-secrets", key.apply(lambda arn: secrets_policy(arn, region, prefix)))
        if acme is not None:
            self._role("cert-manager", dns_policy(acme.dns_zone_id))
        self.finish()

    def _role(self, account: str, policy: pulumi.Input[str]) -> None:
        """Make the role of a service account of the operators' namespace."""
        role = iam.Role(
            self.child_name(account),
            assume_role_policy=trust_of("pods.eks.amazonaws.com", tag_session=True),
            opts=self.child_options(),
        )
        iam.RolePolicy(self.child_name(account), role=role.id, policy=policy, opts=self.child_options())
        aws.eks.PodIdentityAssociation(
            self.child_name(f"identity-{account}"),
            cluster_name=self._cluster_name,
            namespace=self._namespace,
            service_account=account,
            role_arn=role.arn,
            opts=self.child_options(),
        )


def _store(spec: DeploymentSpec) -> SecretsSpec | None:
    found = spec.services.secrets
    return found if found is not None and found.cluster_secret_store is None else None


def _acme(spec: DeploymentSpec) -> AcmeSpec | None:
    found = spec.services.certificates
    return found.acme if found is not None else None


def secrets_policy(key: str, region: str, prefix: str) -> str:
    """Return what External Secrets may do: read the secrets with the deployment's prefix, in its region.

    `key` is the ARN of the deployment's key, whose account is that of the secrets.

    Source: external-secrets documentation "AWS Secrets Manager", IAM policy (not opened; check before relying on it)
    """
    _, partition, _, _, account, _ = key.split(":", 5)
    return document(
        {
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            "Resource": f"arn:{partition}:secretsmanager:{region}:{account}:secret:{prefix}-*",
        },
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": key,
            "Condition": {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}},
        },
    )


def dns_policy(zone_id: str | None) -> str:
    """Return what cert-manager may do: write proof into one zone, or into any where none is named.

    Source: cert-manager documentation "Route53" (not opened; check before relying on it)
    """
    zone = f"arn:aws:route53:::hostedzone/{zone_id or '*'}"
    records = ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"]
    found: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": "route53:GetChange", "Resource": "arn:aws:route53:::change/*"},
        {
            "Effect": "Allow",
            "Action": records,
            "Resource": zone,
            "Condition": {"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]}},
        },
    ]
    if zone_id is None:
        found.append({"Effect": "Allow", "Action": "route53:ListHostedZonesByName", "Resource": "*"})
    return document(*found)
