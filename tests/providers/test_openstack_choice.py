"""Several tries at once, in any order of their requests, some cut: one resource stays, and all that end agree on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openstack.exceptions import ConflictException, NotFoundException

from chalicelib.errors import Transient
from chalicelib.providers.openstack.choice import Found, born_of, only_one
from chalicelib.providers.openstack.labels import Label
from tests.providers.turns import Turns

NAME, LABEL = "dtrove-1", Label("here", "c1", "i1")


@dataclass
class KeyPair:
    public_key: str


@dataclass
class Compute:
    """What Nova does with key pairs: a name is taken once."""

    ask: Callable[[], None]
    pairs: dict[str, KeyPair] = field(default_factory=dict)

    def create_keypair(self, *, name: str, public_key: str) -> None:
        self.ask()
        if name in self.pairs:
            raise ConflictException
        self.pairs[name] = KeyPair(public_key)

    def get_keypair(self, name: str) -> KeyPair:
        self.ask()
        if name not in self.pairs:
            raise NotFoundException
        return self.pairs[name]

    def delete_keypair(self, name: str) -> None:
        self.ask()
        self.pairs.pop(name, None)


class World:
    """One cloud: its resources by id, True for those that are marked."""

    def __init__(self, ask: Callable[[], None] = lambda: None) -> None:
        self.ask = ask
        self.compute = Compute(ask)
        self.resources: dict[str, bool] = {}
        self.made = 0
        self.blinks: Iterator[bool] = repeat(False)  # which looks at the list miss the newest

    def make(self) -> str:
        self.ask()
        self.made += 1
        resource_id = f"id-{self.made * 7 % 10}{self.made}"  # their order is not that of their births
        self.resources[resource_id] = False
        return resource_id


@dataclass
class Family:
    world: World
    can_be_marked: bool = True
    name: str = NAME
    label: Label = LABEL

    def found(self) -> list[Found]:
        self.world.ask()
        found = [Found(each, is_chosen) for each, is_chosen in self.world.resources.items()]
        return found[:-1] if next(self.world.blinks) else found

    def exists(self, resource_id: str) -> bool:
        self.world.ask()
        return resource_id in self.world.resources

    def choose(self, resource_id: str) -> None:
        self.world.ask()
        if resource_id not in self.world.resources:
            raise NotFoundException
        self.world.resources[resource_id] = True

    def drop(self, resource_id: str) -> None:
        self.world.ask()
        self.world.resources.pop(resource_id, None)


def one_of(world: World) -> str:
    connection: Any = world
    return only_one(connection, Family(world), world.make)


def test_alone_one_is_made_and_marked_and_nothing_else_is_left() -> None:
    world = World()

    first = one_of(world)

    assert one_of(world) == first
    assert world.resources == {first: True}
    assert world.compute.pairs == {}


def test_a_key_pair_that_is_left_tells_whose_it_is() -> None:
    world = World()
    turns = Turns([])
    world.ask = world.compute.ask = turns.take
    turns.play([lambda: one_of(world)], [3])  # cut after it made the key pair

    (pair,) = world.compute.pairs.values()
    found = born_of(pair.public_key)

    assert found is not None
    assert found[0] == LABEL
    assert datetime.now(UTC) - found[1] < timedelta(minutes=1)
    for other in ("ssh-ed25519 AAAA", "ssh-ed25519 AAAA me@home", "ssh-rsa AAAA dtrove a b c d e f"):
        assert born_of(other) is None


def test_what_was_agreed_on_and_is_gone_is_agreed_on_anew() -> None:
    world = World()
    world.compute.create_keypair(name=NAME, public_key="ssh-ed25519 AAAA id-gone")

    assert world.resources == {one_of(world): True}
    assert world.compute.pairs == {}


def test_tries_that_never_agree_come_again_later() -> None:
    world = World()

    class Forgetful(Family):
        def found(self) -> list[Found]:
            return []

        def exists(self, resource_id: str) -> bool:
            return False

    connection: Any = world
    with pytest.raises(Transient, match="do not agree"):
        only_one(connection, Forgetful(world), world.make)


@given(
    order=st.lists(st.integers(0, 3), max_size=120),
    cuts=st.lists(st.integers(0, 12) | st.none(), min_size=4, max_size=4),
    blinks=st.lists(st.booleans(), max_size=20),
)
def test_in_any_order_and_cut_anywhere_all_agree(order: list[int], cuts: list[int | None], blinks: list[bool]) -> None:
    turns = Turns(order)
    world = World(turns.take)
    world.blinks = chain(blinks, repeat(False))

    agreed = turns.play([lambda: one_of(world) for _ in cuts], cuts)
    turns.end()
    world.blinks = repeat(False)
    last = one_of(world)

    assert set(agreed) <= {last}
    assert world.resources == {last: True}
    assert set(world.compute.pairs) <= {NAME}  # left by a cut right before its end, until the owner's own
