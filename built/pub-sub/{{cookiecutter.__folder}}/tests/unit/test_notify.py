"""x"""


def test_each_caller_has_its_own_event_ids() -> None:
    pass
