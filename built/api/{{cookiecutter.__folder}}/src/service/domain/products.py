"""Products, and the errors of requests about them."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass

from service.domain.fields import read_fields, text, whole_number

_ID = re.compile(r"[0-9a-f]{32}")
# Any text on one line. JSON can spell half a surrogate pair, which is no text and cannot be stored.
_NAME = text(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,100}", "1 to 100 characters on one line")
_QUANTITY = whole_number(0, 1_000_000)


class ProductNotFoundError(Exception):
    """There is no product with this id."""


class VersionConflictError(Exception):
    """The product is no longer at the version that the caller has seen."""


class KeyUsedError(Exception):
    """The idempotency key was used before, for another product."""


class BusyError(Exception):
    """Another request writes the same product at this moment."""


@dataclass(frozen=True, slots=True)
class Content:
    """The fields of a product that callers set."""

    name: str
    quantity: int

    def to_json(self) -> str:
        """The content as text: the same content always gives the same text."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Product:
    """Something in stock. Each change makes the next version, counted from 1."""

    id: str
    version: int
    name: str
    quantity: int


def new_product(owner: str, key: str, content: Content) -> Product:
    """The product that an owner's idempotency key creates.

    Its id follows from the key: sent again, the request gives the same answer, and no answer has
    to be stored.
    """
    product_id = hashlib.sha256(key_of_owner(owner, key).encode()).hexdigest()[:32]
    return Product(product_id, 1, content.name, content.quantity)


def key_of_owner(owner: str, key: str) -> str:
    """An idempotency key among those of all owners: no key has a slash in it."""
    return f"{owner}/{key}"


def is_product_id(value: str) -> bool:
    """Whether a product could have this id."""
    return bool(_ID.fullmatch(value))


def parse_content(body: str | None) -> Content:
    """Read a product's content from JSON.

    Raises:
        InvalidFieldsError: it is invalid.
    """
    return Content(**read_fields(body, name=_NAME, quantity=_QUANTITY))
