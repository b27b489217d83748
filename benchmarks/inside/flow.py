"""Prints how many messages and requests a second go through a stack and its twin on the local AWS.

Both stacks run on one local AWS and take turns. How a source is fed follows from its kind in
template.yaml and from the function's sample event.
"""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from identity import IDENTITY
from local_aws.stack import LocalAws, Stack, deploy, local_aws
from scripts.shipped import Resource, functions
from scripts.stacks import PROJECT

TWIN, ROUNDS, MESSAGES, REQUESTS = Path(sys.argv[1]), *map(int, sys.argv[2:5])
LONGEST_SECONDS = 120

Event = dict[str, Any]


class NotMeasuredError(Exception):
    """The message says why."""


def main() -> None:
    """Deploy both, and measure each source of each function."""
    found = []
    with local_aws() as aws:
        stacks = deploy(aws), deploy_twin(aws)
        for stack in stacks:
            pause(stack)
        for name, function in functions().items():
            module = function["Handler"].split(".")[-2]
            event = json.loads((PROJECT / "events" / f"{module}.json").read_text())
            sources = function.get("Events", {}).values()
            sources = sources or [{"Type": "none in the template"}]
            found += [{"function": name, **measured(stacks, source, event)} for source in sources]
    print(json.dumps(found))


def deploy_twin(aws: LocalAws) -> Stack:
    """Deploy the twin with its own code, onto the same local AWS."""
    code = (
        "from local_aws.stack import LocalAws, deploy\n"
        f"print(deploy(LocalAws({aws.endpoint!r}, {aws.ca!r}, {aws.region!r})).name)"
    )
    environment = os.environ | {"PYTHONPATH": str(TWIN)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TWIN, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return Stack(aws, done.stdout.split()[-1])


def measured(stacks: tuple[Stack, Stack], source: Resource, event: Event) -> dict[str, Any]:
    """Rates of the stack and its twin in turn, or why there are none."""
    kind = source["Type"]
    measures: dict[str, Callable[[Stack, Resource, Event], float]] = {
        "Api": requests_per_second,
        "SQS": messages_per_second,
    }
    if kind not in measures:
        return {"kind": kind, "reason": f"how to feed a source of kind {kind} is not known"}
    try:
        # The first round starts the functions' processes.
        rounds = [[measures[kind](stack, source["Properties"], event) for stack in stacks] for _ in range(ROUNDS + 1)]
    except NotMeasuredError as error:
        return {"kind": kind, "reason": str(error)}
    here, bare = zip(*rounds[1:], strict=True)
    return {"kind": kind, "here": here, "bare": bare}


def requests_per_second(stack: Stack, source: Resource, event: Event) -> float:
    """Signed requests on one connection, each after the answer to the one before."""
    url = stack.aws.api_url(physical_id(stack, source["RestApiId"]["Ref"])) + event["path"]
    if query := event.get("queryStringParameters"):
        url += f"?{urlencode(query)}"
    session = stack.aws.session
    http = URLLib3Session(verify=stack.aws.ca, timeout=30)
    start = time.perf_counter()
    for _ in range(REQUESTS):
        headers = {**renamed(event.get("headers") or {}), "Connection": "keep-alive"}
        body = json_renamed(event.get("body"))
        request = AWSRequest(event["httpMethod"], url, headers=headers, data=body)
        credentials = session.get_credentials()
        SigV4Auth(credentials, "execute-api", session.region_name).add_auth(request)
        answer = http.send(request.prepare())
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise NotMeasuredError(f"{event['httpMethod']} {event['path']} is answered {answer.status_code}")
    return REQUESTS / (time.perf_counter() - start)


def messages_per_second(stack: Stack, source: Resource, event: Event) -> float:
    """From when Lambda begins to take messages from a full queue until the queue is empty."""
    sqs, awslambda = stack.aws.client("sqs"), stack.aws.client("lambda")
    url = physical_id(stack, source["Queue"]["Fn::GetAtt"].partition(".")[0])
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    sqs.purge_queue(QueueUrl=url)
    [record] = event["Records"]
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
        raise NotMeasuredError("its sample event was set aside as a dead letter")
    return MESSAGES / took


def message(place: str, record: Resource) -> Resource:
    """The sample record as a message that was not sent before."""
    attributes = {
        name: {"DataType": value["dataType"], "StringValue": value["stringValue"]}
        for name, value in record.get("messageAttributes", {}).items()
    }
    return {"Id": place, "MessageBody": json_renamed(record["body"]), "MessageAttributes": attributes}


def json_renamed(body: str | None) -> str | None:
    """A body with new identities, where it is an object in JSON."""
    try:
        fields = json.loads(body or "")
    except ValueError:
        return body
    return json.dumps(renamed(fields)) if isinstance(fields, dict) else body


def renamed(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with new values where those tell one request from another."""
    return {
        name: new_identity(value) if isinstance(value, str) and IDENTITY.search(name) else value
        for name, value in fields.items()
    }


def new_identity(value: str) -> str:
    """Something like `value` that was not used before."""
    try:
        uuid.UUID(value)
    except ValueError:
        return f"{value}-{uuid.uuid4().hex[:12]}"
    return str(uuid.uuid4())


def waiting(sqs: Any, url: str) -> int:
    """Messages in a queue, those at work included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def dead_letters(sqs: Any, attributes: dict[str, str]) -> int:
    """Messages in the dead-letter queue of a queue, which has one in every pattern."""
    name = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
    return waiting(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"])


def pause(stack: Stack) -> None:
    """Let no function work through a queue while something else is measured."""
    awslambda = stack.aws.client("lambda")
    for mapping in awslambda.list_event_source_mappings()["EventSourceMappings"]:
        awslambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def physical_id(stack: Stack, name: str) -> str:
    """What a resource of the template is called in a stack."""
    found = stack.aws.client("cloudformation").describe_stack_resource(StackName=stack.name, LogicalResourceId=name)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


main()
