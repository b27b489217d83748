"""Logs, traces and metrics, set up once; `observed` puts them around a handler."""

import gc
import re
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, Metrics, MetricUnit
from aws_lambda_powertools.tracing import Tracer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

__all__ = [
    "MetricUnit",
    "correlation_id_or",
    "logger",
    "metrics",
    "observed",
    "tracer",
    "version_metrics",
]

# Names and levels come from the POWERTOOLS_* variables in template.yaml.
logger = Logger()
metrics = Metrics()
# For alarms: per function, and per function and version, as Lambda counts its own metrics.
version_metrics = EphemeralMetrics(service="")
# Only what calls AWS is patched: patching every library it knows would import them all.
tracer = Tracer(patch_modules=["botocore"])

Handler = Callable[[dict[str, Any], "LambdaContext"], Any]


def observed(handler: Handler) -> Handler:
    """Wrap a handler: the request on every log line, a trace segment, and one closing line.

    The closing line, `finished` or `failed`, carries `duration_ms`. Errors are logged and
    raised again: Lambda and the caller decide what happens next.
    """

    @wraps(handler)
    def timed(event: dict[str, Any], context: "LambdaContext") -> Any:
        start, now = time.perf_counter(), int(time.time() * 1000)
        outcome = "failed"
        try:
            answer = handler(event, context)
            outcome = "finished"
            return answer
        except Exception:
            logger.exception("the handler raised an error")
            raise
        finally:
            logger.info(outcome, duration_ms=round((time.perf_counter() - start) * 1000, 1))
            if metrics.metric_set:  # Powertools warns of invocations that measured nothing.
                metrics.flush_metrics()
            if version_metrics.metric_set:
                _flush_version_metrics(context, now)

    traced = tracer.capture_lambda_handler(timed, capture_response=False)
    logged: Handler = logger.inject_lambda_context(traced, clear_state=True)
    if not gc.isenabled():
        # What is there by now stays: the collector need not look at it, and is let go again.
        gc.freeze()
        gc.enable()
    return logged


def _flush_version_metrics(context: "LambdaContext", start: int) -> None:
    # Lambda counts an error when its invocation started; so must what is set off against it.
    version_metrics.set_timestamp(start)
    version_metrics.add_dimension("FunctionName", context.function_name)
    version_metrics.add_dimensions(
        FunctionName=context.function_name, ExecutedVersion=context.function_version
    )
    version_metrics.flush_metrics()


def correlation_id_or(fallback: str, given: str | None) -> str:
    """The caller's correlation id where it is one, so that nothing else enters the logs."""
    return given if given and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else fallback
