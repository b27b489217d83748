"""Reads what the bus delivered to a consumer's queue, from the record that Lambda gets."""

from typing import Any

import msgspec
from msgspec import Struct

from service.domain.surveys import SurveyProcessed, parse_processed
from toolkit.runtime.batch import PermanentError
from toolkit.runtime.fields import InvalidFieldsError


class _Event(Struct):
    detail: msgspec.Raw


def detail_in(record: dict[str, Any]) -> SurveyProcessed:
    """The event in a record.

    Raises:
        PermanentError: there is none.
    """
    try:
        return parse_processed(bytes(msgspec.json.decode(record["body"], type=_Event).detail))
    except (msgspec.DecodeError, UnicodeError, RecursionError, InvalidFieldsError) as error:
        raise PermanentError(f"not an event of a processed survey: {error}") from error
