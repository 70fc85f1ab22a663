"""Record: what all tables share: optimistic locking, transactions, and saves that only the lock's holder may make."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Self

from pynamodb.attributes import UnicodeAttribute, VersionAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib import config
from chalicelib.errors import Conflict, NotFound

TAKEN = "ConditionalCheckFailedException"
CANCELED = "TransactionCanceledException"
LOST_RACES = {"ConditionalCheckFailed", "TransactionConflict"}


class Stale(Exception):
    """A record changed since it was read, or its lock went to another job. Read it again to know which."""


def utc() -> datetime:
    return datetime.now(UTC)


clock = utc  # replaced in tests, where hours pass at once


def now() -> datetime:
    return clock()


def table_name(noun: str) -> str:
    return config.current().dtrove_table_prefix + noun


class Record(Model):
    revision = VersionAttribute()  # refuses a save over a newer copy, or a second birth

    def add(self) -> None:
        """Save a new record. Raises Conflict if its key is taken."""
        try:
            self.save()
        except PutError as error:
            if error.cause_response_code == TAKEN:
                raise Conflict(f"This {type(self).__name__.lower()} exists already.") from error
            raise

    def save_if(self, condition: Any) -> None:
        """Save, if the condition holds and nobody changed the record since it was read. Raises Stale."""
        try:
            self.save(condition=condition)
        except PutError as error:
            if error.cause_response_code == TAKEN:
                raise Stale(f"This {type(self).__name__.lower()} changed meanwhile.") from error
            raise


class ProjectRecord(Record):
    """A record that belongs to a project, under an id of its own."""

    project_id = UnicodeAttribute()

    @classmethod
    def find(cls, record_id: str) -> Self | None:
        try:
            return cls.get(record_id, consistent_read=True)
        except cls.DoesNotExist:
            return None

    @classmethod
    def of_project(cls, project_id: str, record_id: str) -> Self:
        """Return the project's record. Raises NotFound, for another project's too."""
        record = cls.find(record_id)
        if record is None or record.project_id != project_id:
            raise NotFound(f"Resource {record_id} cannot be found.")
        return record


class HeldRecord(ProjectRecord):
    """A record that one job at a time may change: the one `held_by` names.

    The lock is taken and freed in `jobs`, in one transaction over the cluster and its instances.
    """

    held_by = UnicodeAttribute(null=True)

    def save_held(self) -> None:
        """Save, if the job that held the record when it was read still does. Raises Stale."""
        holder: Any = type(self).held_by
        self.save_if(holder.does_not_exist() if self.held_by is None else holder == self.held_by)


@cache
def _connection() -> Connection:
    return Connection()


@contextmanager
def transaction() -> Iterator[TransactWrite]:
    """All or nothing, at most 100 items.

    Raises Stale if another got in between; a denied or throttled call is no lost race and stays a TransactWriteError.
    """
    try:
        with TransactWrite(connection=_connection()) as batch:
            yield batch
    except TransactWriteError as error:
        reasons = {reason.code for reason in error.cancellation_reasons if reason}
        if error.cause_response_code == CANCELED and reasons & LOST_RACES:
            raise Stale("Another request changed this at the same moment.") from error
        raise
