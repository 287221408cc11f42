"""Where `pulumi preview --policy-pack policies` starts; the only place that calls PolicyPack, which never returns."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path


def main() -> None:
    """Serve the rules to the Pulumi engine until it ends this process."""
    # A pack runs with its own folder first on sys.path and the project's root absent.
    root = str(Path(__file__).resolve().parent.parent)
    if root not in sys.path:
        sys.path.append(root)
    from pulumi_policy import PolicyPack

    from cost.estimate import estimate
    from cost.pricebook import load_book
    from policies.crossguard import PACK_NAME, policies

    PolicyPack(PACK_NAME, policies(date.today, lambda graph: estimate(graph, load_book())))


if __name__ == "__main__":
    main()
