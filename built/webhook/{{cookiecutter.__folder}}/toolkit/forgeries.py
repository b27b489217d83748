"""Deliveries that must never be accepted: forged and damaged ones, of every kind."""

import base64
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from toolkit.runtime.signatures import SCHEMES
from toolkit.signed_delivery import LOCAL_VALUE, sign

# A body, and its headers; those with several values have been sent several times.
Request = tuple[bytes, dict[str, Any]]
STRANGE = ("", " ", "0", "-1", "v1,", "sha256=", "t=,v1=", "\u0661", "\u00e9", "=" * 44, "\x00")


def forgeries(scheme: str, count: int, seed: int) -> Iterator[Request]:
    """So many of them, of each kind in turn; the same for the same seed, but for the time."""
    choose = random.Random(seed)  # noqa: S311 (no secret)
    for number in range(count):
        forger = _Forger(scheme, choose)
        yield forger.kinds[number % len(forger.kinds)]()


class _Forger:
    """Has seen a delivery that was signed with LOCAL_VALUE, and does not have that secret."""

    def __init__(self, scheme: str, choose: random.Random) -> None:
        self.scheme, self.choose, self.now = scheme, choose, int(time.time())
        self.body = b'{"id": "delivery-1", "n": %d}' % choose.randrange(10**6)
        self.good = sign(scheme, LOCAL_VALUE, "delivery-1", self.body, self.now)
        # The signature: GitHub signs no other header.
        self.signature = list(self.good)[-1]
        self.kinds: tuple[Callable[[], Request], ...] = (
            self.other_secret,
            self.changed_body,
            self.changed_character,
            self.without_a_header,
            self.with_a_strange_header,
            self.header_twice,
            self.other_time,
            self.signature_of_another_scheme,
            self.random_bytes,
        )

    def other_secret(self) -> Request:
        value = "whsec_" + base64.b64encode(self.choose.randbytes(32)).decode()
        return self.body, sign(self.scheme, value, "delivery-1", self.body, self.now)

    def changed_body(self) -> Request:
        body, place = bytearray(self.body), self.choose.randrange(len(self.body))
        match self.choose.randrange(3):
            case 0:
                body[place] ^= 1 << self.choose.randrange(8)
            case 1:
                body.insert(place, self.choose.randrange(256))
            case _:
                del body[place]
        return bytes(body), self.good

    def changed_character(self) -> Request:
        value = self.good[self.signature]
        place = self.choose.randrange(len(value))
        other = chr((ord(value[place]) + self.choose.randrange(1, 90)) % 128)
        return self.body, {**self.good, self.signature: value[:place] + other + value[place + 1 :]}

    def without_a_header(self) -> Request:
        gone = self.choose.choice(list(self.good))
        return self.body, {name: value for name, value in self.good.items() if name != gone}

    def with_a_strange_header(self) -> Request:
        strange = self.choose.choice(STRANGE) * self.choose.choice([1, 2, 5_000])
        return self.body, {**self.good, self.signature: strange}

    def header_twice(self) -> Request:
        name = self.choose.choice(list(self.good))
        return self.body, {**self.good, name: [self.good[name], self.choose.choice(STRANGE)]}

    def other_time(self) -> Request:
        if self.scheme == "github":  # It signs none.
            return self.other_secret()
        away = self.choose.choice([-1, 1]) * self.choose.randrange(400, 10**6)
        return self.body, sign(self.scheme, LOCAL_VALUE, "delivery-1", self.body, self.now + away)

    def signature_of_another_scheme(self) -> Request:
        other = self.choose.choice([name for name in SCHEMES if name != self.scheme])
        return self.body, sign(other, LOCAL_VALUE, "delivery-1", self.body, self.now)

    def random_bytes(self) -> Request:
        headers = {name: self.choose.randbytes(40).decode("latin-1") for name in self.good}
        return self.choose.randbytes(self.choose.randrange(200)), headers
