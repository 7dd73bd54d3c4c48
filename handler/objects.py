"""What is too large for a record: kept in S3, the record keeps a pointer.

A pointer is the map `{"s3": key, "bytes": n, "digest": "sha256:..."}` in place of the string; the bucket is the
function's own, so that a record cannot make the worker read elsewhere. Keys hold the digest: a late writer never
replaces what another worker's record points to.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from handler import aws, values
from handler.exceptions import DamagedObject, InvalidResult, Misconfigured
from handler.values import Attributes

RECORD_LIMIT = 380_000  # bytes; DynamoDB refuses more than 409,600, names and overhead included
PARTS = ("trace", "explanation", "value")  # what may move, in the order of preference


class Objects:
    """`client` is boto3's S3 client; without a bucket nothing can be kept or read."""

    def __init__(self, client: Any, bucket: str | None):
        self._client, self._bucket = client, bucket

    def text(self, value: object) -> str | None:
        """A record's text: the string itself, or what its pointer names, verified; always one that has a UTF-8 form."""
        if value is None:
            return None
        if isinstance(value, str):
            return values.clean(value)
        if not isinstance(value, Mapping) or not isinstance(value.get("s3"), str):
            raise DamagedObject("a record holds neither a text nor a pointer to one")
        data = self._read(value["s3"])
        digest = _digest(data)
        if digest != value.get("digest"):
            raise DamagedObject(f"s3 object {value['s3']}: digest {digest}, its pointer says {value.get('digest')}")
        return data.decode(errors="replace")

    def fit(self, record: Attributes) -> Attributes:
        """The record, with parts moved to S3 until it is small enough; raises `InvalidResult` where none is left."""
        fitted = dict(record)
        for name in PARTS:
            if values.record_size(fitted) <= RECORD_LIMIT:
                return fitted
            if name in fitted and values.size(fitted[name]) > 1024:
                fitted[name] = self._keep(record["id"]["S"], name, values.decode(fitted[name]))
        if values.record_size(fitted) > RECORD_LIMIT:
            raise InvalidResult(f"the result's record is larger than {RECORD_LIMIT} bytes without its large parts")
        return fitted

    def _keep(self, record_id: str, name: str, content: object) -> dict[str, Any]:
        """Write one part, and give the pointer to it."""
        if not self._bucket:
            raise Misconfigured(f"the result's {name} is too large for its record, and PLEXUS_ARTIFACT_BUCKET is unset")
        data = (content if isinstance(content, str) else json.dumps(content, default=str)).encode()
        digest = _digest(data)
        key = f"results/{record_id}/{name}-{digest.removeprefix('sha256:')}"
        with aws.calling("keep a large result"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        return values.encode({"s3": key, "bytes": len(data), "digest": digest})

    def _read(self, key: str) -> bytes:
        if not self._bucket:
            raise Misconfigured("a record points to S3, and PLEXUS_ARTIFACT_BUCKET is unset")
        with aws.calling(f"read the s3 object {key[:80]}"):
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
