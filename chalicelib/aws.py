"""AWS clients: the one module that imports boto3, made once per warm worker and only when first needed."""

from functools import cache
from typing import Any, Final

from chalicelib import config

# URLs are signed as of today, and for the bucket's name in its region: S3's global name redirects for hours those who
# come to a new bucket elsewhere than in us-east-1, and a signature does not survive that.
OF_S3: Final = {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}}


@cache
def client(service: str, retries: int = 3, url: str | None = None) -> Any:
    """Return the service's boto3 client, with time-outs that fit inside a Lambda; it is AWS's own unless at the `url`.

    Without retries a call answers within ten seconds, or not at all.
    """
    import boto3  # noqa: PLC0415 - 0.2 s of import that most cold starts can do without
    from botocore.config import Config  # noqa: PLC0415

    more: dict[str, Any] = OF_S3 if service == "s3" else {}
    return boto3.client(
        service,
        endpoint_url=url,
        config=Config(connect_timeout=3, read_timeout=10, retries={"max_attempts": retries}, **more),
    )


def wrap_key(**context: str) -> tuple[bytes, bytes]:
    """Return a new data key, plain and wrapped by KMS; only the same context opens the wrapping.

    Who may open what is said by the context's names: `cluster_id` is for the functions that reach guests.
    """
    answer = client("kms").generate_data_key(
        KeyId=config.current().dtrove_data_key, KeySpec="AES_256", EncryptionContext=context
    )
    return answer["Plaintext"], answer["CiphertextBlob"]


def unwrap_key(wrapped_key: bytes, **context: str) -> bytes:
    answer = client("kms").decrypt(CiphertextBlob=wrapped_key, EncryptionContext=context)
    return bytes(answer["Plaintext"])


def secret(name: str) -> str:
    """Return what Secrets Manager keeps under the name or ARN."""
    return str(client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
