"""How the API and the worker of this service fit together."""

from toolkit.template import apis, functions, resources

DAY = 86_400


def test_callers_sign_requests_with_their_own_credentials() -> None:
    [api] = apis().values()

    assert api["Auth"] == {"DefaultAuthorizer": "AWS_IAM", "InvokeRole": "NONE"}


def test_accepted_id_is_kept_longer_than_a_processed_one() -> None:
    """Otherwise `submit` could accept a request under an id that the worker still refuses."""
    submit, process = (
        int(functions()[name]["Environment"]["Variables"]["IDEMPOTENCY_DAYS"])
        for name in ("SubmitFunction", "ProcessFunction")
    )
    retention = resources("AWS::SQS::Queue")["Queue"]["Properties"]["MessageRetentionPeriod"]

    assert submit >= process + 3 * (retention / DAY + 14)  # Two redrives.
