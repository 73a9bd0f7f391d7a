"""An S3 server of a test's own, spoken to over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "sphinx"


@contextmanager
def s3_server() -> Iterator[str]:
    """Its address, as long as the block lasts; it has one empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("s3", **access(url))
    client.create_bucket(Bucket=BUCKET)
    try:
        yield url
    finally:
        server.stop()


def access(url: str) -> dict[str, Any]:
    """What a client is made with."""
    return {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }


def kept_in(url: str) -> dict[str, Any]:
    """The storage setting of an installation that keeps its files there."""
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": BUCKET,
            "endpoint_url": url,
            "region_name": "us-east-1",
            "access_key": "test",
            "secret_key": "test",
            "file_overwrite": True,
        },
    }
