"""Who may do what on AWS: the trust and permission documents, as JSON text. Nothing here calls AWS.

The account and the partition are read from ARNs that AWS gives out, never put together from guesses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from skerry.config.application import Access

Statement = Mapping[str, Any]

VOLUME_ACTIONS: Final = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:CreateGrant",
    "kms:DescribeKey",
)
"""Source: Amazon EC2 Auto Scaling "Required AWS KMS key policy for use with encrypted volumes", read 2026-11."""


def trust_of(service: str, *, tag_session: bool = False) -> str:
    """Return the trust policy that lets an AWS service take a role."""
    actions = ["sts:AssumeRole", *(["sts:TagSession"] if tag_session else [])]
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": actions})


def key_policy(account: str, region: str) -> str:
    """Return the policy of the deployment's key.

    (1) The account decides by IAM who may use it. (2) The region's log service encrypts this account's logs with it.
    (3) Whoever of this account may make a volume may have it encrypted: EC2 Auto Scaling acts through a role that no
    IAM policy of ours can reach and that a new account does not have yet, so the condition names the service instead.
    """
    return document(
        {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{region}.amazonaws.com"},
            "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            "Resource": "*",
            "Condition": {
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account}:log-group:*"}
            },
        },
        {
            "Sid": "Volumes",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": list(VOLUME_ACTIONS),
            "Resource": "*",
            "Condition": {
                "StringEquals": {"kms:CallerAccount": account, "kms:ViaService": f"ec2.{region}.amazonaws.com"}
            },
        },
    )


def queue_policy() -> str:
    """Return the policy of Karpenter's queue: events come in, and only over TLS.

    Of a queue's own policy every resource is that queue: so it is known before the queue is.
    """
    return document(
        {
            "Sid": "Events",
            "Effect": "Allow",
            "Principal": {"Service": ["events.amazonaws.com", "sqs.amazonaws.com"]},
            "Action": "sqs:SendMessage",
            "Resource": "*",
        },
        only_tls("sqs:*", ["*"]),
    )


def bucket_policy(arn: str) -> str:
    """Return the policy of a bucket that refuses whatever is not TLS."""
    return document(only_tls("s3:*", [arn, f"{arn}/*"]))


OBJECTS: Final[Mapping[Access | None, tuple[str, ...]]] = {
    Access.READ: ("s3:GetObject",),
    Access.WRITE: ("s3:PutObject", "s3:AbortMultipartUpload"),
    None: ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"),
}
"""What is done with a bucket -> the actions. Source: those of botocore 1.44.5's service models."""


def agents_policy(bucket: str, key: str, access: Access | None = None) -> str:
    """Return what agents, or a service, may do with the deployment's bucket."""
    return document(
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": bucket},
        {"Effect": "Allow", "Action": list(OBJECTS[access]), "Resource": f"{bucket}/*"},
        {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key},
    )


def flow_log_policy(group: str) -> str:
    """Return what the flow logs may do: write into their own log group."""
    return document(
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "Resource": f"{group}:*",
        }
    )


def karpenter_policy(queue: str, node_role: str, cluster: str) -> str:
    """Return what Karpenter may do: make and end machines that bear the tag of its cluster, and nothing else.

    `queue`, `node_role` and `cluster` are ARNs. It makes no instance profile, since it gets one, and asks for no price,
    since a pool has one type of machine: neither can be asked from inside a network without the internet.

    Source: aws/karpenter-provider-aws website/content/en/docs getting-started cloudformation.yaml of 2026-08,
    read 2026-11.
    """
    _, partition, _, region, _, path = cluster.split(":", 5)
    name = path.removeprefix("cluster/")
    return document(
        *_karpenter_machines(f"arn:{partition}:ec2:{region}", name),
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": node_role,
            "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
        },
        {
            "Effect": "Allow",
            "Action": [
                "ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances",
                "ec2:DescribeInstanceStatus", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplates", "ec2:DescribePlacementGroups", "ec2:DescribeSecurityGroups",
                "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets",
            ],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": region}},
        },
        {
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": f"arn:{partition}:ssm:{region}::parameter/aws/service/*",
        },
        {
            "Effect": "Allow",
            "Action": ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
            "Resource": queue,
        },
        {"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": cluster},
    )  # fmt: skip


def _karpenter_machines(ec2: str, name: str) -> list[Statement]:
    owned, pool = f"kubernetes.io/cluster/{name}", "karpenter.sh/nodepool"
    made = [
        f"{ec2}:*:{kind}/*"
        for kind in ("fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request")
    ]
    asked = {f"aws:RequestTag/{owned}": "owned", "aws:RequestTag/eks:eks-cluster-name": name}
    of_ours = {
        "StringEquals": {f"aws:ResourceTag/{owned}": "owned"},
        "StringLike": {f"aws:ResourceTag/{pool}": "*"},
    }
    any_pool = {f"aws:RequestTag/{pool}": "*"}
    start = ["ec2:RunInstances", "ec2:CreateFleet"]
    kinds = ("security-group", "subnet", "capacity-reservation", "placement-group")
    return [
        {
            "Effect": "Allow",
            "Action": start,
            "Resource": [f"{ec2}::image/*", f"{ec2}::snapshot/*", *(f"{ec2}:*:{kind}/*" for kind in kinds)],
        },
        {"Effect": "Allow", "Action": start, "Resource": f"{ec2}:*:launch-template/*", "Condition": of_ours},
        {
            "Effect": "Allow",
            "Action": [*start, "ec2:CreateLaunchTemplate"],
            "Resource": made,
            "Condition": {"StringEquals": asked, "StringLike": any_pool},
        },
        {
            "Effect": "Allow",
            "Action": "ec2:CreateTags",
            "Resource": made,
            "Condition": {
                "StringEquals": {
                    **asked,
                    "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"],
                },
                "StringLike": any_pool,
            },
        },
        {
            "Effect": "Allow",
            "Action": "ec2:CreateTags",
            "Resource": f"{ec2}:*:instance/*",
            "Condition": {
                **of_ours,
                "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": name},
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"]
                },
            },
        },
        {
            "Effect": "Allow",
            "Action": ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
            "Resource": [f"{ec2}:*:instance/*", f"{ec2}:*:launch-template/*"],
            "Condition": of_ours,
        },
    ]


def only_tls(action: str, resources: Sequence[str]) -> Statement:
    """Return the statement that refuses whatever is not TLS."""
    return {
        "Sid": "OnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(resources) if len(resources) > 1 else resources[0],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def document(*statements: Statement) -> str:
    """Return a policy document of these statements, without a blank: IAM counts characters."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))
