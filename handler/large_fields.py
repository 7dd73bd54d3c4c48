"""Fields that are too large for a DynamoDB record: they are stored in S3, and the record has a pointer instead.

A pointer is a map, `{"s3": key, "bytes": n, "digest": "sha256:..."}`. It names no bucket: the worker reads from its own
bucket only, whatever a record says. Keys contain the digest, so that a late worker cannot overwrite an object that
another worker's record points to.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from handler import attribute_values, aws
from handler.attribute_values import Attributes, AttributeValue
from handler.exceptions import DamagedObject, InvalidResult, Misconfigured
from plexus.artifacts.manifest import compute_digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RECORD_LIMIT = 380_000  # bytes; DynamoDB's own limit, 409,600, includes names and overhead
POINTER = {"s3", "bytes", "digest"}
FIELDS = ("trace", "explanation", "value")  # fields of a result that may move to S3, the first one first


class LargeFields:
    """Reads and writes large fields. `client` is boto3's S3 client; without a bucket, both raise `Misconfigured`."""

    def __init__(self, client: "S3Client", bucket: str | None):
        self._client, self._bucket = client, bucket

    def read_text(self, value: object) -> str | None:
        """Return the text of a field: a string itself, or the object that a pointer names; None stays None.

        Lone surrogates and invalid UTF-8 are replaced. Raises `DamagedObject` if the field is of another type or the
        object's digest is not the pointer's.
        """
        if value is None:
            return None
        if isinstance(value, str):
            return attribute_values.clean(value)
        if not isinstance(value, Mapping) or not isinstance(value.get("s3"), str):
            raise DamagedObject("a record's text is neither a string nor a pointer to an S3 object")
        data = self._read(value["s3"])
        digest = compute_digest(data)
        if digest != value.get("digest"):
            raise DamagedObject(f"s3 object {value['s3']}: got digest {digest}, expected {value.get('digest')}")
        return data.decode(errors="replace")

    def fit(self, record: Attributes) -> Attributes:
        """Move fields of a result's record to S3 until it is small enough.

        Fields of up to 1 KB stay. Raises `InvalidResult` if the rest of the record is still too large.
        """
        fitted = dict(record)
        for name in FIELDS:
            if attribute_values.record_size(fitted) <= RECORD_LIMIT:
                return fitted
            if name in fitted and attribute_values.measure_value(fitted[name]) > 1024:
                fitted[name] = self.put(record["id"]["S"], name, attribute_values.decode(fitted[name]))
        return self.require_fit(fitted)

    def require_fit(self, record: Attributes) -> Attributes:
        """Return a record; raises `InvalidResult` if it is too large for DynamoDB."""
        if attribute_values.record_size(record) > RECORD_LIMIT:
            raise InvalidResult(f"the result's record is larger than {RECORD_LIMIT} bytes without its large fields")
        return record

    def put(self, record_id: str, name: str, content: object) -> AttributeValue:
        """Write one field to S3, and return the pointer to it as an attribute value. Idempotent."""
        key, data, digest = self._store(content, name, lambda digest: f"results/{record_id}/{name}-{digest}")
        return attribute_values.encode({"s3": key, "bytes": len(data), "digest": digest})

    @property
    def has_bucket(self) -> bool:
        """Whether fields can be stored."""
        return bool(self._bucket)

    def store(self, folder: str, content: object, file: str) -> str:
        """Write a field to S3 as a file below `folder`, and return its key. Idempotent."""
        return self._store(content, file, lambda digest: f"{folder}/{digest}/{file}")[0]

    def _store(self, content: object, name: str, key_of: Callable[[str], str]) -> tuple[str, bytes, str]:
        if not self._bucket:
            raise Misconfigured(f"the result's {name} is too large for its record, and no bucket is set for it")
        data = (content if isinstance(content, str) else json.dumps(content, default=str)).encode()
        digest = compute_digest(data)
        key = key_of(digest.removeprefix("sha256:"))
        with aws.calling("store a large result"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        return key, data, digest

    def _read(self, key: str) -> bytes:
        if not self._bucket:
            raise Misconfigured("a record points to S3, and PLEXUS_ARTIFACT_BUCKET is unset")
        with aws.calling(f"read the s3 object {key[:80]}"):
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body
