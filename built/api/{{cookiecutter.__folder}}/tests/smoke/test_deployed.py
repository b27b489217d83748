"""One item through the deployed stack, and what only AWS itself can show."""

import json
import uuid

import boto3

from scripts.signed_request import Answer, call


{% if cookiecutter.authentication == "IAM" %}def test_an_unsigned_request_is_refused(outputs: dict[str, str]) -> None:
    assert call("GET", outputs["ItemsUrl"]).status == 403


{% endif %}{% if cookiecutter.authentication == "JWT" %}def test_who_is_no_user_is_refused(outputs: dict[str, str], region: str) -> None:
    """The pipeline is none, and AWS credentials are not the token of one."""
    answer = ask(outputs, region, "POST", Idempotency_Key=str(uuid.uuid4()))

    assert answer.status in (401, 403)
    assert answer.content_type == "application/problem+json"


{% else %}def test_an_item_is_created_read_and_deleted(outputs: dict[str, str], region: str) -> None:
    created = ask(outputs, region, "POST", Idempotency_Key=str(uuid.uuid4()))

    assert created.status == 201, created.body
    path = f"/{created.json['id']}"
    assert ask(outputs, region, "GET", path).body == created.body
    assert ask(outputs, region, "DELETE", path, If_Match=created.headers["ETag"]).status == 204


{% endif %}def ask(
    outputs: dict[str, str], region: str, method: str, path: str = "", **headers: str
) -> Answer:
    """Call the API with the AWS credentials of whoever runs this."""
    return call(
        method,
        outputs["ItemsUrl"] + path,
        json.dumps({"name": "smoke-test", "quantity": 1}) if method == "POST" else None,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        session=boto3.Session(region_name=region),
    )
