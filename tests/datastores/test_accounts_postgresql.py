"""PostgreSQL's accounts: what the server is told, word for word, and what it is never told."""

import json

import pytest

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.datastores.postgresql.accounts import CHANGE, LIST
from chalicelib.datastores.postgresql.manager import PostgresManager
from chalicelib.datastores.postgresql.saslprep import saslprep
from chalicelib.datastores.postgresql.scram import scram_verifier
from chalicelib.errors import CommandFailed, Permanent
from tests.datastores.on_offer import version_of
from tests.datastores.told import POSTGRES_TEXT, SCRAM, packed, postgres_script, refusal_of
from tests.fake_guest import FakeGuest

ANN = User("ann", databases=("shop",), password="opensesame")


@pytest.fixture
def accounts() -> Accounts:
    return PostgresManager(version_of("postgresql")).accounts


@pytest.fixture
def guest() -> FakeGuest:
    return FakeGuest({CHANGE: ""})


def listing(found: object) -> FakeGuest:
    return FakeGuest({LIST: packed(json.dumps(found)), CHANGE: ""})


def test_databases_are_listed_by_name(accounts: Accounts) -> None:
    guest = listing([["shop", "UTF8", "C.UTF-8"], ['a"\n\\b', "UTF8", "C"]])

    assert accounts.databases(guest) == [Database('a"\n\\b', "UTF8", "C"), Database("shop", "UTF8", "C.UTF-8")]


def test_users_are_listed_with_the_databases_they_are_granted(accounts: Accounts) -> None:
    guest = listing(
        {
            "users": ["postgres", "replication", "bob", "ann"],
            "grants": [["ann", "shop"], ["ann", "bar"], ["postgres", "shop"]],
            "is_root_enabled": True,
        }
    )

    assert accounts.users(guest) == [User("ann", databases=("bar", "shop")), User("bob")]
    assert accounts.is_root_enabled(guest)


