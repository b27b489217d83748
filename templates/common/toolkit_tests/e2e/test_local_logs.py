"""`make local` shows a bug in a function as it happens."""

import json

from toolkit.local_aws.logs import Lines, shown
from toolkit.local_aws.stack import Stack
from toolkit.template import functions


def test_a_bug_in_a_function_is_shown_once(stack: Stack) -> None:
    """An event that its code does not understand stands for any bug."""
    name = next(iter(functions())).removesuffix("Function")
    lines = Lines(stack)
    answer = stack.aws.client("lambda").invoke(
        FunctionName=f"{stack.name}-{name}:live", Payload=json.dumps({"no": "event"})
    )
    assert "FunctionError" in answer

    found = [shown(*line) for line in lines.new()]

    errors = [line for line in found if line.startswith(f"{name} ERROR")]
    assert "Traceback" in "\n".join(errors)
    assert not [shown(*line) for line in lines.new()]
