"""Puts visits on the stream: for whatever in your service produces them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from service.domain.visits import Visit
from toolkit.runtime.put_records import put_records

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


class VisitStream:
    """The stream of visits. Those of one site keep their order."""

    def __init__(self, kinesis: "KinesisClient", stream: str) -> None:
        self._kinesis = kinesis
        self._stream = stream

    def put(self, visits: Iterable[Visit]) -> None:
        """Return once Kinesis has stored all of them.

        Raises:
            RecordsRefusedError: Kinesis did not take some, several times; those are named.
        """
        put_records(
            self._kinesis,
            self._stream,
            [{"PartitionKey": visit.site, "Data": visit.to_json().encode()} for visit in visits],
        )
