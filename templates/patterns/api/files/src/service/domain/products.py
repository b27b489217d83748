"""Products, and the errors of requests about them."""

import hashlib
import json
import re
from typing import Annotated

from msgspec import Meta, Struct, to_builtins

from toolkit.runtime.fields import read

_ID = re.compile(r"[0-9a-f]{32}")
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        # Python's $ also matches before a line break at the end.
        pattern=r"^[^\x00-\x1F\x7F-\x9F]+$(?!\n)",
        description="1 to 100 characters on one line",
    ),
]
Quantity = Annotated[int, Meta(ge=0, le=1_000_000, description="a whole number from 0 to 1000000")]


class ProductNotFoundError(Exception):
    """There is no product with this id."""


class VersionConflictError(Exception):
    """The product is no longer at the version that the caller has seen."""


class KeyUsedError(Exception):
    """The idempotency key was used before, for another product."""


class BusyError(Exception):
    """Another request writes the same product at this moment."""


class Content(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The fields of a product that callers set."""

    name: Name
    quantity: Quantity

    def to_json(self) -> str:
        """The content as text: the same content always gives the same text.

        Defaults are left out, so a new optional field does not change the text of older content.
        """
        return json.dumps(to_builtins(self), sort_keys=True)


class Product(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something in stock. Each change makes the next version, counted from 1."""

    id: Annotated[str, Meta(pattern=f"^{_ID.pattern}$")]
    version: Annotated[int, Meta(ge=1)]
    name: Name
    quantity: Quantity


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
    return read(body, Content)
