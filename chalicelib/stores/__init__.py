"""Stores: where backups lie. One file a store; steps and orders know the interface alone."""

from chalicelib.stores.base import BaseStore, Sent
from chalicelib.stores.s3 import S3Store

__all__ = ["BaseStore", "Sent", "store"]


def store() -> BaseStore:
    """Return this deployment's."""
    return S3Store()
