"""Where the engine starts the component package: `python components <engine address>`."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Serve the components until the engine ends this process."""
    # The folder of this file is first on sys.path, where its `kubernetes` would hide the client of that name.
    folder = Path(__file__).resolve().parent
    sys.path[:] = [str(folder.parent), *(entry for entry in sys.path if Path(entry or ".").resolve() != folder)]
    from pulumi.provider import main as serve

    from components.package.provider import package_provider

    serve(package_provider(), sys.argv[1:])


if __name__ == "__main__":
    main()
