"""A cloud's SDK that the environment of the component package lacks is told with the command that installs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.package.provider import _missing

MISSING = {
    "the SDK of a cloud": ("pulumi_gcp.container", "pulumi_gcp", "requirements/gcp.txt"),
    "the SDK that components/requirements.txt installs": ("pulumi_aws", "pulumi_aws", "requirements/aws.txt"),
    "anything else": ("yaml", "yaml", "components/requirements.txt"),
}


@pytest.mark.parametrize("case", MISSING)
def test_the_file_that_brings_it_is_named_and_exists(case: str) -> None:
    module, package, file = MISSING[case]
    told = _missing(ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert told.startswith(f"needs the Python package {package}, ")
    path = told.rpartition(" -r ")[2].rstrip("`")
    assert path.endswith(file)
    assert Path(path).is_file()
