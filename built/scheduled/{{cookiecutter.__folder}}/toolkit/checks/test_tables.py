"""Tables with business data are protected; tables of records expire their items."""

import pytest

from toolkit.template import resolve, resources

TABLES = {name: table["Properties"] for name, table in resources("AWS::DynamoDB::Table").items()}
# A table whose items never expire has business data.
BUSINESS = {name for name, table in TABLES.items() if "TimeToLiveSpecification" not in table}


def test_there_is_a_table_with_business_data() -> None:
    assert BUSINESS


@pytest.mark.parametrize("name", sorted(BUSINESS))
def test_table_with_business_data_is_protected_in_prod(name: str) -> None:
    recovery = TABLES[name].get("PointInTimeRecoverySpecification", {})

    assert resolve(TABLES[name].get("DeletionProtectionEnabled"), "prod") is True
    assert resolve(recovery.get("PointInTimeRecoveryEnabled"), "prod") is True


@pytest.mark.parametrize("name", sorted(BUSINESS))
def test_table_with_business_data_is_retained_in_every_environment(name: str) -> None:
    table = resources("AWS::DynamoDB::Table")[name]

    assert table.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
    assert table.get("UpdateReplacePolicy") == "Retain"


def test_records_expire() -> None:
    expected = {"AttributeName": "expires_at", "Enabled": True}
    found = {name: TABLES[name]["TimeToLiveSpecification"] for name in TABLES.keys() - BUSINESS}

    assert found == dict.fromkeys(found, expected)
