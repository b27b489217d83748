"""CloudWatch as AWS documents it: metrics, the metric math of alarms, and their states.

Sources, in the Amazon CloudWatch User Guide: "Using math expressions with CloudWatch metrics",
"Alarm evaluation", "Configuring how CloudWatch alarms treat missing data".
"""

import ast
import json
import math
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from toolkit.template import resolve, resources

# A metric's namespace, name and dimensions.
Identity = tuple[str, str, frozenset[tuple[str, str]]]
# The values of a time series, by the start of their periods in seconds.
Series = dict[int, float]
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}


def identity(metric: Mapping[str, Any], environment: str) -> Identity:
    """Which metric an alarm means, with the values of an environment."""
    dimensions = {
        dimension["Name"]: str(resolve(dimension["Value"], environment))
        for dimension in metric.get("Dimensions", [])
    }
    namespace = str(resolve(metric["Namespace"], environment))
    return namespace, metric["MetricName"], frozenset(dimensions.items())


def metrics_of(alarm: Mapping[str, Any], environment: str) -> set[Identity]:
    """All metrics that an alarm watches."""
    stats = [query["MetricStat"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return {identity(metric, environment) for metric in [s["Metric"] for s in stats] or [alarm]}


class Metrics:
    """What was counted, by metric and second."""

    def __init__(self) -> None:
        self._values: dict[Identity, list[tuple[int, float, int]]] = defaultdict(list)

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        second: int,
        value: float,
        times: int = 1,
    ) -> None:
        """Count a value, as often as it came in that second."""
        if times:
            key = (namespace, name, frozenset(dimensions.items()))
            self._values[key].append((second, value, times))

    def put_emf(self, document: Mapping[str, Any], second: int, times: int = 1) -> None:
        """Count what a log line in the embedded metric format holds, once per set of dimensions."""
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: document[name] for name in names}
                for metric in directive["Metrics"]:
                    values = document[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        self.put(
                            directive["Namespace"], metric["Name"], dimensions, second, value, times
                        )

    def series(self, metric: Identity, statistic: str, period: int) -> Series:
        """A statistic of a metric, per period; a period in which nothing came has no value."""
        by_period: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for second, value, times in self._values.get(metric, []):
            by_period[second - second % period].append((value, times))
        return {start: _statistic(statistic, values) for start, values in by_period.items()}

    def state(self, alarm: Mapping[str, Any], environment: str, now: int) -> str:
        """ALARM or OK, for the periods that end at `now` or before."""
        threshold = float(resolve(alarm["Threshold"], environment))
        breaches = _COMPARISONS[alarm["ComparisonOperator"]]
        missing = alarm["TreatMissingData"] == "breaching"
        stats = {q["Id"]: q["MetricStat"] for q in alarm.get("Metrics", []) if "MetricStat" in q}
        [period] = {stat["Period"] for stat in stats.values()} or {alarm["Period"]}
        last = now - now % period
        periods = int(resolve(alarm["EvaluationPeriods"], environment))
        starts = range(last - periods * period, last, period)
        series: Series | float
        if stats:
            [result] = [query for query in alarm["Metrics"] if query.get("ReturnData", True)]
            named = {
                name: self.series(identity(stat["Metric"], environment), stat["Stat"], period)
                for name, stat in stats.items()
            }
            series = calculate(str(resolve(result["Expression"], environment)), named, starts)
            assert isinstance(series, dict), "the result of an alarm's expression is a time series"
        else:
            statistic = alarm.get("Statistic", alarm.get("ExtendedStatistic"))
            series = self.series(identity(alarm, environment), statistic, period)
        breaching = [
            start
            for start in starts
            if (breaches(series[start], threshold) if start in series else missing)
        ]
        needed = alarm.get("DatapointsToAlarm", periods)
        return "ALARM" if len(breaching) >= needed else "OK"

    def firing(self, environment: str, now: int) -> set[str]:
        """The alarms of template.yaml that are in ALARM at `now`, with any name.

        Those that fire when nothing is counted are left out: here, little is counted.
        """
        return {
            name
            for name, alarm in resources("AWS::CloudWatch::Alarm").items()
            if alarm["Properties"]["TreatMissingData"] == "notBreaching"
            if self.state(alarm["Properties"], environment, now) == "ALARM"
        }


def read_emf(output: str) -> list[dict[str, Any]]:
    """The lines of a function's output that CloudWatch reads as metrics."""
    documents = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [document for document in documents if "_aws" in document]


def calculate(
    expression: str, named: Mapping[str, Series], starts: Iterable[int] = ()
) -> Series | float:
    """The value of a metric math expression; what is not known here is an error.

    Args:
        expression: what an alarm calculates. It reads like Python.
        named: the time series by their ids.
        starts: the periods that CloudWatch looks at, for FILL.
    """
    return _value(ast.parse(expression.strip(), mode="eval").body, named, starts)


_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


def _value(node: ast.expr, named: Mapping[str, Series], starts: Iterable[int]) -> Series | float:
    def of(part: ast.expr) -> Series | float:
        return _value(part, named, starts)

    match node:
        case ast.Constant(int() | float() as number):
            return float(number)
        case ast.Name(name) if name in named:
            return named[name]
        case ast.BinOp(left, operation, right) if type(operation) in _OPERATORS:
            return _pairwise(operation, of(left), of(right))
        case ast.Compare(left, [operation], [right]) if type(operation) in _OPERATORS:
            return _pairwise(operation, of(left), of(right))
        case ast.Call(ast.Name("IF"), [condition, chosen, other], []):
            return _if(of(condition), of(chosen), of(other))
        case ast.Call(ast.Name("FILL"), [ast.Name(name), ast.Constant(int(number))], []):
            # Whether a metric that never came is filled, AWS does not say: as if it were not.
            found = named[name]
            return dict.fromkeys(starts, float(number)) | found if found else {}
    raise NotImplementedError(ast.unparse(node))


def _pairwise(operation: ast.AST, left: Series | float, right: Series | float) -> Series | float:
    """ "Missing values in a time series are treated as 0. If the value of a data point causes a
    function to attempt to divide by zero, the data point is dropped."
    """
    calculate = _OPERATORS[type(operation)]
    if isinstance(left, float) and isinstance(right, float):
        return float(calculate(left, right))
    result = {}
    for start in _starts(left, right):
        one, other = (s if isinstance(s, float) else s.get(start, 0.0) for s in (left, right))
        if not (isinstance(operation, ast.Div) and other == 0):
            result[start] = float(calculate(one, other))
    return result


def _if(condition: Series | float, chosen: Series | float, other: Series | float) -> Series:
    """ "0, if the condition is TRUE and the corresponding data point does not exist"; "dropped, if
    the condition is FALSE and the corresponding data point does not exist".
    """
    assert isinstance(condition, dict), "only a condition that is a time series is known here"
    result = {}
    for start, true in condition.items():
        if true:
            result[start] = chosen if isinstance(chosen, float) else chosen.get(start, 0.0)
        elif isinstance(other, float) or start in other:
            result[start] = other if isinstance(other, float) else other[start]
    return result


def _starts(*values: Series | float) -> set[int]:
    return {start for value in values if isinstance(value, dict) for start in value}


def _statistic(name: str, values: Iterable[tuple[float, int]]) -> float:
    values = sorted(values)
    number = sum(times for _, times in values)
    total = sum(value * times for value, times in values)
    if name in ("Sum", "Average", "Maximum"):
        return {"Sum": total, "Average": total / number, "Maximum": values[-1][0]}[name]
    rank = math.ceil(number * float(name.removeprefix("p")) / 100)
    for value, times in values:
        rank -= times
        if rank <= 0:
            return value
    raise NotImplementedError(name)
