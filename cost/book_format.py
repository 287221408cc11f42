"""The names of the price book's format; docs/cost.md says what they mean.

A book is a folder of CSV files. The first line of each is `# ` and `SCHEMA`, the second the column names.
"""

from __future__ import annotations

from typing import Final

SCHEMA: Final = "skerry.prices/1"
"""A reader stops at any other."""

COLUMNS: Final = ("cloud", "region", "sku", "unit", "usd", "term", "source", "read_on")

CLOUDS: Final = frozenset({"aws", "azure", "gcp"})

OWN_FILES: Final = ("aws.csv", "azure.csv", "gcp.csv")
"""The files of the book that comes with Skerry."""

EVERY_REGION: Final = "*"
"""The region of a price that its source states for all commercial regions, or without naming one."""

NOT_COMMERCIAL: Final = ("us-gov-", "cn-", "usgov", "china")
"""How regions begin to which a price for every region does not extend."""

ON_DEMAND: Final = "on-demand"
SPOT: Final = "spot"
TERMS: Final = frozenset({ON_DEMAND, SPOT, "reserved-1y", "reserved-3y"})

HOUR: Final = "hour"
MONTH: Final = "month"
GB_MONTH: Final = "GB-month"
GB: Final = "GB"
REQUEST: Final = "request"
GB_SECOND: Final = "GB-second"
"""Memory of a function for as long as it runs."""
KEY_MONTH: Final = "key-month"
LCU_HOUR: Final = "LCU-hour"
IOPS_MONTH: Final = "IOPS-month"
MIBPS_MONTH: Final = "MiBps-month"
UNITS: Final = frozenset({
    HOUR, MONTH, GB_MONTH, GB, REQUEST, GB_SECOND, KEY_MONTH, LCU_HOUR, IOPS_MONTH, MIBPS_MONTH,
})  # fmt: skip
