"""Answers: what was said to a request that carried an Idempotency-Key, for when it is asked again."""

from datetime import datetime

from pynamodb.attributes import BinaryAttribute, TTLAttribute, UnicodeAttribute, UTCDateTimeAttribute

from chalicelib.models.record import Record, now, table_name


class Answer(Record):
    class Meta:
        table_name = table_name("answers")

    answer_id = UnicodeAttribute(hash_key=True)  # SHA-256 of who asks and of the key
    wrapped_key = BinaryAttribute(legacy_encoding=False)  # by KMS, for the context `answer_id`
    fingerprint = BinaryAttribute(legacy_encoding=False)  # of the request, under that key
    open_until = UTCDateTimeAttribute()  # whoever carries it out has ended by then, or is dead
    sealed = BinaryAttribute(legacy_encoding=False, null=True)  # the answer, under that key; absent while it is open
    expires_at = TTLAttribute()

    @classmethod
    def find(cls, answer_id: str) -> "Answer | None":
        try:
            return cls.get(answer_id, consistent_read=True)
        except cls.DoesNotExist:
            return None

    @property
    def has_expired(self) -> bool:
        """DynamoDB removes what has expired only some time later."""
        return self.expires_at <= now()

    @property
    def is_abandoned(self) -> bool:
        """Whether whoever carried the request out died before it was answered."""
        return self.sealed is None and self.open_until <= now()

    def hold(self, until: datetime) -> None:
        """Be the one who carries it out. Raises Stale if another was first."""
        self.open_until = until
        self.save_if(Answer.answer_id.exists())
