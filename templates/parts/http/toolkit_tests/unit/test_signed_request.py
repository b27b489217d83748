"""Requests to the API, as they leave."""

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session

from toolkit.signed_request import call


@pytest.mark.parametrize("session", [None, boto3.Session("key", "secret", region_name="eu-west-1")])
def test_the_length_of_a_body_is_that_of_its_bytes(
    monkeypatch: pytest.MonkeyPatch, session: boto3.session.Session | None
) -> None:
    sent: list[AWSPreparedRequest] = []

    def send(_: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), None)

    monkeypatch.setattr(URLLib3Session, "send", send)
    monkeypatch.setattr(AWSResponse, "text", "")

    call("POST", "https://example.com/orders", '{"name": "Kölsch"}', session=session)

    [request] = sent
    assert request.body == '{"name": "Kölsch"}'.encode()
    assert request.headers["Content-Length"] == str(len(request.body)) == "19"
