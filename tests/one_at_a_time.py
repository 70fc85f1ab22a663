"""moto's tables, changed by one thread at a time.

Of a transaction that is refused moto puts all its tables back as they were: what others wrote meanwhile would be lost.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from tests.conftest import ACCOUNT, REGION

WRITES = ("put_item", "update_item", "delete_item", "transact_write_items")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    backend, lock = dynamodb_backends[ACCOUNT][REGION], RLock()
    for name in WRITES:
        setattr(backend, name, _locked(getattr(backend, name), lock))
    try:
        yield
    finally:
        for name in WRITES:
            delattr(backend, name)


def _locked(write: Callable[..., Any], lock: Any) -> Callable[..., Any]:
    @wraps(write)
    def locked(*arguments: Any, **named: Any) -> Any:
        with lock:
            return write(*arguments, **named)

    return locked
