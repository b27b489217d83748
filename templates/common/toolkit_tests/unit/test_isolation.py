"""Whatever the caller has set, the local AWS runs the same, and nothing reaches AWS."""

import os
from pathlib import Path

import pytest
from botocore.awsrequest import AWSRequest

from toolkit.isolation import SETTINGS, NotLocalError, isolated
from toolkit.local_aws import stack

CALLERS = {
    "AWS_CONFIG_FILE": "/home/me/broken",
    "AWS_DEFAULT_PROFILE": "corp",
    "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_PROFILE": "corp",
    "AWS_SESSION_TOKEN": "test",
    "HTTPS_PROXY": "http://proxy.example.com:3128",
    "no_proxy": "git.example.com",
    "UV_DEFAULT_INDEX": "https://packages.example.com/simple",
    "SSL_CERT_FILE": "/etc/ssl/company.pem",
}


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    for name, value in CALLERS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws(tmp_path: Path) -> stack.LocalAws:
    return stack.LocalAws(
        "https://localhost:1", str(tmp_path / "ca.pem"), "eu-west-1", tmp_path / "log"
    )


@pytest.mark.usefixtures("callers")
def test_no_aws_setting_of_the_caller_is_seen() -> None:
    before = dict(os.environ)

    with isolated():
        seen = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}

    assert seen == SETTINGS
    assert dict(os.environ) == before


@pytest.mark.usefixtures("callers")
def test_loopback_goes_through_no_proxy() -> None:
    with isolated():
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"]
        assert os.environ["NO_PROXY"] == "git.example.com,localhost,127.0.0.1"


@pytest.mark.usefixtures("callers")
def test_a_client_is_made_whatever_profile_the_caller_has(aws: stack.LocalAws) -> None:
    client = aws.client("sqs")

    assert client.meta.endpoint_url == aws.endpoint


@pytest.mark.usefixtures("callers")
def test_a_request_to_aws_itself_is_refused(aws: stack.LocalAws) -> None:
    request = AWSRequest("GET", "https://sqs.eu-west-1.amazonaws.com/").prepare()

    with pytest.raises(NotLocalError, match=r"sqs\.eu-west-1\.amazonaws\.com"):
        aws.session.events.emit("before-send.sqs.ListQueues", request=request)


@pytest.mark.usefixtures("callers")
def test_sam_installs_through_the_proxy_and_deploys_to_this_machine_only(
    aws: stack.LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam = tmp_path / "sam"
    sam.write_text(f'#!/bin/sh\nenv > "{tmp_path}/$1"\n', "utf-8")
    sam.chmod(0o755)
    monkeypatch.setattr(stack, "SAM", sam)

    stack.deploy(aws)

    build, deploy = (
        dict(line.split("=", 1) for line in (tmp_path / command).read_text("utf-8").splitlines())
        for command in ("build", "deploy")
    )
    for name in ("HTTPS_PROXY", "UV_DEFAULT_INDEX", "SSL_CERT_FILE"):
        assert build[name] == CALLERS[name]
    assert deploy["HTTPS_PROXY"] == "http://127.0.0.1:9"
    for seen in (build, deploy):
        assert seen["NO_PROXY"] == seen["no_proxy"] == "git.example.com,localhost,127.0.0.1"
        assert seen["AWS_CONFIG_FILE"] == seen["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
        assert seen["AWS_ENDPOINT_URL"] == aws.endpoint
        assert not seen.keys() & {"AWS_DEFAULT_PROFILE", "AWS_PROFILE", "AWS_SESSION_TOKEN"}
        assert "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" not in seen
