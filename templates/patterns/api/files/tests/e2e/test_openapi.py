"""The API keeps what openapi.yaml says: whatever is sent, the answer is one of those there."""

import uuid
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from requests import PreparedRequest, Session

from scripts.callers import identity_in
from toolkit.local_aws.stack import Stack
from toolkit.signed_request import signed
from toolkit.stacks import PROJECT

CONFIG = {
    "generation": {
        "mode": "all",  # What fits the document, and what does not.
        "max-examples": 20,
        "deterministic": True,
        "allow-extra-parameters": False,  # Unknown ones are passed over.
        "with-security-parameters": False,  # Who calls is said in any case.
    },
    "phases": {"stateful": {"generation": {"mode": "positive"}}},
    "checks": {
        # A valid request can also meet a product that does not exist or has another version,
        # and a key that was used for something else.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "412", "422"]},
        "missing_required_header": {"expected-statuses": [400, 428]},
    },
    "warnings": False,
}
schema = schemathesis.openapi.from_path(
    PROJECT / "openapi.yaml", config=schemathesis.Config.from_dict(CONFIG)
)
Case = schemathesis.Case[Any]


@pytest.fixture(scope="session")
def sending(stack: Stack) -> dict[str, Any]:
    """How requests reach the API: over one connection, from somebody who may call it."""
    identity = identity_in(stack)

    def authenticate(request: PreparedRequest) -> PreparedRequest:
        request.headers.update(identity.get("headers", {}))
        if session := identity.get("session"):
            asked: Any = (request.method, request.url, request.headers, request.body)
            request.headers.update(signed(session, *asked))
        return request

    return {
        "base_url": stack.aws.api_url(stack.outputs["ApiId"]),
        "session": Session(),
        "auth": authenticate,
        "verify": stack.aws.ca,
    }


def test_openapi_document_is_valid() -> None:
    schema.validate()


@schema.parametrize()
def test_any_request_gets_a_documented_answer(case: Case, sending: dict[str, Any]) -> None:
    case.call_and_validate(**sending)


def test_links_in_answers_work(sending: dict[str, Any]) -> None:
    """Its links lead on: to read, change and delete a product that was created."""

    class Callers(schema.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Case) -> None:
            if "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = str(uuid.uuid4())  # The table remembers others.

        def get_call_kwargs(self, _: Case) -> dict[str, Any]:
            return sending

    Callers.run(
        settings=settings(max_examples=15, stateful_step_count=6, derandomize=True, deadline=None)
    )
