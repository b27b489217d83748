"""Faults on demand: the next calls of functions fail, hang, or kill the function that calls."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/_local_aws/faults"
# Longer than it takes to try again a few times, and to give up: what is late comes after that.
LATE_SECONDS = 10


class Faults:
    """An ASGI application with faults in it.

    POST {"operation": "DynamoDB_20120810.PutItem", "fault": …, "times": 1, "function": …} to PATH,
    where the operation is the request's X-Amz-Target (null for any call), the function is the name
    of the one whose calls are meant (null for any), and the fault is one of

    - `throttle`: answered as AWS does when there are too many requests, without being carried out;
    - `conflict`: answered as DynamoDB does to TransactWriteItems while another transaction is under
      way for the last of its items, without being carried out;
    - `error before`, `error after`, `error late`: answered as AWS does when it fails itself;
    - `silence before`, `silence after`: not answered at all, until the function gives up;
    - `crash before`, `crash after`, `crash late`: the function crashes before it gets the answer;
    - `freeze before`, `freeze after`: the function hangs until its timeout.

    Before means that the call has no effect, after that it has, and late that it takes effect ten
    seconds later, as when it got stuck on its way.

    DELETE ends all faults that are still to come, and is answered with how often each kind came.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._pending: list[dict[str, Any]] = []
        self._came: Counter[str] = Counter()
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry out a request, or let it go wrong."""
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._change(scope["method"], receive, send)
        elif fault := self._take(scope):
            self._came[fault] += 1
            await self._go_wrong(fault, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _change(self, method: str, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if method == "DELETE":
            self._pending.clear()
        else:
            self._pending.append(json.loads(body))
        await _answer(send, 200, json.dumps(self._came))

    def _take(self, scope: Scope) -> str | None:
        """The fault that is meant for a request, if there is one."""
        if not self._pending or scope["type"] != "http":
            return None
        headers = dict(scope["headers"])
        # Functions sign with a session of their role, and only they do.
        if b"Credential=ASIA" not in headers.get(b"authorization", b""):
            return None
        operation, function = headers.get(b"x-amz-target", b"").decode(), _function_of(scope)
        for plan in self._pending:
            if plan["operation"] in (None, operation) and plan["function"] in (None, function):
                plan["times"] -= 1
                if not plan["times"]:
                    self._pending.remove(plan)
                return str(plan["fault"])
        return None

    async def _go_wrong(self, fault: str, scope: Scope, receive: Receive, send: Send) -> None:
        kind, _, moment = fault.partition(" ")
        # Read at once: a function that dies takes what it has not sent with it.
        body = await _body(receive)
        if moment == "after":
            await self._app(scope, _giving(body), _to_nobody)
        elif moment == "late":
            task = asyncio.create_task(self._carry_out_late(scope, body))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        if kind in ("crash", "freeze"):
            _signal_caller(scope, signal.SIGKILL if kind == "crash" else signal.SIGSTOP)
        if kind == "conflict":
            await _conflict(send, len(json.loads(body)["TransactItems"]))
        elif kind in ("throttle", "error"):
            await _refuse(scope, send, kind)
        else:
            await receive()  # Until the function is gone, or has given up.

    async def _carry_out_late(self, scope: Scope, body: bytes) -> None:
        await asyncio.sleep(LATE_SECONDS)
        await self._app(scope, _giving(body), _to_nobody)


def _access_key(scope: Scope) -> str:
    """Of the session that the call is signed with: each process of a function has its own."""
    authorization: str = dict(scope["headers"])[b"authorization"].decode()
    return authorization.partition("Credential=")[2].partition("/")[0]


def _function_of(scope: Scope) -> str:
    """The name of the function whose call this is."""
    from ministack.services import sts

    name: str = sts._sessions[_access_key(scope)]["Arn"].rpartition("/")[2]
    return name


def _signal_caller(scope: Scope, number: signal.Signals) -> None:
    """Send a signal to the process whose call this is."""
    from ministack.core import lambda_runtime

    from toolkit.local_aws.gaps.python_runtime import access_key_at

    key = _access_key(scope)
    for workers in list(lambda_runtime._workers.values()):
        for worker in workers:
            server, process = worker._server, worker._proc
            if server and process and access_key_at(server.server_address[1]) == key:
                process.send_signal(number)


async def _refuse(scope: Scope, send: Send, kind: str) -> None:
    """Answer as AWS does, in the protocol of the request."""
    is_json = b"x-amz-target" in dict(scope["headers"])
    if kind == "throttle":
        status, code, message = 400, "ThrottlingException", "Rate exceeded"
    else:
        status, code = 500, "InternalServerError" if is_json else "InternalError"
        message = "Try again later"
    if is_json:
        await _answer(send, status, json.dumps({"__type": code, "message": message}))
    else:
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        await _answer(send, status, f"<ErrorResponse>{error}</ErrorResponse>")


async def _conflict(send: Send, items: int) -> None:
    """Cancel a transaction of so many items."""
    text = "Transaction is ongoing for the item"
    reasons = [{"Code": "None"}] * (items - 1) + [{"Code": "TransactionConflict", "Message": text}]
    kind = "TransactionCanceledException"
    answer = {"__type": kind, "message": kind, "CancellationReasons": reasons}
    await _answer(send, 400, json.dumps(answer))


async def _to_nobody(message: MutableMapping[str, Any]) -> None: ...


def _giving(body: bytes) -> Receive:
    """Hands a body over that was read already."""

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body"):
            return body


async def _answer(send: Send, status: int, body: str) -> None:
    headers = [(b"content-type", b"application/x-amz-json-1.0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
