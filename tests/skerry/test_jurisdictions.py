from __future__ import annotations

import pytest

from skerry.errors import UsageError
from skerry.jurisdictions import BLOCS, countries, inside, jurisdiction_of, region_of_zone, regions

WHERE = {
    "an AWS region": ("aws", "eu-central-1", "DE"),
    "an AWS zone": ("aws", "eu-west-3a", "FR"),
    "the sovereign cloud": ("aws", "eusc-de-east-1", "DE"),
    "a government zone": ("aws", "us-gov-west-1b", "US"),
    "Zurich is not in the EU": ("aws", "eu-central-2", "CH"),
    "London": ("gcp", "europe-west2", "GB"),
    "a GCP zone": ("gcp", "europe-west4-b", "NL"),
    "an Azure programmatic name": ("azure", "germanywestcentral", "DE"),
    "an Azure display name": ("azure", "Germany West Central", "DE"),
    "a region of another cloud": ("gcp", "eu-central-1", None),
    "a region that is made up": ("aws", "eu-centrl-1", None),
    "nothing": ("aws", "", None),
}


@pytest.mark.parametrize("case", WHERE)
def test_a_region_lies_in_a_country(case: str) -> None:
    cloud, region, expected = WHERE[case]
    assert expected == jurisdiction_of(cloud, region)


def test_every_row_has_a_country_a_source_and_a_date() -> None:
    for region in regions():
        assert frozenset({region.jurisdiction}) == countries(region.jurisdiction)
        assert region.source
        assert region.read_on == "2026-11"


def test_no_region_has_two_rows() -> None:
    names = [(region.cloud, region.name) for region in regions()]
    assert sorted(set(names)) == sorted(names)


def test_blocs_have_their_members() -> None:
    assert len(BLOCS["EU"]) == 27
    assert {"IS", "LI", "NO"} == BLOCS["EEA"] - BLOCS["EU"]


INSIDE = {
    "a member of a bloc": ("DE", ("EU",), True),
    "the bloc itself": ("EU", ("EEA",), True),
    "the larger bloc is not inside the smaller": ("EEA", ("EU",), False),
    "a bloc made of single countries and a bloc": ("EEA", ("EU", "IS", "LI", "NO"), True),
    "Switzerland": ("CH", ("EU", "EEA"), False),
    "nothing allowed": ("DE", (), False),
}


@pytest.mark.parametrize("case", INSIDE)
def test_inside(case: str) -> None:
    code, allowed, expected = INSIDE[case]
    assert expected is inside(code, allowed)


def test_a_zone_of_no_known_form_stays() -> None:
    assert region_of_zone("onprem", "rack-1") == "rack-1"


WRONG = {
    "the everyday code": ("UK", "'UK' is neither an ISO 3166 country code nor one of EEA, EU: did you mean GB"),
    "a word": ("Europe", "'Europe' is neither an ISO 3166 country code nor one of EEA, EU: write a code such as DE"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_code_that_is_none_is_refused(case: str) -> None:
    code, expected = WRONG[case]
    with pytest.raises(UsageError) as caught:
        countries(code)
    assert expected == str(caught.value)
