"""Prints how many messages and requests a second go through a stack and its twin on the local AWS.

Both stacks run on one local AWS and take turns. How a source is fed follows from its kind in
template.yaml and from the function's sample event.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toolkit.local_aws.stack import LocalAws, Stack, deploy, local_aws
from toolkit.template import Resource, functions, resources

from .identity import new_run, renamed
from .rest import Api, NotMeasuredError
from .stacks import Event, hush, physical_id, samples

TWIN, ROUNDS, MESSAGES, REQUESTS = Path(sys.argv[1]), *map(int, sys.argv[2:5])
CHOSEN = sys.argv[5:]
LONGEST_SECONDS = 60


def main() -> None:
    """Deploy both, and measure each source of each chosen function."""
    found = []
    with local_aws() as aws:
        stacks = deploy(aws), deploy_twin(aws)
        for stack in stacks:
            hush(stack)
        for name in CHOSEN:
            sources = functions()[name].get("Events", {}).values() or [{"Type": ""}]
            event = samples()[name]
            found += [
                {"function": name, "kind": source["Type"], **measured(stacks, source, event)} for source in sources
            ]
    print(json.dumps(found))


def deploy_twin(aws: LocalAws) -> Stack:
    """Deploy the twin with its own code, onto the same local AWS."""
    code = (
        "from pathlib import Path\n"
        "from toolkit.local_aws.stack import LocalAws, deploy\n"
        f"print(deploy(LocalAws({aws.endpoint!r}, {aws.ca!r}, {aws.region!r}, Path({str(aws.log)!r}))).name)"
    )
    environment = os.environ | {"PYTHONPATH": str(TWIN)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TWIN, env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    return Stack(aws, done.stdout.split()[-1])


def measured(stacks: tuple[Stack, Stack], source: Resource, event: Event) -> dict[str, Any]:
    """Rates of the stack and its twin in turn, or why there are none."""
    measures: dict[str, Callable[[Stack, Resource, Event], float]] = {
        "Api": requests_per_second,
        "SQS": messages_per_second,
    }
    kind = source["Type"]
    if not kind:
        called = "only the workflow" if resources("AWS::Serverless::StateMachine") else "nothing in template.yaml"
        return {"reason": f"{called} calls it, and how fast that is, is not ours"}
    if kind not in measures:
        return {"reason": f"how to feed a source of kind {kind} is not known"}
    try:
        # The first round starts the functions' processes.
        rounds = [[measures[kind](stack, source["Properties"], event) for stack in stacks] for _ in range(ROUNDS + 1)]
    except Exception as error:  # Whatever it is, it shall not lose the figures of other functions.
        return {"reason": str(error) or type(error).__name__}
    here, bare = zip(*rounds[1:], strict=True)
    return {"here": here, "bare": bare}


def requests_per_second(stack: Stack, _: Resource, sample: Event) -> float:
    """Signed requests on one connection, each after the answer to the one before."""
    api = Api(stack, samples().values())
    if sample["httpMethod"] == "GET":  # It can be sent again.
        events = [api.ready(sample, new_run())] * REQUESTS
    else:
        events = [api.ready(sample, new_run()) for _ in range(REQUESTS)]
    start = time.perf_counter()
    for event in events:
        api.send(event)
    return REQUESTS / (time.perf_counter() - start)


def messages_per_second(stack: Stack, source: Resource, sample: Event) -> float:
    """From when Lambda begins to take messages from a full queue until the queue is empty."""
    sqs, awslambda = stack.aws.client("sqs"), stack.aws.client("lambda")
    url = physical_id(stack, source["Queue"]["Fn::GetAtt"].partition(".")[0])
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    sqs.purge_queue(QueueUrl=url)
    [record] = sample["Records"]
    for start in range(0, MESSAGES, 10):
        entries = [message(str(place), record) for place in range(min(10, MESSAGES - start))]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    mappings = awslambda.list_event_source_mappings(EventSourceArn=attributes["QueueArn"])
    [mapping] = mappings["EventSourceMappings"]
    dead = dead_letters(sqs, attributes)
    awslambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    started = time.perf_counter()
    try:
        while waiting(sqs, url):
            if time.perf_counter() - started > LONGEST_SECONDS:
                raise NotMeasuredError(f"after {LONGEST_SECONDS} s there were messages left")
            time.sleep(0.05)
        took = time.perf_counter() - started
    finally:
        awslambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    if dead_letters(sqs, attributes) > dead:
        raise NotMeasuredError("its sample event went to the dead-letter queue")
    return MESSAGES / took


def message(place: str, record: Resource) -> Resource:
    """The sample record as a message that was not sent before."""
    attributes = {
        name: {"DataType": value["dataType"], "StringValue": value["stringValue"]}
        for name, value in record.get("messageAttributes", {}).items()
    }
    return {"Id": place, "MessageBody": renamed(record["body"], new_run()), "MessageAttributes": attributes}


def waiting(sqs: Any, url: str) -> int:
    """Messages in a queue, those at work included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def dead_letters(sqs: Any, attributes: dict[str, str]) -> int:
    """Messages in the dead-letter queue of a queue, which has one in every pattern."""
    name = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
    return waiting(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"])


main()
