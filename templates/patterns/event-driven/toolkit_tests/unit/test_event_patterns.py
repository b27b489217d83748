"""The matcher of event patterns decides as AWS's guide describes it.

Examples are those of AWS's guide, "Comparison operators for use in event patterns":
docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
"""

from typing import Any

import pytest

from toolkit.checks.event_patterns import matches


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"time": [{"prefix": "2017-10-02"}]}, {"time": "2017-10-02T18:43:48Z"}, True),
        ({"time": [{"prefix": "2017-10-02"}]}, {"time": "2017-10-03T18:43:48Z"}, False),
        ({"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"a": "eventbridge"}, True),
        ({"FileName": [{"suffix": ".png"}]}, {"FileName": "a.png"}, True),
        ({"FileName": [{"suffix": ".png"}]}, {"FileName": "a.PNG"}, False),
        ({"FileName": [{"suffix": {"equals-ignore-case": ".png"}}]}, {"FileName": "a.PNG"}, True),
        ({"d": {"state": [{"anything-but": "initializing"}]}}, {"d": {"state": "ok"}}, True),
        (
            {"d": {"state": [{"anything-but": "initializing"}]}},
            {"d": {"state": "initializing"}},
            False,
        ),
        ({"d": {"limit": [{"anything-but": 123}]}}, {"d": {"limit": 123}}, False),
        ({"d": {"limit": [{"anything-but": [100, 200, 300]}]}}, {"d": {"limit": 150}}, True),
        ({"state": [{"anything-but": ["stopped", "overloaded"]}]}, {"state": "stopped"}, False),
        ({"state": [{"anything-but": {"prefix": "init"}}]}, {"state": "initializing"}, False),
        ({"state": [{"anything-but": {"prefix": "init"}}]}, {"state": "running"}, True),
        (
            {"FileName": [{"anything-but": {"suffix": [".txt", ".rtf"]}}]},
            {"FileName": "a.rtf"},
            False,
        ),
        ({"FileName": [{"anything-but": {"suffix": ".txt"}}]}, {"FileName": ".txt.bak"}, True),
        ({"state": [{"anything-but": "stopped"}]}, {}, False),
        ({"count": [{"numeric": [">", 0, "<=", 5]}]}, {"count": 5}, True),
        ({"count": [{"numeric": [">", 0, "<=", 5]}]}, {"count": 0}, False),
        ({"count": [{"numeric": ["<", 10]}]}, {"count": "5"}, False),
        ({"max": [{"numeric": ["=", 3.018e2]}]}, {"max": 301.8}, True),
        ({"count": [{"numeric": ["<", 10]}]}, {"count": True}, False),
        ({"state": [{"exists": True}]}, {"state": "pending"}, True),
        ({"state": [{"exists": True}]}, {"reason": "-"}, False),
        ({"c-count": [{"exists": False}]}, {"c-count": 5}, False),
        ({"c-count": [{"exists": False}]}, {"d-count": 5}, True),
        ({"state": [{"exists": True}]}, {"state": {"inner": 1}}, False),
        ({"type": [{"equals-ignore-case": "ec2 instance"}]}, {"type": "EC2 Instance"}, True),
        (
            {"EventBusArn": [{"wildcard": "arn:*:event-bus/*"}]},
            {"EventBusArn": "arn:a:event-bus/b"},
            True,
        ),
        ({"name": [{"wildcard": "dir/*.png"}]}, {"name": "dir/a/b.png"}, True),
        ({"name": [{"wildcard": "dir/*.png"}]}, {"name": "dir/a.png.bak"}, False),
        (
            {"source": ["aws.ec2"], "state": ["terminated"]},
            {"source": "aws.ec2", "state": "running"},
            False,
        ),
        ({"source": ["aws.ec2"]}, {"source": "aws.ec2", "more": 1}, True),
        ({"a": [""]}, {"a": ""}, True),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {}, False),
        ({"resources": ["b"]}, {"resources": ["a", "b"]}, True),
        ({"resources": ["c"]}, {"resources": ["a", "b"]}, False),
        ({"a": [1]}, {"a": True}, False),
        (
            {"$or": [{"c-count": [{"numeric": [">", 0]}]}, {"x": [{"exists": False}]}]},
            {"x": 1},
            False,
        ),
        ({"$or": [{"c": [{"numeric": [">", 0]}]}, {"d": [1]}]}, {"c": 2}, True),
        ({"s": ["x"], "$or": [{"a": [1]}, {"b": [2]}]}, {"s": "y", "a": 1}, False),
        ({"d": {"a": [1]}}, {"d": "text"}, False),
        ({"d": {"a": [1]}}, {"d": [{"a": 2}, {"a": 1}]}, True),
    ],
)
def test_pattern_matches_as_documented(pattern: Any, event: Any, expected: bool) -> None:
    assert matches(pattern, event) is expected


@pytest.mark.parametrize(
    "rule", [{"cidr": "10.0.0.0/24"}, {"anything-but": {"cidr": "10.0.0.0/24"}}]
)
def test_operator_that_is_not_known_here_is_an_error(rule: Any) -> None:
    with pytest.raises(ValueError, match="unknown operator"):
        matches({"ip": [rule]}, {"ip": "10.0.0.1"})
