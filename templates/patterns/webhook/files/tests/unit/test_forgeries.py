"""Nobody without the secret gets a delivery in."""

import os
from typing import TYPE_CHECKING

import pytest

from toolkit.forgeries import forgeries
from toolkit.runtime.signatures import SCHEMES

if TYPE_CHECKING:
    from tests.unit.conftest import Receiver

# In all; the same each time. More: FORGERIES=10000 pytest tests/unit/test_forgeries.py
COUNT = int(os.environ.get("FORGERIES", "1000"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_forged_or_damaged_delivery_is_accepted(receiver: "Receiver", scheme: str) -> None:
    receiver.use(scheme)

    given = forgeries(scheme, COUNT // len(SCHEMES) + 1, seed=1)

    assert {receiver.post(*request)["statusCode"] for request in given} == {401}
    assert receiver.queue.sent == []
    assert receiver.received.claimed == {}
    assert receiver.deliver(b'{"id": "delivery-1"}') == 202, "and a right one is"
