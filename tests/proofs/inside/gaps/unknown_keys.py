"""Gap: ministack takes the key `test`, and any account's number, for the account's root.

Closed: AWS knows no such key. Only the rehearsal itself looks at the account with a key of its own.
"""

from __future__ import annotations

import os

from ministack.core import iam_evaluator
from ministack.services import sts

# As in ../rehearsal.py.
ONLOOKER = "rehearsal"


def is_needed() -> bool:
    """Whether a request that is signed as `test` is still one of the root."""
    return bool(iam_evaluator.is_root_access_key("test"))


def close() -> None:
    """Know one key of the root alone; and none, as ministack itself calls."""
    os.environ["AWS_ACCESS_KEY_ID"] = ONLOOKER

    def is_root(key: str) -> bool:
        return key in {"", ONLOOKER}

    iam_evaluator.is_root_access_key = sts.is_root_access_key = is_root
