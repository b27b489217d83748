"""Gap: of a Kinesis event source, ministack knows the batch size only; a split shard is gone.

Closed: retries, bisecting, partial batch responses, the maximum age and on-failure destinations are
as in stream_batches.py, but without waits between retries. Shards that were split or merged can
still be read, and their children wait until they are.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from ministack.core.arn import parse_arn
from ministack.core.responses import _request_account_id, _request_region
from ministack.services import kinesis, lambda_svc, s3, sqs

from toolkit.local_aws import stream_batches
from toolkit.local_aws.stream_batches import Batch, Next, Settings

RESHARDING = ("_split_shard", "_merge_shards", "_update_shard_count")


@dataclass
class Reader:
    """How far a mapping has read one shard, and what it has read and not done."""

    position: int
    batches: deque[Batch] = field(default_factory=deque)


# By mapping and shard.
readers: dict[tuple[str, str], Reader] = {}
# Shards that were split or merged, by stream.
closed: dict[str, dict[str, dict[str, Any]]] = {}


def is_needed() -> bool:
    names = lambda_svc._poll_kinesis.__code__.co_names
    return not {"_send_kinesis_failure_record", "MaximumRetryAttempts"} & set(names)


def close() -> None:
    lambda_svc._poll_kinesis = poll
    for name in RESHARDING:
        setattr(kinesis, name, keeping_parents(getattr(kinesis, name)))


def keeping_parents(reshard: Any) -> Any:
    def resharded(request: dict[str, Any]) -> Any:
        name, stream = kinesis._resolve_stream(request)
        before = dict(stream["shards"]) if stream else {}
        answer = reshard(request)
        if stream:
            gone = {key: shard for key, shard in before.items() if key not in stream["shards"]}
            if name and reshard.__name__ == "_update_shard_count" and stream["shards"] != before:
                renumber(stream, before)
                gone = before
            closed.setdefault(stream["StreamARN"], {}).update(gone)
        return answer

    return resharded


def renumber(stream: dict[str, Any], before: dict[str, Any]) -> None:
    """New shards have new ids, and each comes after the old ones that had some of its keys."""
    first = max(int(key.partition("-")[2]) for key in before) + 1
    made = list(stream["shards"].values())
    stream["shards"] = {f"shardId-{first + n:012d}": shard for n, shard in enumerate(made)}


def poll() -> bool:
    """Let each mapping take one step in each shard; whether any did."""
    worked = False
    for account, region, mapping in lambda_svc._iter_all_esms():
        tokens = _request_account_id.set(account), _request_region.set(region)
        try:
            if mapping.get("Enabled", True) and ":kinesis:" in mapping.get("EventSourceArn", ""):
                worked = poll_stream(mapping) or worked
        finally:
            _request_account_id.reset(tokens[0])
            _request_region.reset(tokens[1])
    return worked


def poll_stream(mapping: dict[str, Any]) -> bool:
    source = mapping["EventSourceArn"]
    stream = kinesis._streams.get(source.rpartition("/")[2])
    function, _ = lambda_svc._get_func_record_for_qualifier(
        mapping["FunctionName"], mapping.get("Qualifier")
    )
    if function is None or not stream or stream["StreamARN"] != source:
        return False
    worked = False
    for shard_id, shard in ready_shards(mapping, stream):
        worked = step(mapping, function, shard_id, shard) or worked
    return worked


def ready_shards(
    mapping: dict[str, Any], stream: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The shards whose parents are done: order by key holds across a split or merge."""
    shards = {**closed.get(stream["StreamARN"], {}), **stream["shards"]}
    undone: list[dict[str, Any]] = []
    for shard_id in sorted(shards):
        shard = shards[shard_id]
        reader = reader_of(mapping, shard_id, shard)
        if not any(overlap(shard, parent) for parent in undone):
            yield shard_id, shard
        if reader.batches or reader.position < len(shard["records"]):
            undone.append(shard)


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return int(one["starting_hash_key"]) <= int(other["ending_hash_key"]) and int(
        other["starting_hash_key"]
    ) <= int(one["ending_hash_key"])


def reader_of(mapping: dict[str, Any], shard_id: str, shard: dict[str, Any]) -> Reader:
    key = (mapping["UUID"], shard_id)
    if key not in readers:
        is_first = not any(uuid == mapping["UUID"] for uuid, _ in readers)
        starting = mapping.get("StartingPosition", "LATEST")
        position = 0
        if starting == "AT_TIMESTAMP":
            since = float(mapping.get("StartingPositionTimestamp") or 0)
            arrived = [record["ApproximateArrivalTimestamp"] for record in shard["records"]]
            position = sum(at < since for at in arrived)
        elif starting == "LATEST" and is_first:
            position = len(shard["records"])
        readers[key] = Reader(position)
    return readers[key]


def step(mapping: dict[str, Any], function: Any, shard_id: str, shard: dict[str, Any]) -> bool:
    """Invoke the function with the next batch of a shard; whether there was one."""
    reader, settings = reader_of(mapping, shard_id, shard), Settings.of(mapping)
    if not reader.batches:
        size = int(mapping.get("BatchSize", 100))
        taken = shard["records"][reader.position : reader.position + size]
        if not taken:
            return False
        reader.position += len(taken)
        reader.batches.append(Batch([as_event(mapping, shard_id, record) for record in taken]))
    batch = reader.batches.popleft()
    following = stream_batches.too_old(batch, settings, time.time())
    if following is None:
        result = lambda_svc._execute_function(function, {"Records": list(batch.records)})
        body = result.get("body")
        response = json.loads(body) if isinstance(body, str) and body else body
        following = stream_batches.after(batch, settings, result.get("error"), response)
    reader.batches.extendleft(reversed(following.batches))
    if following.given_up:
        send_failure(mapping, function, shard_id, following.given_up, following)
    return True


def as_event(mapping: dict[str, Any], shard_id: str, record: dict[str, Any]) -> dict[str, Any]:
    source = mapping["EventSourceArn"]
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": record["Data"],
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{source.split(':')[4]}:role/lambda-role",
        "awsRegion": source.split(":")[3],
        "eventSourceARN": source,
    }


def send_failure(
    mapping: dict[str, Any], function: Any, shard_id: str, batch: Batch, what: Next
) -> None:
    """To S3 goes the whole event, to SQS the metadata only."""
    target = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if not target:
        return
    config, now = function.get("config") or function, time.time()
    document = stream_batches.invocation_record(
        batch, what, config["FunctionArn"], config["Version"], now, str(uuid4())
    )
    service = parse_arn(target).service
    if service == "s3":
        event = json.dumps({"Records": list(batch.records)})
        body = json.dumps({**document, "payload": event}).encode()
        key = stream_batches.object_key(mapping["UUID"], shard_id, now, str(uuid4()))
        headers = {"content-type": "application/json", "host": "s3.localhost"}
        path = f"/{target.rpartition(':')[2]}/{key}"
        asyncio.run(s3.handle_request("PUT", path, headers, body, {}, internal=True))
    elif service == "sqs":
        queue = sqs._queue_by_arn(target)
        request = {"QueueUrl": queue["url"], "MessageBody": json.dumps(document)}
        sqs._act_send_message(request, queue["url"])
