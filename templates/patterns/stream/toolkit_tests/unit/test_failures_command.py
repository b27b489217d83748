"""The failures in the bucket are listed with their cause, put back on the stream, or deleted."""

import base64
import io
import json
from typing import Any

import boto3
import pytest

from toolkit.commands import failures

RECORD = {
    "kinesis": {
        "partitionKey": "shop",
        "sequenceNumber": "7",
        "data": base64.b64encode(b"\xffdata").decode(),
    }
}
REFUSED = {"cause": "bad", "record": RECORD}
GIVEN_UP = {
    "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3},
    "KinesisBatchInfo": {"startSequenceNumber": "7"},
    "payload": json.dumps({"Records": [RECORD, RECORD]}),
}


class S3:
    """A bucket."""

    def __init__(self, **objects: Any) -> None:
        self.objects = objects

    def get_paginator(self, _: str) -> "S3":
        return self

    def paginate(self, **_: str) -> list[Any]:
        return [{"Contents": [{"Key": key} for key in self.objects]}] if self.objects else [{}]

    def get_object(self, Key: str, **_: str) -> Any:  # noqa: N803
        return {"Body": io.BytesIO(json.dumps(self.objects[Key]).encode())}

    def delete_object(self, Key: str, **_: str) -> None:  # noqa: N803
        del self.objects[Key]


class Kinesis:
    """A stream that takes records, or breaks."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.breaks = False

    def put_records(self, Records: list[Any], **_: str) -> Any:  # noqa: N803
        if self.breaks:
            raise ConnectionError
        self.records += Records
        return {"Records": [{}] * len(Records)}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    s3, kinesis = S3(refused=REFUSED, given_up=GIVEN_UP), Kinesis()
    names = {"FailuresBucket": "bucket", "StreamName": "stream"}
    monkeypatch.setattr(failures, "outputs_of", lambda _: names)
    monkeypatch.setattr(failures, "region_of", lambda _: "eu-west-1")
    clients = {"s3": s3, "kinesis": kinesis}
    monkeypatch.setattr(boto3, "client", lambda service, **_: clients[service])

    def run(*arguments: str) -> tuple[S3, Kinesis]:
        monkeypatch.setattr("sys.argv", ["failures", *arguments])
        failures.main()
        return s3, kinesis

    return run


def test_list_shows_each_record_with_its_cause(run: Any, capsys: Any) -> None:
    s3, _ = run("list")

    shown = capsys.readouterr().out
    assert "refused\n  cause: bad\n  7: �data" in shown
    assert "RetryAttemptsExhausted after 3 invocations: search the function's log for 7" in shown
    assert shown.endswith("3 in bucket\n")
    assert len(s3.objects) == 2


def test_replay_puts_all_back_under_their_keys_and_empties_the_bucket(run: Any) -> None:
    s3, kinesis = run("replay")

    assert kinesis.records == [{"PartitionKey": "shop", "Data": b"\xffdata"}] * 3
    assert s3.objects == {}


def test_replay_of_one_key_leaves_the_others(run: Any) -> None:
    s3, kinesis = run("replay", "--key", "refused")

    assert len(kinesis.records) == 1
    assert s3.objects.keys() == {"given_up"}


def test_what_is_not_on_the_stream_stays_in_the_bucket() -> None:
    s3, kinesis = S3(refused=REFUSED), Kinesis()
    kinesis.breaks = True

    with pytest.raises(ConnectionError):
        failures.replay(s3, kinesis, "bucket", "stream")  # type: ignore[arg-type]

    assert s3.objects.keys() == {"refused"}


def test_discard_deletes_one_object(run: Any) -> None:
    s3, _ = run("discard", "--key", "refused")

    assert s3.objects.keys() == {"given_up"}


def test_key_that_is_not_there_is_named(run: Any) -> None:
    with pytest.raises(SystemExit, match="other is not in bucket: `make failures` lists"):
        run("replay", "--key", "other")


def test_discard_needs_a_key(run: Any, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        run("discard")
    assert "make discard-failure KEY=key" in capsys.readouterr().err