def test_a_database_is_made_closed_to_all(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.create_databases(guest, [Database("shop")])

    assert postgres_script(guest.script[0]) == (
        "SELECT format(\n"
        "    'CREATE DATABASE %I TEMPLATE template0 ENCODING ''UTF8''',\n"
        "    'shop'\n"
        ")\n"
        "WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'shop') \\gexec\n"
        "-- Else every user could connect to it.\n"
        "SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', 'shop') \\gexec\n"
    )


def test_a_database_may_have_a_locale(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.create_databases(guest, [Database("shop", "utf8", "C")])

    told = postgres_script(guest.script[0])
    assert "ENCODING ''UTF8'' LC_COLLATE %L LC_CTYPE %L',\n    'shop', 'C', 'C'\n)" in told


def test_a_dropped_database_does_not_wait_for_who_is_in_it(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.drop_database(guest, "shop")

    assert postgres_script(guest.script[0]) == (
        "SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', 'shop') \\gexec\n"
    )


def test_users_are_made_from_verifiers(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.create_users(guest, [User("ann", password="opensesame")])

    assert postgres_script(guest.script[0]) == (
        "SELECT format('CREATE ROLE %I', 'ann')\n"
        "WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ann') \\gexec\n"
        "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', 'ann', 'SCRAM') \\gexec\n"
    )


def test_a_user_without_a_password_is_not_made(accounts: Accounts) -> None:
    with pytest.raises(Permanent, match="no password"):
        accounts.create_users(FakeGuest(), [User("ann")])


def test_a_grant_opens_the_database_and_what_is_and_will_be_in_it(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.create_users(guest, [ANN])
    accounts.grant(guest, ANN, ["shop"])

    made, granted = (postgres_script(each) for each in guest.script)
    assert made.endswith(granted)
    assert granted.startswith(
        "SELECT format('GRANT ALL ON DATABASE %I TO %I', 'shop', 'ann') \\gexec\n"
        "\\connect -reuse-previous=on postgresql:///%73%68%6f%70\n"
        "DO $$\n"
    )
    assert "one text := 'ann';" in granted
    assert "FOR ROLE %I IN SCHEMA public GRANT ALL ON ' || kind || ' TO %I', other, one" in granted
    assert "FOR ROLE %I IN SCHEMA public GRANT ALL ON ' || kind || ' TO %I', one, other" in granted
    assert "format('GRANT ALL ON ' || kind || ' public TO %I', one)" in granted
    assert granted.endswith("END $$;\n\\connect postgres\n")


def test_what_was_granted_is_taken_back_if_both_are_there_still(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.revoke(guest, ANN, "shop")

    told = postgres_script(guest.script[0])
    assert told.startswith(
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ann')\n"
        "    AND EXISTS (SELECT FROM pg_database WHERE datname = 'shop') AS is_there \\gset\n"
        "\\if :is_there\n"
    )
    assert "IN SCHEMA public REVOKE ALL ON ' || kind || ' FROM %I', other, one" in told
    assert told.endswith(
        "\\connect postgres\n"
        "SELECT format('REVOKE ALL ON DATABASE %I FROM %I', 'shop', 'ann') \\gexec\n"
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ann' AND datname = 'shop';\n"
        "\\endif\n"
    )


def test_a_user_is_renamed_if_it_is_there_still(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.change_user(guest, User("ann"), User("bob", password="opensesame"))
    accounts.change_user(guest, User("ann"), User("bob"))

    with_password, without = (postgres_script(each) for each in guest.script)
    assert with_password.startswith(
        "SELECT format('ALTER ROLE %I RENAME TO %I', 'ann', 'bob')\n"
        "WHERE 'ann' <> 'bob' AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'ann') \\gexec\n"
    )
    assert with_password.endswith("SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', 'bob', 'SCRAM') \\gexec\n")
    assert without.endswith("SELECT format('ALTER ROLE %I LOGIN', 'bob') \\gexec\n")


def test_what_a_dropped_user_made_stays_in_every_database(accounts: Accounts) -> None:
    guest = listing(["postgres", "shop"])

    accounts.drop_user(guest, User("ann"))

    assert postgres_script(guest.script[1]) == (
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ann') AS is_there \\gset\n"
        "\\if :is_there\n"
        "SELECT format('ALTER ROLE %I NOLOGIN', 'ann') \\gexec\n"
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ann';\n"
        "\\connect -reuse-previous=on postgresql:///%70%6f%73%74%67%72%65%73\n"
        "SELECT format('REASSIGN OWNED BY %I TO postgres', 'ann') \\gexec\n"
        "SELECT format('DROP OWNED BY %I', 'ann') \\gexec\n"
        "\\connect -reuse-previous=on postgresql:///%73%68%6f%70\n"
        "SELECT format('REASSIGN OWNED BY %I TO postgres', 'ann') \\gexec\n"
        "SELECT format('DROP OWNED BY %I', 'ann') \\gexec\n"
        "\\connect postgres\n"
        "SELECT format('DROP ROLE IF EXISTS %I', 'ann') \\gexec\n"
        "\\endif\n"
    )


def test_root_comes_in_with_the_new_password_or_not_at_all(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.enable_root(guest, "opensesame")
    accounts.disable_root(guest)

    enabled, disabled = (postgres_script(each) for each in guest.script)
    assert enabled == "SELECT format('ALTER ROLE postgres LOGIN PASSWORD %L', 'SCRAM') \\gexec\n"
    assert disabled.startswith("ALTER ROLE postgres PASSWORD NULL;\n")
    assert "usename = 'postgres' AND client_addr IS NOT NULL" in disabled


def test_no_password_reaches_the_guest_and_no_salt_comes_twice(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.create_users(guest, [ANN, User("bob", password="opensesame")])
    accounts.change_user(guest, ANN, ANN)
    accounts.enable_root(guest, "opensesame")

    told = "".join(guest.script)
    texts = [bytes.fromhex(each).decode() for each in POSTGRES_TEXT.findall(told)]
    verifiers = [each for each in texts if SCRAM.match(each)]
    assert "opensesame" not in told + "".join(texts)
    assert len(set(verifiers)) == len(verifiers) == 4


def test_what_a_customer_defined_is_not_found_by_the_administrator(accounts: Accounts, guest: FakeGuest) -> None:
    accounts.grant(guest, ANN, ["shop"])

    assert "-c search_path=pg_catalog " in guest.script[0].partition(" <<< ")[0]


def test_what_the_server_refuses_is_told_in_its_words(accounts: Accounts) -> None:
    guest = FakeGuest({CHANGE: CommandFailed("ERROR: invalid locale name", 3)})

    with pytest.raises(Permanent, match="invalid locale name"):
        accounts.create_databases(guest, [Database("shop", collate="xx_XX")])


@pytest.mark.parametrize(
    ("given", "prepared"),
    [  # RFC 4013, section 3, and what PostgreSQL does with what SASLprep forbids
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u0627\u0031", "\u0627\u0031"),
        ("a\u00a0b", "a b"),
        ("\u00ad", "\u00ad"),
        ("\U0001f9ff\u2168", "\U0001f9ff\u2168"),
    ],
)
def test_passwords_are_prepared_as_clients_prepare_them(given: str, prepared: str) -> None:
    assert saslprep(given) == prepared
    assert scram_verifier(given, "x") == scram_verifier(prepared, "x")


@pytest.mark.parametrize(
    ("database", "why"),
    [
        (Database("Postgres"), "is reserved"),
        (Database("template1"), "is reserved"),
        (Database("д" * 32), "longer than 63 bytes"),
        (Database("x", "latin1"), "'latin1' is not UTF8"),
        (Database("x", None, "a'b"), "no locale's name"),
    ],
)
def test_databases_that_cannot_be_are_refused(accounts: Accounts, database: Database, why: str) -> None:
    assert why in (refusal_of(accounts, database) or "")


@pytest.mark.parametrize(
    ("user", "why"),
    [
        (User("postgres"), "is reserved"),
        (User("pg_ann"), "begins with pg_"),
        (User("x" * 64), "longer than 63 bytes"),
        (User("ann", "10.0.%"), "a user of PostgreSQL is one from anywhere"),
        (User("ann", databases=("template0",)), "is reserved"),
    ],
)
def test_users_that_cannot_be_are_refused(accounts: Accounts, user: User, why: str) -> None:
    assert why in (refusal_of(accounts, user) or "")
