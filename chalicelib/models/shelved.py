"""A note that logs of an instance may be in S3: whoever forgets the instance then looks there, and at no other's."""

from collections.abc import Sequence

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.models.record import table_name


class Shelved(Model):
    """Lies in the table of its instance, under a key of its own: whoever holds the instance's record is not disturbed.

    Written as the publishing is asked for, before anything is there.
    """

    class Meta:
        table_name = table_name("instances")

    key = UnicodeAttribute(hash_key=True, attr_name="instance_id")

    @classmethod
    def of(cls, instance_ids: Sequence[str]) -> "dict[str, Shelved]":
        """Return the notes that there are, by their instance's id: one request."""
        keys = {f"{each}/logs": each for each in instance_ids}
        return {keys[each.key]: each for each in cls.batch_get(list(keys), consistent_read=True)}


def note_shelved(batch: TransactWrite, instance_id: str) -> None:
    batch.save(Shelved(key=f"{instance_id}/logs"))
