"""Turns: which of the jobs that take no lock may act on an instance: the one that was asked for first.

Accounts and logs queue up apart: a log that is published for minutes keeps nobody from a user.
"""

from typing import Any

from pynamodb.attributes import ListAttribute, UnicodeAttribute
from pynamodb.expressions.condition import size
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.models.record import table_name

QUEUES = ("turns", "log-turns")


class Turns(Model):
    """Lies in the table of its instance, under a key of its own: whoever holds the instance's record is not disturbed.

    There only while jobs wait. It has no revision: to queue up is an append, at which no two get in each other's way.
    """

    class Meta:
        table_name = table_name("instances")

    key = UnicodeAttribute(hash_key=True, attr_name="instance_id")
    waiting: ListAttribute[str] = ListAttribute(default=list)  # job ids, in the order they were asked for

    @classmethod
    def on(cls, instance_id: str, queue: str = QUEUES[0]) -> "Turns":
        key = f"{instance_id}/{queue}"
        try:
            return cls.get(key, consistent_read=True)
        except cls.DoesNotExist:
            return cls(key=key)


def queue_up(batch: TransactWrite, instance_id: str, job_id: str, queue: str = QUEUES[0]) -> None:
    waiting: Any = Turns.waiting
    batch.update(Turns(key=f"{instance_id}/{queue}"), actions=[waiting.set((waiting | []).append([job_id]))])


def step_out(batch: TransactWrite, instance_id: str, job_id: str, queue: str = QUEUES[0]) -> None:
    """Put into the batch that the job no longer waits; not there is success."""
    turns = Turns.on(instance_id, queue)
    waiting: Any = Turns.waiting
    if turns.waiting == [job_id]:
        batch.delete(turns, condition=waiting == [job_id])
    elif job_id in turns.waiting:
        place = turns.waiting.index(job_id)
        is_not_last = (
            size(waiting) > 1
        )  # the last one deletes the item; those before it may have left since it was read
        batch.update(turns, actions=[waiting[place].remove()], condition=(waiting[place] == job_id) & is_not_last)
