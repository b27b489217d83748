"""How a stream, the functions that read it and its archive are wired, in every environment."""

import json
from typing import Any

import pytest

from toolkit.checks.cloudwatch import Metrics
from toolkit.checks.invocations import count, invoke, invoke_with
from toolkit.stacks import PROJECT
from toolkit.template import (
    ENVIRONMENTS,
    alarms_on,
    functions,
    named,
    resolve,
    resources,
    statements_of,
    the_one,
)

HOUR, DAY = 3_600, 86_400
STREAMS = resources("AWS::Kinesis::Stream")
BUCKETS = resources("AWS::S3::Bucket")
READERS = {
    name: mapping["Properties"]
    for name, mapping in resources("AWS::Lambda::EventSourceMapping").items()
    if named(mapping["Properties"]["EventSourceArn"]) & STREAMS.keys()
}
DELIVERIES = {
    name: delivery["Properties"]
    for name, delivery in resources("AWS::KinesisFirehose::DeliveryStream").items()
}
# Nobody may look at an alarm before the weekend is over.
REACTION_SECONDS = 66 * HOUR
# What has to be there, and why.
NEEDED = {
    "StartingPosition": "or records that come while the mapping is made are skipped",
    "BatchSize": "the trade-off between cost and delay",
    "MaximumBatchingWindowInSeconds": "the trade-off between cost and delay",
    "ParallelizationFactor": "more than 1 lets a batch overtake a failed one of its shard",
    "MaximumRetryAttempts": "or a bad record blocks its shard until it expires",
    "MaximumRecordAgeInSeconds": "or a bad record blocks its shard until it expires",
    "BisectBatchOnFunctionError": "or good records fail with a bad one",
    "FunctionResponseTypes": "or what was done is done again",
    "DestinationConfig": "or what fails is lost",
    "MetricsConfig": "or nobody hears of it",
}
every_environment = pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
every_reader = pytest.mark.parametrize("name", READERS)


def number(value: Any, environment: str) -> int:
    return int(resolve(value, environment))


def retention(reader: str, environment: str) -> int:
    """Seconds for which the records of a mapping's stream can be read."""
    [stream] = named(READERS[reader]["EventSourceArn"])
    return number(STREAMS[stream]["Properties"]["RetentionPeriodHours"], environment) * HOUR


def failures_of(reader: str) -> str:
    [bucket] = named(READERS[reader]["DestinationConfig"]["OnFailure"]["Destination"])
    return bucket


def kept_days(bucket: str) -> int:
    rules = BUCKETS[bucket]["Properties"]["LifecycleConfiguration"]["Rules"]
    return int(the_one((r["ExpirationInDays"] for r in rules if "ExpirationInDays" in r), bucket))


def function_of(reader: str) -> str:
    return str(READERS[reader]["FunctionName"]["Ref"].removesuffix(".Alias"))


def variables_of(reader: str) -> dict[str, Any]:
    found: dict[str, Any] = functions()[function_of(reader)]["Environment"]["Variables"]
    return found


def test_there_is_a_stream_and_what_reads_it() -> None:
    assert STREAMS
    assert READERS


@every_reader
@pytest.mark.parametrize("needed", NEEDED)
def test_event_source_says_what_happens_when_records_fail(name: str, needed: str) -> None:
    assert needed in READERS[name], f"add {needed} to {name}: {NEEDED[needed]}"


