"""Rates: how many requests of a project were let in, a minute at a time."""

from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.models import Model

from chalicelib.models.record import TAKEN, now, table_name

KEPT = timedelta(hours=1)


class Rate(Model):
    """It has no revision: to be counted is to add, at which no two get in each other's way."""

    class Meta:
        table_name = table_name("rates")

    window = UnicodeAttribute(hash_key=True)  # project, kind of request, minute
    taken = NumberAttribute(default=0)
    expires_at = TTLAttribute(null=True)


def window_of(project_id: str, kind: str, moment: datetime) -> str:
    return f"{project_id}/{kind}/{moment:%Y-%m-%dT%H:%M}"


def take(window: str, requests: int, limit: int) -> bool:
    """Have so many more requests let in, in one request to DynamoDB. False if that would be more than the limit."""
    taken: Any = Rate.taken
    has_room = taken.does_not_exist() | (taken <= limit - requests)
    try:
        Rate(window=window).update(
            actions=[Rate.taken.add(requests), Rate.expires_at.set(now() + KEPT)], condition=has_room
        )
    except UpdateError as error:
        if error.cause_response_code == TAKEN:
            return False
        raise
    return True


def taken_in(window: str) -> int:
    try:
        return int(Rate.get(window).taken)
    except Rate.DoesNotExist:
        return 0
