"""How the receiver, its secret and the worker fit together."""

import pytest

from toolkit.checks.cloudwatch import Metrics
from toolkit.runtime.signatures import SCHEMES, TOLERANCE_SECONDS
from toolkit.signed_delivery import scheme_of_template
from toolkit.template import apis, as_list, functions, lasting_statements_of, resolve, resources

DAY = 86_400
LOGS_AND_TRACES = ("logs:", "xray:")


def test_api_hands_over_the_bytes_of_every_media_type() -> None:
    [api] = apis().values()

    assert api["BinaryMediaTypes"] == ["*~1*"]


def test_signature_is_the_only_authentication() -> None:
    [api] = apis().values()

    assert "Auth" not in api
    assert scheme_of_template() in SCHEMES


def test_secret_has_no_value_in_the_template() -> None:
    [secret] = resources("AWS::SecretsManager::Secret").values()

    assert not {"SecretString", "GenerateSecretString"} & secret["Properties"].keys()


def test_receiver_may_read_its_secret_record_and_queue_and_no_more() -> None:
    allowed = {
        action
        for statement in lasting_statements_of("ReceiveRole")
        for action in as_list(statement["Action"])
        if not action.startswith(LOGS_AND_TRACES)
    }

    assert allowed == {
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage",
    }


@pytest.mark.parametrize(
    ("metric", "fires_at"),
    [("SecretMissing", 1), ("DeliveryConflicts", 1), ("SignaturesWrong", 3)],
)
def test_what_keeps_deliveries_out_raises_an_alarm(metric: str, fires_at: int) -> None:
    variables = functions()["ReceiveFunction"]["Environment"]["Variables"]
    counted = {"service": resolve(variables["POWERTOOLS_SERVICE_NAME"], "prod")}
    namespace = resolve(variables["POWERTOOLS_METRICS_NAMESPACE"], "prod")

    def alarms(times: int) -> int:
        metrics = Metrics()
        if times:
            metrics.put(namespace, metric, counted, 0, 1, times)
        return len(metrics.firing("prod", 60) | metrics.firing("prod", 900))

    assert [alarms(fires_at - 1), alarms(fires_at)] == [0, 1]


def test_delivery_is_known_longer_than_it_can_come_again() -> None:
    """And longer than the worker knows it: it may work on a message at the end of its retention."""
    receive, process = (
        int(functions()[name]["Environment"]["Variables"]["IDEMPOTENCY_DAYS"])
        for name in ("ReceiveFunction", "ProcessFunction")
    )
    retention = resources("AWS::SQS::Queue")["Queue"]["Properties"]["MessageRetentionPeriod"]

    assert receive >= process + 3 * (retention / DAY + 14)  # Two redrives.
    assert receive * DAY > 2 * TOLERANCE_SECONDS
