"""A guest's parameters: exactly these or those before, wherever an attempt is cut."""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import pytest

from chalicelib.datastores.applying import NOTE, LiveParameters, apply_parameters, values_of
from chalicelib.datastores.parameters import Parameter, Value
from chalicelib.errors import CommandFailed, Permanent, Transient
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest, render
from tests.fake_guest import FakeGuest

PATH, NEXT = "/etc/db.conf", "/etc/db.conf.next"
DEFAULTS: dict[str, Value] = {"cache": 16, "level": "low", "limit": 10, "slots": 4}
OFFERED = {
    "cache": Parameter("cache", "integer", False, 0, 2**40, of_memory=True),
    "level": Parameter("level", "string", False, choices=("low", "high", "cursed", "sticky")),
    "limit": Parameter("limit", "integer", False, 0, 1000),
    "slots": Parameter("slots", "integer", True, 1, 64),
}


class CutOff(Transient):
    """The connection was lost: here, after an effect."""


class FileGuest(FakeGuest):
    """Its files are there to be read and removed. It is cut off after `effects` effects, if that is a number."""

    effects: int | None = None

    def run(self, command: str, *, stdin: str = "", **words: str | int) -> str:
        paths = re.findall(r"/etc/[\w./]+", render(command, words))
        if command.startswith("for file in"):
            texts = [self.files.get(path, "") for path in (paths[0], NEXT, NOTE)]
            return "".join(base64.b64encode(each.encode()).decode() + "\n" for each in texts)
        assert command.startswith("rm -f")
        for path in paths:
            self.files.pop(path, None)
        self.take_effect()
        return ""

    def write(self, *files: File) -> None:
        super().write(*files)
        self.take_effect()

    def take_effect(self) -> None:
        if self.effects is not None:
            self.effects -= 1
            if self.effects < 0:
                raise CutOff


class Database(LiveParameters):
    """A server in memory. It refuses the level `cursed`, takes `sticky` for `high`, and would make 999 slots 64."""

    def __init__(self) -> None:
        super().__init__(OFFERED, PATH)
        self.has = dict(DEFAULTS)

    def lines(self, instance: Instance, values: Mapping[str, Value]) -> Iterable[str]:
        return (f"{name}={value}" for name, value in sorted(values.items()))

    def planned(
        self,
        instance: Instance,
        guest: Guest,
        values: Mapping[str, Value],
        names: Sequence[str],
    ) -> dict[str, Any]:
        planned = DEFAULTS | dict(values)
        planned["slots"] = min(int(planned["slots"]), 64)
        return {name: planned[name] for name in names}

    def set_live(self, guest: Guest, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if value == "cursed":
                raise CommandFailed(f"db-1: 'set' ended with status 1: unknown value 'cursed' for '{name}'", 1)
            self.has[name] = "high" if value == "sticky" else value
            cast(FileGuest, guest).take_effect()

    def actual(self, guest: Guest, names: Sequence[str]) -> dict[str, Any]:
        return {name: self.has[name] for name in names}

    def restart(self, guest: FakeGuest) -> None:
        guest.files[PATH] = guest.files.pop(NEXT, guest.files[PATH])
        self.has = DEFAULTS | values_of(guest.files[PATH])


@pytest.fixture
def guest(primary: Instance) -> FileGuest:
    guest = FileGuest()
    guest.write(File(PATH, Database().text(primary, {})))
    return guest


def test_dynamic_values_are_set_and_static_ones_wait(guest: FileGuest, primary: Instance) -> None:
    database = Database()

    waits = apply_parameters(database, primary, guest, {"limit": 20, "slots": 8})

    assert waits == {"slots"}
    assert database.has == DEFAULTS | {"limit": 20}
    assert values_of(guest.files[PATH]) == {"limit": 20}
    assert values_of(guest.files[NEXT]) == {"limit": 20, "slots": 8}
    assert NOTE not in guest.files


def test_after_the_restart_nothing_waits(guest: FileGuest, primary: Instance) -> None:
    database = Database()
    apply_parameters(database, primary, guest, {"limit": 20, "slots": 8})
    database.restart(guest)

    waits = apply_parameters(database, primary, guest, {"limit": 30, "slots": 8})

    assert waits == frozenset()
    assert database.has == DEFAULTS | {"limit": 30, "slots": 8}
    assert NEXT not in guest.files


def test_a_static_value_that_is_taken_back_before_the_restart_waits_no_more(
    guest: FileGuest, primary: Instance
) -> None:
    database = Database()
    apply_parameters(database, primary, guest, {"slots": 8})

    assert apply_parameters(database, primary, guest, {}) == frozenset()
    assert NEXT not in guest.files


def test_what_is_no_longer_among_them_goes_back_to_its_default(guest: FileGuest, primary: Instance) -> None:
    database = Database()
    apply_parameters(database, primary, guest, {"limit": 20, "level": "high", "slots": 8})
    database.restart(guest)

    waits = apply_parameters(database, primary, guest, {"level": "high"})

    assert waits == {"slots"}
    assert database.has == DEFAULTS | {"level": "high", "slots": 8}
    assert values_of(guest.files[NEXT]) == {"level": "high"}


def test_a_value_that_was_changed_by_hand_is_set_again(guest: FileGuest, primary: Instance) -> None:
    database = Database()
    apply_parameters(database, primary, guest, {"limit": 20})
    database.has["limit"] = 77

    apply_parameters(database, primary, guest, {"limit": 20})

    assert database.has["limit"] == 20


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"limit": 30, "level": "cursed"}, "unknown value 'cursed' for 'level'"),
        ({"limit": 30, "level": "sticky"}, "level is high after it was set to sticky"),
        ({"limit": 30, "slots": 999}, "it would make slots 64 instead of 999"),
    ],
)
def test_what_the_server_refuses_is_taken_back_as_a_whole(
    guest: FileGuest, primary: Instance, values: dict[str, Value], reason: str
) -> None:
    database = Database()
    apply_parameters(database, primary, guest, {"limit": 20, "slots": 8})
    database.has["limit"] = 21  # by hand
    before, has = dict(guest.files), dict(database.has)

    with pytest.raises(Permanent, match=f"^The datastore refused its parameters: {reason}"):
        apply_parameters(database, primary, guest, values)

    assert (guest.files, database.has) == (before, has)


