"""A migration plan as JSON."""

from __future__ import annotations

import json
from typing import Final

from skerry.migration.document import MigrationPlan

MIGRATION_SCHEMA: Final = "skerry.migration/1"
"""Name and version of the JSON form."""


def migration_json(plan: MigrationPlan) -> str:
    """Return the plan as JSON."""
    document = {
        "schema": MIGRATION_SCHEMA,
        "from": plan.source,
        "to": plan.destination,
        "inPlace": plan.in_place,
        "before": list(plan.before),
        "parts": [
            {
                "fate": part.fate.value,
                "urn": part.urn,
                "name": part.name,
                "type": part.type,
                "component": part.component,
                "role": part.role,
                "keepsData": part.keeps_data,
                "protected": part.protected,
                "differs": list(part.differs),
                "forcedBy": list(part.forced_by),
            }
            for part in plan.parts
        ],
        "data": [
            {
                "what": move.what,
                "needed": move.needed,
                "provided": move.provided,
                "why": move.why,
                "how": list(move.how),
            }
            for move in plan.moves
        ],
        "after": list(plan.after),
    }
    return json.dumps(document, indent=2) + "\n"
