"""Requests to the REST API of a stack on the local AWS."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from toolkit.local_aws.stack import Stack

from .identity import new_run, renamed

Event = dict[str, Any]
# As many as a page of a list usually has.
IN_A_LIST = 10


class NotMeasuredError(Exception):
    """The message says why."""


class Api:
    """Sends events as the signed requests that they came from, on one connection."""

    def __init__(self, stack: Stack, samples: Iterable[Event]) -> None:
        self._session = stack.aws.session
        self._caller = stack.aws.client("sts").get_caller_identity()["Arn"]
        self._url = stack.aws.api_url(stack.outputs["ApiId"])
        # As botocore's own clients do: or TCP holds a body back for 40 ms, until the headers have arrived.
        at_once = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        self._http = URLLib3Session(verify=stack.aws.ca, timeout=30, socket_options=at_once)
        self._posts = {sample["path"]: sample for sample in samples if sample.get("httpMethod") == "POST"}

    def ready(self, sample: Event, run: str) -> Event:
        """A request like the sample that is accepted: with its own identities, about a thing that is there.

        A thing was made by a POST to the collection that it is in, whose answer says in `Location` where it is. It
        belongs to whom the POST was from, so this request is from the same caller.
        """
        context = sample["requestContext"]
        from_caller = context | {"identity": context.get("identity", {}) | {"userArn": self._caller}}
        event: Event = renamed({**sample, "pathParameters": None, "requestContext": from_caller}, run)
        if event["httpMethod"] == "POST":
            return event
        parameters = sample.get("pathParameters")
        collection = event["path"].rpartition("/")[0] if parameters else event["path"]
        if post := self._posts.get(collection):
            for _ in range(1 if parameters else IN_A_LIST):
                made = self.send(renamed(post, new_run())).headers.get("Location", "").rpartition("/")[2]
            if parameters:
                return event | {"path": f"{collection}/{made}", "pathParameters": dict.fromkeys(parameters, made)}
        return event | {"pathParameters": parameters}

    def send(self, event: Event) -> AWSResponse:
        """The answer to a request.

        Raises:
            NotMeasuredError: the request was not accepted.
        """
        query = urlencode(event.get("queryStringParameters") or {})
        request = AWSRequest(
            event["httpMethod"],
            self._url + event["path"] + (f"?{query}" if query else ""),
            headers={**(event.get("headers") or {}), "Connection": "keep-alive"},
            data=event.get("body"),
        )
        SigV4Auth(self._session.get_credentials(), "execute-api", self._session.region_name).add_auth(request)
        answer = self._http.send(request.prepare())
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise NotMeasuredError(f"{event['httpMethod']} {event['path']} is answered {answer.status_code}")
        return answer
