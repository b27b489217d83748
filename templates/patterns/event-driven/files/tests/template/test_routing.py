"""How uploads reach the function, and events their consumers."""

import pytest

from tests.template.routing import LARGEST, PUBLISHED, UNROUTED, UPLOADS, pattern_of
from toolkit.checks.cloudwatch import Metrics
from toolkit.checks.event_patterns import matches
from toolkit.runtime.event_bus import MOST_EVENTS
from toolkit.template import (
    as_list,
    functions,
    named,
    parameters,
    resolve,
    resources,
    statements_of,
)

ROLES = resources("AWS::IAM::Role")
ON_THE_BUS = [
    name
    for name, rule in resources("AWS::Events::Rule").items()
    if "EventBusName" in rule["Properties"]
]


@pytest.mark.parametrize("case", UPLOADS)
def test_rule_matches_exactly_what_process_can_read(case: str) -> None:
    event, is_read = UPLOADS[case]

    assert matches(pattern_of("UploadsRule"), event) is is_read


def test_table_of_uploads_has_ten_near_misses() -> None:
    assert sum(not is_read for _, is_read in UPLOADS.values()) >= 10


@pytest.mark.parametrize("case", PUBLISHED)
def test_each_event_goes_to_the_consumers_in_the_table(case: str) -> None:
    event, consumers = PUBLISHED[case]

    got = {name.removesuffix("Rule") for name in ON_THE_BUS if matches(pattern_of(name), event)}

    assert got == consumers


def test_types_that_consumers_want_are_not_unrouted() -> None:
    """And the other way round: what is left out there, somebody wants."""
    [types, _] = pattern_of("UnroutedRule")["$or"]
    wanted = {
        kind
        for name in ON_THE_BUS
        if name != f"{UNROUTED}Rule"
        for kind in pattern_of(name)["detail-type"]
    }

    assert set(types["detail-type"][0]["anything-but"]) == wanted


def test_function_reads_what_the_rule_lets_through() -> None:
    variables = functions()["ProcessFunction"]["Environment"]["Variables"]
    [size] = pattern_of("UploadsRule")["detail"]["object"]["size"]

    assert size == {"numeric": [">", 0, "<=", LARGEST]}
    assert int(variables["LARGEST_BYTES"]) == LARGEST


def test_only_publish_may_put_events_and_only_under_its_own_name() -> None:
    allowed = {
        role: statement
        for role in ROLES
        for statement in statements_of(role)
        if "events:PutEvents" in as_list(statement["Action"])
    }

    assert allowed.keys() == {"PublishRole"}
    source = functions()["PublishFunction"]["Environment"]["Variables"]["EVENT_SOURCE"]
    condition = {"ForAllValues:StringEquals": {"events:source": source}}
    assert allowed["PublishRole"]["Condition"] == condition
    assert pattern_of("NotifyRule")["source"] == [source]


def test_delays_of_publishing_raise_an_alarm_before_events_are_skipped() -> None:
    function = resolve(functions()["PublishFunction"]["FunctionName"], "prod")
    mapping = resources("AWS::Lambda::EventSourceMapping")["PublishOutbox"]["Properties"]
    age = int(resolve(mapping["MaximumRecordAgeInSeconds"], "prod"))
    metrics = Metrics()
    for minute in range(3):
        value = age * 1_000 / 2
        metrics.put("AWS/Lambda", "IteratorAge", {"FunctionName": function}, minute * 60, value)

    assert metrics.firing("prod", 180) == {"PublishAgeAlarm"}
    assert mapping["BatchSize"] <= MOST_EVENTS


def test_prod_keeps_its_events_for_a_replay() -> None:
    archive = resources("AWS::Events::Archive")["Archive"]["Properties"]

    assert named(archive["SourceArn"]) == {"EventBus"}
    assert "EventPattern" not in archive
    assert int(parameters("prod")["ArchiveDays"]) >= 14
