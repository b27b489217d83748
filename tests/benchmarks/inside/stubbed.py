"""What a handler needs to run without AWS: answers, and a context."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import cycle
from types import SimpleNamespace
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

CONTEXT: Any = SimpleNamespace(
    function_name="benchmark",
    function_version="1",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:benchmark:live",
    aws_request_id="00000000-0000-0000-0000-000000000000",
    get_remaining_time_in_millis=lambda: 900_000,
)


def answer_every_call(answers: Sequence[Mapping[str, Any]]) -> None:
    """Answer the requests to AWS at once, one after the other, with what was answered when they were recorded.

    botocore does all the rest: it checks and writes the request, signs it, and reads the answer.
    """
    given = cycle([(found["status"], found["headers"], found["body"].encode()) for found in answers])

    def send(_: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        status, headers, content = next(given)
        answer = AWSResponse(request.url, status, headers, None)
        answer._content = content
        return answer

    URLLib3Session.send = send


def on_lambda(variables: Mapping[str, str]) -> None:
    """Set environment variables as Lambda does, a function's own included."""
    os.environ.update(
        variables,
        AWS_ACCESS_KEY_ID="test",
        AWS_DEFAULT_REGION="eu-west-1",
        AWS_REGION="eu-west-1",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106
        # Tracing looks for these to know that it is on Lambda.
        AWS_LAMBDA_FUNCTION_NAME="benchmark",
        LAMBDA_TASK_ROOT="/var/task",
    )
    new_trace(kept=False)


def new_trace(*, kept: bool) -> None:
    """Begin an invocation. X-Ray keeps the traces of one a second, and of 5 % of the others."""
    os.environ["_X_AMZN_TRACE_ID"] = (
        f"Root=1-00000000-{os.urandom(12).hex()};Parent={os.urandom(8).hex()};Sampled={kept:d}"
    )
