"""Runs one project in the embedded engine and leaves its graph in a file; a process of its own for each program."""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path

REQUEST = json.loads(sys.argv[1]) if __name__ == "__main__" else {}
sys.path.append(REQUEST.get("root", ""))

from skerry.engine.project import StackConfig, load_project, load_stack_config  # noqa: E402  # found by the line above
from skerry.engine.run import load_answers, run_program  # noqa: E402
from skerry.errors import SkerryError  # noqa: E402


def main() -> int:
    """Run what the first argument asks for and return an exit code."""
    request, folder = REQUEST, Path(REQUEST["project"])
    try:
        project = load_project(folder)
        os.chdir(project.program)
        read = load_stack_config(project, request["stack"])
        secrets = {key if ":" in key else f"{project.name}:{key}": text for key, text in request["secrets"].items()}
        config = StackConfig({**read.values, **secrets}, read.secret_keys | secrets.keys())
        given = os.environ.get("SKERRY_SIM_ANSWERS")
        answers = load_answers(Path(given)) if given else None
        graph = run_program(folder, request["stack"], config, answers=answers, stack_outputs=request["references"])
    except SkerryError as exc:
        print(exc, file=sys.stderr)
        return 1
    Path(request["out"]).write_bytes(pickle.dumps(graph))
    return 0


if __name__ == "__main__":
    sys.exit(main())
