"""Redis's users: what the server is told, word for word, and what it is never told."""

import json
from hashlib import sha256

import pytest

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.datastores.redis.accounts import CHANGE, LIST_NAMES, LIST_RULES, OF_ROOT
from chalicelib.datastores.redis.manager import RedisManager
from chalicelib.errors import NotOffered, Permanent
from tests.datastores.on_offer import version_of
from tests.datastores.told import packed, redis_commands, refusal_of
from tests.fake_guest import FakeGuest

HASH = f"#{sha256(b'opensesame').hexdigest()}"
RULES = "user default on #ab ~* &* +@all\nuser replication on #cd ~* &* +@all\nuser ann on #ef ~* &* +@all -@admin\n"
SAVED = ["ACL", "SAVE"]


@pytest.fixture
def accounts() -> Accounts:
    return RedisManager(version_of("redis")).accounts


@pytest.fixture
def guest() -> FakeGuest:
    return FakeGuest({CHANGE: "OK\n", LIST_RULES: packed(RULES)})


def test_each_instance_has_its_own(accounts: Accounts) -> None:
    assert not accounts.is_replicated


def test_users_are_listed_by_name(accounts: Accounts) -> None:
    guest = FakeGuest({LIST_NAMES: packed(json.dumps(["default", "replication", "bob", 'a"nn']))})

    assert accounts.users(guest) == [User('a"nn'), User("bob")]


def test_a_user_may_do_all_but_administer(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.create_users(guest, [User('a"\\nn', password="opensesame")])
    accounts.create_users(guest, [User('a"\\nn', password="opensesame")])

    assert [redis_commands(each) for each in guest.script] == 2 * [
        [
            [
                *("ACL", "SETUSER", 'a"\\nn', "reset", "on", HASH, "~*", "&*", "+@all", "-@admin", "-@dangerous"),
                *("+keys", "+sort", "+sort_ro", "+flushdb", "+flushall", "+swapdb", "+info", "+role", "+lastsave"),
            ],
            SAVED,
        ]
    ]


def test_a_renamed_user_keeps_its_rules_and_password(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.change_user(guest, User("ann"), User("bob"))

    assert redis_commands(guest.script[-1]) == [
        ["ACL", "SETUSER", "bob", "reset", "on", "#ef", "~*", "&*", "+@all", "-@admin"],
        ["ACL", "DELUSER", "ann"],
        SAVED,
    ]


def test_a_renaming_that_was_done_is_not_done_again(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.change_user(guest, User("former"), User("ann", password="opensesame"))

    assert redis_commands(guest.script[-1]) == [
        ["ACL", "SETUSER", "ann", "resetpass", "on", HASH],
        ["ACL", "DELUSER", "former"],
        SAVED,
    ]


def test_who_is_not_there_cannot_be_changed(accounts: Accounts, guest: FakeGuest) -> None:
    with pytest.raises(Permanent, match="no user 'former'"):
        accounts.change_user(guest, User("former"), User("former", password="opensesame"))


def test_a_dropped_user_is_gone_from_the_file_too(accounts: Accounts, guest: FakeGuest) -> None:
    guest.replies[CHANGE] = "1\nOK\n"

    accounts.drop_user(guest, User("ann"))

    assert redis_commands(guest.script[-1]) == [["ACL", "DELUSER", "ann"], SAVED]


def test_root_comes_in_with_the_new_password_or_not_at_all(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.enable_root(guest, "opensesame")
    accounts.disable_root(guest)

    assert redis_commands(guest.script[0]) == [
        ["ACL", "SETUSER", "default", "reset", "on", HASH, *OF_ROOT],
        SAVED,
    ]
    assert redis_commands(guest.script[1]) == [
        ["ACL", "SETUSER", "default", "off"],
        ["CLIENT", "KILL", "USER", "default"],
        SAVED,
    ]


@pytest.mark.parametrize(("word", "is_enabled"), [("on", True), ("off", False)])
def test_root_is_enabled_while_the_default_user_is_on(accounts: Accounts, word: str, is_enabled: bool) -> None:
    guest = FakeGuest({LIST_RULES: packed(f"user default {word} #ab ~* &* +@all\n")})

    assert accounts.is_root_enabled(guest) is is_enabled


def test_no_password_reaches_the_guest(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.create_users(guest, [User("ann", password="opensesame")])
    accounts.enable_root(guest, "opensesame")

    assert "opensesame" not in [word for line in guest.script for each in redis_commands(line) for word in each]
    assert "opensesame" not in "".join(guest.script)


def test_what_redis_refuses_is_told_in_its_words(accounts: Accounts, guest: FakeGuest) -> None:
    """redis-cli itself ends as if all was well."""
    guest.replies[CHANGE] = "ERR Error in ACL SETUSER modifier '+x': Unknown command\n\nOK\n"

    with pytest.raises(Permanent, match="Redis: ERR Error in ACL SETUSER modifier"):
        accounts.enable_root(guest, "opensesame")


def test_there_are_no_databases(accounts: Accounts) -> None:
    for ask in (
        lambda: accounts.check_database(Database("shop")),
        lambda: accounts.databases(FakeGuest()),
        lambda: accounts.create_databases(FakeGuest(), [Database("shop")]),
        lambda: accounts.drop_database(FakeGuest(), "shop"),
        lambda: accounts.grant(FakeGuest(), User("ann"), ["shop"]),
        lambda: accounts.revoke(FakeGuest(), User("ann"), "shop"),
    ):
        with pytest.raises(NotOffered, match="Redis has no databases"):
            ask()


@pytest.mark.parametrize(
    ("user", "why"),
    [
        (User("default"), "is reserved"),
        (User("a b"), "holds a space"),
        (User("a\u2003b"), "holds a space"),
        (User("x" * 129), "longer than 128 characters"),
        (User("ann", "10.0.%"), "a user of Redis is one from anywhere"),
        (User("ann", databases=("shop",)), "Redis has none"),
    ],
)
def test_users_that_cannot_be_are_refused(accounts: Accounts, user: User, why: str) -> None:
    assert why in (refusal_of(accounts, user) or "")
