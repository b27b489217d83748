"""x"""


def test_time_ahead_of_the_clock_is_refused() -> None:
    pass
