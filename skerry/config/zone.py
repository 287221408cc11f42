"""Names of the Domain Name System, for every part of the configuration that has some."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

DnsName = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", max_length=253)]
"""A host or a zone, in lower case and without the last dot."""