def test_more_memory_than_there_is_is_refused_before_anything_happens(guest: FileGuest, primary: Instance) -> None:
    before = dict(guest.files)

    with pytest.raises(Permanent, match=r"^cache = 4294967297 is more than the instance's memory, 4096 MiB\.$"):
        apply_parameters(Database(), primary, guest, {"cache": 2**32 + 1})

    assert guest.files == before


def test_a_parameter_that_there_is_not_is_refused(guest: FileGuest, primary: Instance) -> None:
    with pytest.raises(Permanent, match=r"^The datastore has no parameter server_id\.$"):
        apply_parameters(Database(), primary, guest, {"server_id": 1})


def test_where_nothing_was_set_and_nothing_shall_be_nothing_is_done(guest: FileGuest, primary: Instance) -> None:
    before = dict(guest.files)

    assert apply_parameters(Database(), primary, guest, {}) == frozenset()
    assert guest.files == before


@pytest.mark.parametrize("effects", range(8))
def test_an_attempt_that_was_cut_anywhere_and_repeated_ends_as_wished(
    guest: FileGuest, primary: Instance, effects: int
) -> None:
    database = served(guest, primary)
    wished = {"cache": 32, "limit": 30, "slots": 16}

    cut(database, primary, guest, wished, effects)
    waits = apply_parameters(database, primary, guest, wished)

    assert waits == {"slots"}
    assert database.has == DEFAULTS | {"cache": 32, "limit": 30, "slots": 8}
    assert values_of(guest.files[NEXT]) == wished
    assert NOTE not in guest.files


@pytest.mark.parametrize("effects", range(12))
def test_a_refused_attempt_that_was_cut_anywhere_and_repeated_leaves_what_was_before(
    guest: FileGuest, primary: Instance, effects: int
) -> None:
    database = served(guest, primary)
    before, has = dict(guest.files), dict(database.has)
    refused: dict[str, Value] = {"cache": 32, "level": "sticky", "limit": 30}

    cut(database, primary, guest, refused, effects)
    with pytest.raises(Permanent, match="refused"):
        apply_parameters(database, primary, guest, refused)

    assert (guest.files, database.has) == (before, has)


@pytest.mark.parametrize("effects", range(8))
def test_an_attempt_that_was_cut_and_given_up_leaves_nothing_to_a_later_one(
    guest: FileGuest, primary: Instance, effects: int
) -> None:
    database = served(guest, primary)

    cut(database, primary, guest, {"cache": 32, "limit": 30, "slots": 16}, effects)
    waits = apply_parameters(database, primary, guest, {"level": "low", "slots": 8})

    assert waits == frozenset()
    assert database.has == DEFAULTS | {"slots": 8}
    assert NEXT not in guest.files


def served(guest: FileGuest, primary: Instance) -> Database:
    """Return a database that runs with parameters, none of which waits."""
    database = Database()
    apply_parameters(database, primary, guest, {"level": "high", "limit": 20, "slots": 8})
    database.restart(guest)
    return database


def cut(database: Database, primary: Instance, guest: FileGuest, values: Mapping[str, Value], effects: int) -> None:
    guest.effects = effects
    with suppress(CutOff, Permanent):
        apply_parameters(database, primary, guest, values)
    guest.effects = None


def test_the_first_line_of_a_file_holds_its_values(primary: Instance) -> None:
    values: dict[str, Value] = {"level": 'a"\u2028\\', "limit": 3}
    text = Database().text(primary, values)

    assert values_of(text) == values
    assert json.loads(text.split("\n")[0].partition(": ")[2]) == values
    assert values_of("# somebody else's\n") == {}
