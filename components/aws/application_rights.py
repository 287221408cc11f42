"""What services on AWS's own runtimes may do: permission documents, each naming exactly what it is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from components.aws.permissions import OBJECTS, Statement, document
from skerry.config.application import Access, Need
from skerry.images import ImageReference

# Source: the actions are those of botocore 1.44.5's service models; tests hold them against these
_TAKE: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
_QUEUE: Final[dict[Access | None, tuple[str, ...]]] = {
    Access.READ: _TAKE,
    Access.WRITE: ("sqs:SendMessage",),
    None: (*_TAKE, "sqs:SendMessage"),
}
_INTERFACES: Final = (
    "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
)  # fmt: skip
"""Source: AWS Lambda "Giving Lambda functions access to resources in an Amazon VPC", required permissions (not opened;
check before relying on it)."""


def pull_statements(image: ImageReference) -> list[Statement]:
    """Return what taking an image out of Amazon ECR asks; nothing for any other registry."""
    parts = image.registry.split(".")
    if len(parts) < 5 or parts[1:3] != ["dkr", "ecr"]:
        return []
    arn = f"arn:aws:ecr:{parts[3]}:{parts[0]}:repository/{image.repository}"
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    return [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": pull, "Resource": arn},
    ]


def log_statement(group: str) -> Statement:
    """Return what writing into one log group asks."""
    return {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{group}:*"}


def value_rights(parameters: Sequence[str], key: str, *, one_by_one: bool = False) -> list[Statement]:
    """Return what reading values asks: the parameters, and the key of those that are secret.

    Args:
        parameters: their ARNs.
        key: the ARN of the key.
        one_by_one: whether a program reads them, which may ask for one at a time; ECS asks for all at once.
    """
    if not parameters:
        return []
    return [
        {
            "Effect": "Allow",
            "Action": ["ssm:GetParameter", "ssm:GetParameters"] if one_by_one else "ssm:GetParameters",
            "Resource": list(parameters),
        },
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key},
    ]


def execution_policy(image: ImageReference, group: str, values: Sequence[Statement]) -> str:
    """Return what ECS may do to start a task."""
    return document(*pull_statements(image), log_statement(group), *values)


def store_statements(
    access: dict[Need, Access], bucket: str | None, queue: str | None, key: str
) -> list[dict[str, Any]]:
    """Return what a service may do with the bucket and the queue that it needs."""
    found: list[dict[str, Any]] = []
    if bucket is not None:
        found.append({"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": bucket})
        objects = list(OBJECTS[access.get(Need.BUCKET)])
        found.append({"Effect": "Allow", "Action": objects, "Resource": f"{bucket}/*"})
    if queue is not None:
        jobs = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", *_QUEUE[access.get(Need.QUEUE)]]
        found.append({"Effect": "Allow", "Action": jobs, "Resource": queue})
    if found:
        found.append({"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key})
    return found


def files_statement(system: str, point: str) -> Statement:
    """Return what mounting shared files at one access point asks."""
    return {
        "Effect": "Allow",
        "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
        "Resource": system,
        "Condition": {"StringEquals": {"elasticfilesystem:AccessPointArn": point}},
    }


def function_policy(group: str, statements: Sequence[Statement]) -> str:
    """Return what a function in a network may do: its interfaces, its log group, and what it needs."""
    return document(
        {"Effect": "Allow", "Action": list(_INTERFACES), "Resource": "*"}, log_statement(group), *statements
    )


def log_bucket_statement(bucket: str) -> Statement:
    """Return what load balancers may do with the bucket of their access logs.

    Source: the Haskell SDK amazonka-elb, which names the principal of regions from August 2022 on; that it holds in
    all others is from Elastic Load Balancing "Enable access logs" (not opened; check before relying on it).
    """
    return {
        "Sid": "AccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{bucket}/AWSLogs/*",
    }
