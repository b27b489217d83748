"""What is said where AWS refuses, or cannot be reached."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
)

from toolkit.stacks import errors_in_one_line, in_words


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (NoCredentialsError(), "Sign in"),
        (refusal("ExpiredToken", "The security token is expired"), "Sign in"),
        (EndpointConnectionError(endpoint_url="https://x"), "Check the network"),
        (ProxyConnectionError(proxy_url="https://x"), "Check the network"),
        (refusal("ValidationError", "Stack with id x does not exist"), "Deploy it first"),
        (refusal("AccessDenied", "Not\nyours"), "Not yours"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(
    error: BotoCoreError | ClientError, remedy: str
) -> None:
    @errors_in_one_line
    def fail() -> None:
        raise error

    with pytest.raises(SystemExit, match=remedy) as ended:
        fail()

    assert ended.value.code == in_words(error)
    assert "\n" not in in_words(error)
