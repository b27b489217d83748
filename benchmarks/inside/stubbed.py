"""What a handler needs to run without AWS: answers, and a context."""

import os
import re
from types import SimpleNamespace
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from scripts.shipped import Resource, stand_ins

CONTEXT: Any = SimpleNamespace(
    function_name="benchmark",
    function_version="1",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:benchmark:live",
    aws_request_id="00000000-0000-0000-0000-000000000000",
    get_remaining_time_in_millis=lambda: 900_000,
)


def answer_every_call() -> None:
    """Let each request to AWS succeed at once, with nothing in the answer.

    botocore does all the rest: it checks and writes the request, signs it, and reads the answer.
    """

    def send(_: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        body = request.body or b""
        text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
        answer = AWSResponse(request.url, 200, {}, None)
        if action := re.search(r"(?:^|&)Action=(\w+)", text):
            answer._content = f"<Answer><{action[1]}Result/></Answer>".encode()
        else:
            answer._content = b"{}" if "json" in str(request.headers.get("Content-Type")) else b"<Answer/>"
        return answer

    URLLib3Session.send = send


def on_lambda(function: Resource) -> dict[str, str]:
    """Set the environment variables that a function has on Lambda, and return its own.

    Each of those is a number of its own, which can be told apart in the calls that the function makes.
    """
    own = {name: str(731_001 + place) for place, name in enumerate(stand_ins(function))}
    os.environ.update(
        own,
        AWS_ACCESS_KEY_ID="test",
        AWS_DEFAULT_REGION="eu-west-1",
        AWS_REGION="eu-west-1",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106
        # Tracing looks for these to know that it is on Lambda.
        AWS_LAMBDA_FUNCTION_NAME="benchmark",
        LAMBDA_TASK_ROOT="/var/task",
        POWERTOOLS_LOG_LEVEL="INFO",
        POWERTOOLS_METRICS_NAMESPACE="benchmark",
        POWERTOOLS_SERVICE_NAME="benchmark",
        POWERTOOLS_TRACER_CAPTURE_ERROR="false",
    )
    new_trace(kept=False)
    return own


def new_trace(*, kept: bool) -> None:
    """Begin an invocation. X-Ray keeps the traces of one a second, and of 5 % of the others."""
    os.environ["_X_AMZN_TRACE_ID"] = (
        f"Root=1-00000000-{os.urandom(12).hex()};Parent={os.urandom(8).hex()};Sampled={kept:d}"
    )
