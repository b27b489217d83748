"""The month's cost, per function."""

from scripts.cost import table


def group(key: str, amount: str) -> dict[str, object]:
    return {"Keys": [key], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}


def test_every_function_has_a_line_and_the_sum_comes_last() -> None:
    lines = table([group("function$Submit", "1.5"), group("function$", "0.25")]).splitlines()

    assert [line.split() for line in lines] == [
        ["(shared)", "0.25", "USD"],
        ["Submit", "1.50", "USD"],
        ["in", "all", "1.75", "USD"],
    ]
