"""What all specs of a configuration are made of: the closed model, and text that has a form."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_DNS_LABEL = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
DnsLabel = Annotated[str, Field(pattern=_DNS_LABEL, max_length=63)]
CatalogName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=100)]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
IamArn = Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$", max_length=200)]
IamRoleArn = Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:role/[A-Za-z0-9+=,.@_/-]+$", max_length=200)]
GcpServiceAccount = Annotated[
    str, Field(pattern=r"^[a-z]([-a-z0-9]{4,28}[a-z0-9])@[a-z][-a-z0-9]{4,28}[a-z0-9]\.iam\.gserviceaccount\.com$")
]
GcpMember = Annotated[
    str, Field(pattern=r"^(user|group|serviceAccount):[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$", max_length=200)
]
Guid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
SecretKey = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


class Spec(BaseModel):
    """The base of all specs: closed and read-only."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