@every_reader
@every_environment
def test_nothing_about_failed_records_is_endless(name: str, environment: str) -> None:
    """Lambda's defaults are: services-kinesis-parameters.html."""
    reader = READERS[name]

    assert reader["StartingPosition"] == "TRIM_HORIZON"
    assert reader["ParallelizationFactor"] == 1
    assert reader["BisectBatchOnFunctionError"] is True
    assert reader["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert reader["MetricsConfig"] == {"Metrics": ["EventCount"]}
    assert failures_of(name) in BUCKETS, "only a bucket keeps the records themselves"
    assert 1 <= number(reader["MaximumRetryAttempts"], environment) <= 100
    assert 60 <= number(reader["MaximumRecordAgeInSeconds"], environment) <= 604_800


@every_reader
@every_environment
def test_records_outlive_the_reaction_to_an_alarm(name: str, environment: str) -> None:
    assert retention(name, environment) > REACTION_SECONDS
    assert number(READERS[name]["MaximumRecordAgeInSeconds"], environment) < retention(
        name, environment
    )


@every_reader
@every_environment
def test_alarm_on_iterator_age_fires_long_before_records_are_given_up(
    name: str, environment: str
) -> None:
    function = function_of(name)
    alarm = the_one(
        alarms_on("AWS/Lambda IteratorAge", functions()[function]["FunctionName"]).values(),
        f"an alarm on IteratorAge of {function}, and its page in docs/runbook.md",
    )
    fires_after = number(alarm["Threshold"], environment) / 1_000

    assert fires_after < retention(name, environment) / 4
    assert fires_after < number(READERS[name]["MaximumRecordAgeInSeconds"], environment) / 4


@every_reader
@every_environment
def test_failed_record_can_still_be_counted_when_it_is_replayed(
    name: str, environment: str
) -> None:
    """It was in the stream, then in the bucket, and is in the stream again."""
    longest = 2 * retention(name, environment) + kept_days(failures_of(name)) * DAY

    assert number(variables_of(name)["OLDEST_EVENT_SECONDS"], environment) > longest


@every_reader
@every_environment
def test_event_id_is_remembered_longer_than_the_event_can_come_again(
    name: str, environment: str
) -> None:
    """An event whose record has expired is too old to be accepted, so it cannot count twice."""
    variables = variables_of(name)
    oldest = number(variables["OLDEST_EVENT_SECONDS"], environment)
    ahead = number(variables["CLOCK_SKEW_SECONDS"], environment)
    remembered = number(variables["IDEMPOTENCY_DAYS"], environment) * DAY

    assert remembered > oldest + ahead + retention(name, environment)


@every_reader
def test_records_that_nobody_reads_send_one_mail(name: str) -> None:
    """A function that is not called has no IteratorAge."""
    [stream] = named(READERS[name]["EventSourceArn"])
    incoming = {"StreamName": str(resolve({"Ref": stream}, "prod"))}
    function = str(resolve(functions()[function_of(name)]["FunctionName"], "prod"))
    metrics = Metrics()
    for second in range(0, HOUR, 60):
        metrics.put("AWS/Kinesis", "IncomingRecords", incoming, second, 1)
    unread = metrics.firing("prod", HOUR)
    for second in range(0, HOUR, 300):
        metrics.put("AWS/Lambda", "Invocations", {"FunctionName": function}, second, 1)

    assert len(unread) == 1
    assert metrics.firing("prod", HOUR) == set()


def dimensions(mapping: str) -> dict[str, str]:
    return {"EventSourceMappingUUID": str(resolve({"Ref": mapping}, "prod"))}


@every_reader
@pytest.mark.parametrize("metric", ["OnFailureDestinationDeliveredEventCount", "DroppedEventCount"])
def test_batch_that_lambda_gives_up_sends_one_mail(name: str, metric: str) -> None:
    metrics = Metrics()
    metrics.put("AWS/Lambda", metric, dimensions(name), 0, 1)

    assert len(metrics.firing("prod", 60)) == 1


@every_reader
def test_record_that_the_function_refuses_sends_one_mail(name: str) -> None:
    """The sample event as no text: it is kept, and nothing else is wrong."""
    function = function_of(name)
    handler = functions()[function]["Handler"]
    text = (PROJECT / "events" / f"{handler.split('.')[-2]}.json").read_text("utf-8")
    event = json.loads(text)
    event["Records"][0]["kinesis"]["data"] = "/w=="
    refused = invoke_with(function, json.dumps(event), "prod", "2", fails=False)
    metrics = Metrics()
    count(metrics, resolve(functions()[function]["FunctionName"], "prod"), "2", refused, 0, 1)

    assert refused.error == ""
    canaries = {alarm["Ref"] for alarm in functions()[function]["DeploymentPreference"]["Alarms"]}
    assert len(metrics.firing("prod", 60) - canaries) == 1


@every_reader
def test_failures_go_to_buckets_of_this_account_only(name: str) -> None:
    """Or they go to whoever takes the name of a bucket that was deleted."""
    [role] = named(functions()[function_of(name)]["Role"])
    objects = {"Fn::Sub": f"${{ "{{" }}{failures_of(name)}.Arn}}/*"}
    [writes] = [one for one in statements_of(role) if one["Resource"] == objects]

    assert writes["Action"] == "s3:PutObject"
    assert writes["Condition"] == {
        "StringEquals": {"s3:ResourceAccount": {"Ref": "AWS::AccountId"}}
    }


@every_reader
def test_second_alarm_fires_before_failures_are_deleted(name: str) -> None:
    bucket = failures_of(name)
    where = {"BucketName": str(resolve({"Ref": bucket}, "prod")), "StorageType": "AllStorageTypes"}
    alarms = {}
    for days in (2, kept_days(bucket) - 14):
        metrics = Metrics()
        for day in range(days):
            metrics.put("AWS/S3", "NumberOfObjects", where, day * DAY, 1)
        alarms[days] = len(metrics.firing("prod", days * DAY))

    assert list(alarms.values()) == [0, 1]


@every_reader
def test_sample_event_is_counted_without_an_alarm(name: str) -> None:
    function = function_of(name)
    metrics = Metrics()
    done = invoke(function, "prod", "2", fails=False)
    count(metrics, resolve(functions()[function]["FunctionName"], "prod"), "2", done, 0, 1)

    assert done.error == ""
    assert metrics.firing("prod", 60) == set()


@pytest.mark.parametrize("name", STREAMS)
def test_stream_is_encrypted_and_refused_records_raise_an_alarm(name: str) -> None:
    encryption = STREAMS[name]["Properties"]["StreamEncryption"]

    assert encryption == {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    assert alarms_on("AWS/Kinesis WriteProvisionedThroughputExceeded", {"Ref": name})


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_is_encrypted_private_and_reached_over_tls(name: str) -> None:
    bucket = BUCKETS[name]["Properties"]
    policy = the_one(
        (
            policy["Properties"]["PolicyDocument"]
            for policy in resources("AWS::S3::BucketPolicy").values()
            if policy["Properties"]["Bucket"] == {"Ref": name}
        ),
        f"an AWS::S3::BucketPolicy of {name}",
    )
    [statement] = policy["Statement"]

    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == "s3:*"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [
        {"Fn::GetAtt": f"{name}.Arn"},
        {"Fn::Sub": f"${{ "{{" }}{name}.Arn}}/*"},
    ]


@pytest.mark.parametrize("name", DELIVERIES)
def test_archive_has_dates_lines_and_an_end_for_errors(name: str) -> None:
    target = DELIVERIES[name]["ExtendedS3DestinationConfiguration"]
    [processor] = target["ProcessingConfiguration"]["Processors"]

    assert DELIVERIES[name]["DeliveryStreamType"] == "KinesisStreamAsSource"
    assert "!{timestamp:yyyy-MM-dd}" in target["Prefix"]
    assert "!{firehose:error-output-type}" in target["ErrorOutputPrefix"]
    assert target["CompressionFormat"] == "GZIP"
    assert processor["Type"] == "AppendDelimiterToRecord"
    assert target["CloudWatchLoggingOptions"]["Enabled"] is True
    alarm = the_one(
        alarms_on("AWS/Firehose DeliveryToS3.DataFreshness", {"Ref": name}).values(),
        f"an alarm on DeliveryToS3.DataFreshness of {name}",
    )
    assert alarm["Threshold"] >= 2 * target["BufferingHints"]["IntervalInSeconds"]


@pytest.mark.parametrize("name", DELIVERIES)
def test_delivery_may_read_its_stream_and_write_to_its_bucket_only(name: str) -> None:
    """docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3"""
    target = DELIVERIES[name]["ExtendedS3DestinationConfiguration"]
    [role] = named(target["RoleARN"])
    [stream] = named(DELIVERIES[name]["KinesisStreamSourceConfiguration"]["KinesisStreamARN"])
    [bucket] = named(target["BucketARN"])
    granted = {
        (action, str(statement["Resource"]))
        for statement in statements_of(role)
        for action in statement["Action"]
        if not isinstance(statement["Action"], str)
    }
    objects = str({"Fn::Sub": f"${{ "{{" }}{bucket}.Arn}}/*"})

    assert granted == {
        *(
            (f"kinesis:{action}", str({"Fn::GetAtt": f"{stream}.Arn"}))
            for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListShards")
        ),
        *(
            (f"s3:{action}", str({"Fn::GetAtt": f"{bucket}.Arn"}))
            for action in ("GetBucketLocation", "ListBucket", "ListBucketMultipartUploads")
        ),
        *(
            (f"s3:{action}", objects)
            for action in ("AbortMultipartUpload", "GetObject", "PutObject")
        ),
    }
    trust = resources("AWS::IAM::Role")[role]["Properties"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Condition"] == {
        "StringEquals": {"sts:ExternalId": {"Ref": "AWS::AccountId"}}
    }
