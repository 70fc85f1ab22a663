"""Of several tries' resources one: agreed on by a key pair, the only thing in OpenStack that can be made but once.

No API takes a client's token for a create: two tries at once make two servers, and no look at a list tells either which
of them the other will keep. A key pair's name is unique for a user, and it cannot be changed: who makes it first has
said which resource stays. It is marked, and the key pair goes: a user may have 100 of them. (One that a cut leaves
behind goes with the instance.)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from openstack.connection import Connection
from openstack.exceptions import ConflictException, NotFoundException

from chalicelib.errors import Transient
from chalicelib.providers.openstack.labels import Label
from chalicelib.ssh.keys import draw_key

ROUNDS = 5


@dataclass(frozen=True)
class Found:
    resource_id: str
    is_chosen: bool


class Family(Protocol):
    """Resources of which there shall be one."""

    name: str  # that no other family has; 255 characters at most
    label: Label  # whose they are
    can_be_marked: bool  # else its key pair stays with it

    def found(self) -> list[Found]:
        """List them. One may be missing for a moment: Nova lists none while it hands a server over to its cell."""

    def exists(self, resource_id: str) -> bool:
        """Ask for it by its id, which misses none."""

    def choose(self, resource_id: str) -> None:
        """Mark it, for as long as it lives."""

    def drop(self, resource_id: str) -> None:
        """Remove it with all that was made for it. Already gone is success."""


def chosen_of(found: list[Found]) -> str | None:
    return next((each.resource_id for each in found if each.is_chosen), None)


def only_one(connection: Connection, family: Family, make: Callable[[], str]) -> str:
    """Return the id of the family's one resource, making one if there is none. Raises what `make` raises; Transient."""
    for _ in range(ROUNDS):
        found = family.found()
        if chosen := chosen_of(found):
            _drop_others(family, found, chosen)
            return chosen
        candidate = min(each.resource_id for each in found) if found else make()
        if winner := _settled(connection, family, candidate):
            return winner
    raise Transient(f"Several tries at {family.name} do not agree.")


def _settled(connection: Connection, family: Family, candidate: str) -> str | None:
    """Return the winner; None if what was agreed on is gone."""
    winner = _proposed(connection, family, candidate)
    found = family.found()  # after the proposal: a slow try may come when all is agreed and forgotten
    if earlier := chosen_of(found):
        winner = earlier
    if winner is None or not (winner in {each.resource_id for each in found} or family.exists(winner)):
        forget(connection, family.name)
        return None
    family.choose(winner)
    _drop_others(family, found, winner)
    if family.can_be_marked:
        forget(connection, family.name)
    return winner


def _drop_others(family: Family, found: list[Found], winner: str) -> None:
    """Remove what lost, whoever made it: a try that was cut cannot, and one that is not yet would."""
    for each in found:
        if each.resource_id != winner:
            family.drop(each.resource_id)


def _proposed(connection: Connection, family: Family, candidate: str) -> str | None:
    """Make the key pair that says which; return what it says, or None if it is just being forgotten.

    Its comment has the label and the time too: who lists key pairs is told no more of them than their names and keys.
    """
    comment = f"{family.label.text} {time.time():.0f} {candidate}"
    try:
        connection.compute.create_keypair(name=family.name, public_key=f"{draw_key().public} {comment}")
    except ConflictException:
        return said(connection, family.name)
    return candidate


def said(connection: Connection, name: str) -> str | None:
    """Return the id that the key pair of this name stands for; None if there is none."""
    try:
        return str(connection.compute.get_keypair(name).public_key).split()[-1]
    except NotFoundException:
        return None


def born_of(public_key: str) -> tuple[Label, datetime] | None:
    """Return whose a key pair of ours is and when it was made; None if it is somebody else's."""
    match public_key.split(" "):
        case [_, _, *label, seconds, _] if seconds.isdecimal() and (whose := Label.read(" ".join(label))):
            return whose, datetime.fromtimestamp(int(seconds), UTC)
    return None


def forget(connection: Connection, name: str) -> None:
    connection.compute.delete_keypair(name)
