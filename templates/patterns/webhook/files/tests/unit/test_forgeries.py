"""Nobody without the secret gets a delivery in: forged and damaged ones, of every kind."""

import base64
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.runtime.signatures import SCHEMES
from toolkit.signed_delivery import LOCAL_VALUE, sign

if TYPE_CHECKING:
    from tests.unit.conftest import Receiver

# The same deliveries each time: `FORGERIES=10000 pytest tests/unit/test_forgeries.py` for more.
COUNT = int(os.environ.get("FORGERIES", "1000"))
SEED = 20_261_130
Request = tuple[bytes, dict[str, Any]]
STRANGE = ["", " ", "0", "-1", "v1,", "sha256=", "t=,v1=", "\u0661", "\u00e9", "=" * 44, "\x00"]


class Forger:
    """Has seen deliveries, and does not have the secret."""

    def __init__(self, scheme: str, choose: random.Random) -> None:
        self.scheme, self.choose = scheme, choose
        self.body = b'{"id": "delivery-1", "n": %d}' % choose.randrange(10**6)
        self.good = sign(scheme, LOCAL_VALUE, "delivery-1", self.body, int(time.time()))
        self.kinds: list[Callable[[], Request]] = [
            self.other_secret,
            self.changed_body,
            self.changed_character,
            self.without_a_header,
            self.with_a_strange_header,
            self.header_twice,
            self.old,
            self.signature_of_another_scheme,
            self.random_bytes,
        ]

    def other_secret(self) -> Request:
        value = "whsec_" + base64.b64encode(self.choose.randbytes(32)).decode()
        return self.body, sign(self.scheme, value, "delivery-1", self.body, int(time.time()))

    def changed_body(self) -> Request:
        body = bytearray(self.body)
        match self.choose.randrange(3):
            case 0:
                body[self.choose.randrange(len(body))] ^= 1 << self.choose.randrange(8)
            case 1:
                body.insert(self.choose.randrange(len(body) + 1), self.choose.randrange(256))
            case _:
                del body[self.choose.randrange(len(body))]
        return bytes(body), self.good

    def changed_character(self) -> Request:
        # Of the signature: GitHub signs no other header.
        name = list(self.good)[-1]
        value = self.good[name]
        place = self.choose.randrange(len(value))
        other = chr((ord(value[place]) + self.choose.randrange(1, 90)) % 128)
        return self.body, {**self.good, name: value[:place] + other + value[place + 1 :]}

    def without_a_header(self) -> Request:
        gone = self.choose.choice(list(self.good))
        return self.body, {name: value for name, value in self.good.items() if name != gone}

    def with_a_strange_header(self) -> Request:
        name = list(self.good)[-1]
        strange = self.choose.choice(STRANGE) * self.choose.choice([1, 2, 5_000])
        return self.body, {**self.good, name: strange}

    def header_twice(self) -> Request:
        name = self.choose.choice(list(self.good))
        return self.body, {**self.good, name: [self.good[name], self.choose.choice(STRANGE)]}

    def old(self) -> Request:
        if self.scheme == "github":  # It signs no time.
            return self.other_secret()
        away = self.choose.choice([-1, 1]) * self.choose.randrange(400, 10**6)
        moment = int(time.time()) + away
        return self.body, sign(self.scheme, LOCAL_VALUE, "delivery-1", self.body, moment)

    def signature_of_another_scheme(self) -> Request:
        other = self.choose.choice([name for name in SCHEMES if name != self.scheme])
        return self.body, sign(other, LOCAL_VALUE, "delivery-1", self.body, int(time.time()))

    def random_bytes(self) -> Request:
        headers = {name: self.choose.randbytes(40).decode("latin-1") for name in self.good}
        return self.choose.randbytes(self.choose.randrange(200)), headers


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_forged_or_damaged_delivery_is_accepted(receiver: "Receiver", scheme: str) -> None:
    receiver.use(scheme)
    choose = random.Random(SEED)  # noqa: S311 (no secret)
    answered: Counter[int] = Counter()

    for number in range(-(-COUNT // len(SCHEMES))):
        forger = Forger(scheme, choose)
        forge = forger.kinds[number % len(forger.kinds)]
        answered[receiver.post(*forge())["statusCode"]] += 1

    assert answered.keys() == {401}
    assert receiver.queue.sent == []
    assert receiver.received.claimed == {}
    assert receiver.deliver(b'{"id": "delivery-1"}') == 202, "and a right one is"
