from pathlib import Path

import pytest

from tests.simulators.registry_graphs import Signer


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    folder = tmp_path / "keys"
    folder.mkdir()
    return Signer.make(folder)
