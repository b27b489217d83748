"""Gap: ministack refuses alarms on metric math.

Closed: they deploy, and stay in the state INSUFFICIENT_DATA. Template tests calculate their states.
"""

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

Record = Callable[[str, dict[str, Any]], dict[str, Any]]


def is_needed() -> bool:
    alarm = {
        "Metrics": [{"Id": "one", "Expression": "1"}],
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1,
    }
    try:
        provisioners._cw_metric_alarm_record("alarm", alarm)
    except ValueError:
        return True
    return False


def close() -> None:
    record: Record = provisioners._cw_metric_alarm_record

    def with_metric_math(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if "Metrics" not in properties:
            return record(name, properties)
        one_metric = {**properties, "Metrics": None, "MetricName": "-", "Namespace": "-"}
        made = record(name, one_metric)
        return {**made, "MetricName": None, "Namespace": None, "Metrics": properties["Metrics"]}

    provisioners._cw_metric_alarm_record = with_metric_math
