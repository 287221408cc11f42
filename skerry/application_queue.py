"""Who puts jobs into the shared queue and who takes them out, where a runtime itself hands them over."""

from __future__ import annotations

from skerry.application import Application
from skerry.config.application import Access, Need


def fed_by_queue(application: Application) -> bool:
    """Say whether a runtime that hands jobs over (Lambda) hands them to this service.

    One that says so takes them, and so does one that needs the queue and that nobody can call. A service with a port
    that says nothing has callers: it puts jobs in, and looks into the queue itself where it wants to.
    """
    definition = application.definition
    if Need.QUEUE not in definition.needs:
        return False
    access = definition.access.get(Need.QUEUE)
    return access is Access.READ or (access is None and not definition.ports)
