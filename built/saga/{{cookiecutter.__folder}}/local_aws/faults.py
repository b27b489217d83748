"""Faults on demand: the next calls of functions are throttled, or kill the function that calls."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/_local_aws/faults"


def with_faults(app: App) -> App:
    """Wrap an ASGI application.

    POST {"operation": "DynamoDB_20120810.PutItem", "fault": …, "times": 1, "function": …} to PATH,
    where the operation is the request's X-Amz-Target, the function is the name of the one whose
    calls are meant (null for any), and the fault is one of

    - `throttle`: answered as AWS does when there are too many requests, without being carried out;
    - `crash before`: the function dies, and the call has no effect;
    - `crash after`: the call takes effect, and the function dies before it hears of it.
    """
    pending: list[dict[str, Any]] = []

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            pending.append(json.loads(await _body(receive)))
            await _answer(send, 204, b"")
            return
        fault = _take(pending, scope)
        if fault is None:
            await app(scope, receive, send)
        elif fault == "throttle":
            await _answer(
                send, 400, b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
            )
        else:
            if fault == "crash after":
                await app(scope, receive, _to_nobody)
            _kill_functions(_function_of(scope))
            await _answer(send, 500, b"{}")

    return wrapped


def _take(pending: list[dict[str, Any]], scope: Scope) -> str | None:
    if not pending or scope["type"] != "http":
        return None
    headers = dict(scope["headers"])
    # Functions sign with a session of their role, and only they do.
    if b"Credential=ASIA" not in headers.get(b"authorization", b""):
        return None
    for plan in pending:
        if plan["operation"] == headers.get(b"x-amz-target", b"").decode() and (
            plan["function"] in (None, _function_of(scope))
        ):
            plan["times"] -= 1
            if not plan["times"]:
                pending.remove(plan)
            return str(plan["fault"])
    return None


def _function_of(scope: Scope) -> str:
    """The name of the function whose call this is, from the access key of its role's session."""
    from ministack.services import sts

    authorization = dict(scope["headers"])[b"authorization"].decode()
    access_key = authorization.partition("Credential=")[2].partition("/")[0]
    name: str = sts._sessions[access_key]["Arn"].rpartition("/")[2]
    return name


def _kill_functions(name: str) -> None:
    from ministack.core import lambda_runtime

    for workers in lambda_runtime._workers.values():
        for worker in workers:
            if worker.func_name == name and worker._proc:
                worker._proc.kill()


async def _to_nobody(message: MutableMapping[str, Any]) -> None: ...


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body"):
            return body


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/x-amz-json-1.0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
