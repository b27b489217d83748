"""How the stream, the function and the archive of this service fit together."""

from toolkit.template import ENVIRONMENTS, parameters, resources


def test_totals_are_by_site_and_hour() -> None:
    keys = resources("AWS::DynamoDB::Table")["TotalsTable"]["Properties"]["KeySchema"]

    assert [key["AttributeName"] for key in keys] == ["site", "hour"]


def test_all_environments_accept_the_same_times() -> None:
    """Otherwise an event that is counted in staging might be refused in prod."""
    found = {
        (parameters(environment)["OldestEventSeconds"], parameters(environment)["ClockSkewSeconds"])
        for environment in ENVIRONMENTS
    }

    assert len(found) == 1
