"""Calls an API that wants requests signed with AWS credentials (SigV4)."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

# As botocore's own clients do: or TCP holds a body back for 40 ms, until the headers have arrived.
_AT_ONCE = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    headers: Mapping[str, str]  # Their names ignore case.
    body: str

    @property
    def content_type(self) -> str:
        """What the body is."""
        return self.headers.get("Content-Type", "")

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


def call(
    method: str,
    url: str,
    body: str | bytes | None = None,
    *,
    headers: dict[str, str] | None = None,
    session: boto3.session.Session | None = None,
    verify: str | bool = True,
) -> Answer:
    """Send one request, signed by the session's credentials; without a session, unsigned."""
    all_headers = {"Content-Type": "application/json", **(headers or {})}
    # In bytes, since botocore counts the characters of a text for Content-Length.
    data = body.encode() if isinstance(body, str) else body
    if session:
        all_headers = signed(session, method, url, all_headers, data)
    request = AWSRequest(method, url, headers=all_headers, data=data)
    http: Any = URLLib3Session  # `verify` may be a path as well, which its types do not know.
    connection = http(verify=verify, timeout=30, socket_options=_AT_ONCE)
    response = connection.send(request.prepare())
    return Answer(response.status_code, response.headers, response.text)


def signed(
    session: boto3.session.Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: str | bytes | None,
) -> dict[str, str]:
    """A request's headers, with those that sign it."""
    credentials = session.get_credentials()
    assert credentials, "there are no AWS credentials to sign with"
    request = AWSRequest(method, url, headers=headers, data=body)
    SigV4Auth(credentials, "execute-api", session.region_name).add_auth(request)
    return dict(request.headers.items())
