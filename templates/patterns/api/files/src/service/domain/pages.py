"""Pages of a list, and the cursor that leads from one to the next."""

import base64
import re

LARGEST_PAGE = 100
USUAL_PAGE = 20
_CURSOR = re.compile(r"[A-Za-z0-9_-]{22}")


class InvalidPageError(Exception):
    """What the caller asks for is no page of the list."""


def cursor_after(product_id: str) -> str:
    """The cursor of the page that starts behind a product."""
    return base64.urlsafe_b64encode(bytes.fromhex(product_id)).decode().rstrip("=")


def parse_cursor(cursor: str | None) -> str | None:
    """The id of the last product before the page, which need not exist any more.

    The cursor is not signed: it can only be a position in a list, and the list is the caller's own.
    A cursor without its exact form is refused.
    """
    if cursor is None:
        return None
    if _CURSOR.fullmatch(cursor):
        product_id = base64.urlsafe_b64decode(f"{cursor}==").hex()
        if cursor_after(product_id) == cursor:
            return product_id
    raise InvalidPageError("cursor must be the next_cursor of an earlier answer")


def parse_limit(limit: str | None) -> int:
    """How many products a page holds at most."""
    if limit is None:
        return USUAL_PAGE
    if re.fullmatch(r"[1-9][0-9]{0,2}", limit) and int(limit) <= LARGEST_PAGE:
        return int(limit)
    raise InvalidPageError(f"limit must be a whole number from 1 to {LARGEST_PAGE}")
