"""Which events go where: the table that template tests and end-to-end tests share."""

import json
from pathlib import Path
from typing import Any

from toolkit.template import functions, resolve, resources

EVENTS = Path(__file__).resolve().parents[2] / "events"
# What `resolve` makes of the bucket's name.
BUCKET = resolve({"Ref": "UploadsBucket"}, "local")
LARGEST = 10 * 1_024 * 1_024


def sample(name: str) -> dict[str, Any]:
    """The event of EventBridge in the sample of a function."""
    [record] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))["Records"]
    event: dict[str, Any] = json.loads(record["body"])
    return event


def uploaded(key: str = "north/1.csv", size: int = 1) -> dict[str, Any]:
    """The event of a new object, as S3 sends it to EventBridge."""
    event = sample("process")
    event["detail"]["bucket"]["name"] = BUCKET
    event["detail"]["object"] |= {"key": key, "size": size}
    return event


# Uploads, by what they show; whether Process gets them.
UPLOADS: dict[str, tuple[dict[str, Any], bool]] = {
    "a survey": (uploaded(), True),
    "of the largest size": (uploaded(size=LARGEST), True),
    "a key with every kind of character": (uploaded("a+b %41 é.csv"), True),
    "another bucket": (
        uploaded() | {"detail": {**uploaded()["detail"], "bucket": {"name": "other"}}},
        False,
    ),
    "a bucket whose name begins the same": (
        uploaded() | {"detail": {**uploaded()["detail"], "bucket": {"name": f"{BUCKET}-2"}}},
        False,
    ),
    "a deleted object": (uploaded() | {"detail-type": "Object Deleted"}, False),
    "changed tags": (uploaded() | {"detail-type": "Object Tags Added"}, False),
    "another source": (uploaded() | {"source": "aws.glacier"}, False),
    "an empty object": (uploaded(size=0), False),
    "a folder marker": (uploaded("north/", size=0), False),
    "a folder marker with content": (uploaded("north.csv/"), False),
    "one byte too large": (uploaded(size=LARGEST + 1), False),
    "another suffix": (uploaded("north/1.csv.gz"), False),
    "the suffix in capitals": (uploaded("north/1.CSV"), False),
    "the suffix without its dot": (uploaded("north/csv"), False),
}
UNROUTED = "Unrouted"
SOURCE = functions()["PublishFunction"]["Environment"]["Variables"]["EVENT_SOURCE"]


def published(**other: Any) -> dict[str, Any]:
    """The event of a processed survey, as the bus delivers it."""
    return sample("notify") | {"source": SOURCE} | other


# Events on the bus of this service, by what they show; who gets them.
PUBLISHED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a processed survey": (published(), {"Notify"}),
    "a type that nobody wants": (published(**{"detail-type": "survey.lost"}), {UNROUTED}),
    "another source": (published(source="another.service"), {UNROUTED}),
}


def pattern_of(rule: str) -> dict[str, Any]:
    """The event pattern of a rule, as it is on the local AWS."""
    pattern: dict[str, Any] = _resolved(
        resources("AWS::Events::Rule")[rule]["Properties"]["EventPattern"]
    )
    return pattern


def _resolved(value: Any) -> Any:
    match value:
        case {"Ref": _}:
            return resolve(value, "local")
        case dict():
            return {name: _resolved(item) for name, item in value.items()}
        case list():
            return [_resolved(item) for item in value]
    return value
