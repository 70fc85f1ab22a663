"""MySQL's accounts: what the server is told, word for word, and what it is never told."""

from hashlib import sha256

import pytest

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.datastores.mysql.accounts import CHANGE, LIST
from chalicelib.datastores.mysql.caching_sha2 import caching_sha2_hash, sha256_crypt
from chalicelib.datastores.mysql.manager import MySQLManager
from chalicelib.datastores.mysql.native_password import native_password_hash
from chalicelib.errors import CommandFailed, Permanent
from chalicelib.models.datastore import Datastore
from tests.datastores.on_offer import version_of
from tests.datastores.told import input_of, mysql_statements, packed, refusal_of
from tests.fake_guest import FakeGuest

CHANGING, LISTING = CHANGE.format(client="mariadb"), LIST.format(client="mariadb")
HASH = native_password_hash("opensesame")
ANN = User("ann", databases=("shop", "a_b"), password="opensesame")


@pytest.fixture
def accounts() -> Accounts:
    return MySQLManager(version_of("mysql")).accounts


@pytest.fixture
def oracle() -> Accounts:
    record = Datastore(datastore="mysql", version="8.0", manager="mysql", packages=["mysql-server"])
    return MySQLManager(record).accounts


def talkative(users: str = "[]", grants: str = "[]", roots: int = 1, sessions: str = "") -> FakeGuest:
    return FakeGuest({CHANGING: sessions, LISTING: packed(f"{users}\n{grants}\n{roots}\n")})


def test_databases_are_listed_by_name_without_the_servers_own(accounts: Accounts) -> None:
    listed = '[["shop", "utf8mb4", "utf8mb4_bin"], ["mysql", "utf8mb4", "x"], ["a\\"\\n\\\\b", "latin1", "latin1_bin"]]'
    guest = FakeGuest({LISTING: packed(listed)})

    assert accounts.databases(guest) == [
        Database('a"\n\\b', "latin1", "latin1_bin"),
        Database("shop", "utf8mb4", "utf8mb4_bin"),
    ]


def test_users_are_listed_with_the_databases_they_are_granted(accounts: Accounts) -> None:
    guest = talkative(
        '[["root", "%"], ["replication", "%"], ["mysql", "localhost"], ["bob", "10.0.%"], ["ann", "%"]]',
        r'[["ann", "%", "shop"], ["ann", "%", "a\\_b"], ["ann", "%", "s%"], ["ann", "%", "c\\\\d"], ["root", "%", ""]]',
    )

    assert accounts.users(guest) == [User("ann", databases=("a_b", "c\\d", "shop")), User("bob", "10.0.%")]


def test_half_a_list_is_not_taken_for_a_whole_one(accounts: Accounts) -> None:
    guest = FakeGuest({LISTING: packed('[["shop", "utf8mb4", "utf8mb4_bin"]]')[:-8]})

    with pytest.raises(Permanent, match="more databases and users than can be listed"):
        accounts.databases(guest)


@pytest.mark.parametrize(("roots", "is_enabled"), [(1, True), (0, False)])
def test_root_is_enabled_while_it_is_there_and_not_locked(accounts: Accounts, roots: int, is_enabled: bool) -> None:
    guest = talkative(roots=roots)

    assert accounts.is_root_enabled(guest) is is_enabled
    assert "'$.account_locked'" in guest.script[0]


def test_databases_are_made(accounts: Accounts) -> None:
    guest = talkative()

    accounts.create_databases(guest, [Database("it`s"), Database("shop", "utf8mb4", "utf8mb4_bin")])

    (told,) = guest.script
    assert mysql_statements(told) == [
        "CREATE DATABASE IF NOT EXISTS `it``s`",
        "CREATE DATABASE IF NOT EXISTS `shop` CHARACTER SET `utf8mb4` COLLATE `utf8mb4_bin`",
    ]


def test_a_statement_reaches_client_and_server_as_digits_alone(accounts: Accounts) -> None:
    guest = talkative()

    accounts.create_databases(guest, [Database("ab\ndelimiter x")])

    assert input_of(guest.script[0]) == (
        "SET SESSION sql_log_off = ON, long_query_time = 31536000;\n"
        "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER';\n"
        f"SET @statement = IF(TRUE, _utf8mb4 X'{b'CREATE DATABASE IF NOT EXISTS `ab'.hex()}"
        f"{chr(10).encode().hex()}{b'delimiter x`'.hex()}', 'DO 0');\n"
        "PREPARE statement FROM @statement;\n"
        "EXECUTE statement;\n"
    )


def test_a_dropped_database_takes_its_grants_along(accounts: Accounts) -> None:
    guest = talkative(grants='[["ann", "%", "a\\\\_b"], ["bob", "%", "shop"], ["cid", "%", "a_b"]]')

    accounts.drop_database(guest, "a_b")

    held = "if EXISTS (SELECT 1 FROM mysql.db WHERE User = 'ann' AND Host = '%' AND Db = 'a\\_b'): "
    assert mysql_statements(guest.script[-1]) == [
        "DROP DATABASE IF EXISTS `a_b`",
        f"{held}REVOKE GRANT OPTION ON `a\\_b`.* FROM `ann`@`%`",
        f"{held}REVOKE ALL PRIVILEGES ON `a\\_b`.* FROM `ann`@`%`",
    ]


def test_users_are_made_from_hashes_and_granted_exactly_the_databases_that_are_named(accounts: Accounts) -> None:
    guest = talkative()

    accounts.create_users(guest, [ANN])
    accounts.create_users(guest, [ANN])

    identified = f"IDENTIFIED VIA mysql_native_password USING '{HASH}'"
    assert [mysql_statements(each) for each in guest.script] == 2 * [
        [
            f"CREATE USER IF NOT EXISTS `ann`@`%` {identified}",
            f"ALTER USER `ann`@`%` {identified}",
            "GRANT ALL PRIVILEGES ON `shop`.* TO `ann`@`%`",
            "GRANT ALL PRIVILEGES ON `a\\_b`.* TO `ann`@`%`",
        ]
    ]


def test_a_user_without_a_password_is_not_made(accounts: Accounts) -> None:
    with pytest.raises(Permanent, match="no password"):
        accounts.create_users(FakeGuest(), [User("ann")])


def test_a_user_is_renamed_if_it_is_there_still(accounts: Accounts) -> None:
    guest = talkative()

    accounts.change_user(guest, User("ann", "10.0.%"), User("bob", "%", password="opensesame"))

    assert mysql_statements(guest.script[0]) == [
        "if EXISTS (SELECT 1 FROM mysql.user WHERE User = 'ann' AND Host = '10.0.%'):"
        " RENAME USER `ann`@`10.0.%` TO `bob`@`%`",
        "GRANT USAGE ON *.* TO `bob`@`%`",
        f"ALTER USER `bob`@`%` IDENTIFIED VIA mysql_native_password USING '{HASH}'",
    ]


def test_a_user_that_keeps_its_name_gets_a_password(accounts: Accounts) -> None:
    guest = talkative()

    accounts.change_user(guest, User("ann"), User("ann", password="opensesame"))

    assert [each.split()[0] for each in mysql_statements(guest.script[0])] == ["GRANT", "ALTER"]


def test_a_dropped_users_sessions_end(accounts: Accounts) -> None:
    guest = talkative(sessions="7\n12\n")

    accounts.drop_user(guest, User("ann"))

    assert mysql_statements(guest.script[0]) == ["DROP USER IF EXISTS `ann`@`%`"]
    assert mysql_statements(guest.script[2]) == [
        "if EXISTS (SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = '7'): KILL 7",
        "if EXISTS (SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = '12'): KILL 12",
    ]


def test_a_grant_is_taken_back_if_it_is_there_still(accounts: Accounts) -> None:
    guest = talkative()

    accounts.grant(guest, User("ann"), ["shop"])
    accounts.revoke(guest, User("ann"), "shop")

    assert mysql_statements(guest.script[0]) == ["GRANT ALL PRIVILEGES ON `shop`.* TO `ann`@`%`"]
    assert mysql_statements(guest.script[1])[1] == (
        "if EXISTS (SELECT 1 FROM mysql.db WHERE User = 'ann' AND Host = '%' AND Db = 'shop'):"
        " REVOKE ALL PRIVILEGES ON `shop`.* FROM `ann`@`%`"
    )


def test_root_comes_in_with_the_new_password_or_not_at_all(accounts: Accounts) -> None:
    guest = talkative()

    accounts.enable_root(guest, "opensesame")
    accounts.disable_root(guest)

    identified = f"IDENTIFIED VIA mysql_native_password USING '{HASH}'"
    assert mysql_statements(guest.script[0]) == [
        f"CREATE USER IF NOT EXISTS `root`@`%` {identified}",
        "GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION",
        "REVOKE READ_ONLY ADMIN ON *.* FROM `root`@`%`",
        f"ALTER USER `root`@`%` {identified} ACCOUNT UNLOCK",
    ]
    assert mysql_statements(guest.script[1]) == ["ALTER USER IF EXISTS `root`@`%` ACCOUNT LOCK"]


def test_no_password_reaches_the_guest(accounts: Accounts) -> None:
    guest = talkative()

    accounts.create_users(guest, [ANN])
    accounts.change_user(guest, ANN, ANN)
    accounts.enable_root(guest, "opensesame")

    told = "".join(guest.script + [each for line in guest.script for each in mysql_statements(line)])
    assert "opensesame" not in told
    assert b"opensesame".hex() not in told


def test_what_the_server_refuses_is_told_in_its_words(accounts: Accounts) -> None:
    guest = FakeGuest({CHANGING: CommandFailed("ERROR 1273 Unknown collation: 'x'", 1)})

    with pytest.raises(Permanent, match="Unknown collation"):
        accounts.create_databases(guest, [Database("shop", collate="x")])


def test_oracles_server_is_told_hashes_of_its_own_kind(oracle: Accounts) -> None:
    guest = FakeGuest({CHANGE.format(client="mysql"): ""})

    oracle.create_users(guest, [ANN])
    oracle.enable_root(guest, "opensesame")

    made, changed, *granted = mysql_statements(guest.script[0])
    assert made.startswith("CREATE USER IF NOT EXISTS `ann`@`%` IDENTIFIED WITH caching_sha2_password AS 0x")
    kept = bytes.fromhex(changed.rpartition("0x")[2]).decode()
    assert kept == f"$A$005${kept[7:27]}{sha256_crypt(b'opensesame', kept[7:27].encode())}"
    assert granted[0] == "GRANT ALL PRIVILEGES ON `shop`.* TO `ann`@`%`"
    assert not any("READ_ONLY" in each for each in mysql_statements(guest.script[1]))
    assert "sql_mode = 'STRICT_TRANS_TABLES';" in guest.script[0]


def test_oracles_root_is_looked_for_in_its_own_table(oracle: Accounts) -> None:
    guest = FakeGuest({LIST.format(client="mysql"): packed("[]\n[]\n1\n")})

    assert oracle.is_root_enabled(guest)
    assert "account_locked = 'N'" in guest.script[0]


@pytest.mark.parametrize(
    ("password", "salt", "digest"),
    [
        # openssl passwd -5 -salt saltstring 'Hello world!'
        ("Hello world!", "saltstring", "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
        ("дрвé" + "x" * 43, "0123456789abcdef", "Bt1l21XpZENciHgt05kKvwGxv6bRitRvevJyHftV8B."),
    ],
)
def test_sha256_crypt_is_the_one_others_make(password: str, salt: str, digest: str) -> None:
    assert sha256_crypt(password.encode(), salt.encode()) == digest


def test_a_salt_is_drawn_for_each_password() -> None:
    assert len({sha256(caching_sha2_hash("same").encode()).hexdigest() for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("database", "why"),
    [
        (Database("MySQL"), "is reserved"),
        (Database("x" * 65), "longer than 64 characters"),
        (Database("_" * 33), "counted twice"),
        (Database("д" * 60), "count fivefold"),
        (Database("#mysql50#x"), "begins with #mysql50#"),
        (Database("🙂"), "beyond U\\+FFFF"),
        (Database("x", "klingon"), "character set 'klingon' is none"),
        (Database("x", None, "a b"), "collation 'a b' is none"),
    ],
)
def test_databases_that_cannot_be_are_refused(accounts: Accounts, database: Database, why: str) -> None:
    with pytest.raises(Exception, match=f"^Validation error: .*{why}"):
        accounts.check_database(database)


@pytest.mark.parametrize("name", ["''", "'al'", "'\\''"])
def test_a_user_that_could_never_log_in_is_refused(accounts: Accounts, name: str) -> None:
    assert "begins and ends with '" in (refusal_of(accounts, User(name)) or "")
    assert refusal_of(accounts, User("'")) is None
    assert refusal_of(accounts, User("it's")) is None


@pytest.mark.parametrize("host", ["%", "10.0.0.5", "10.0.%", "192.168.1._", "10.0.0.0/255.255.255.0"])
def test_a_user_may_be_bound_to_addresses(accounts: Accounts, host: str) -> None:
    assert refusal_of(accounts, User("ann", host)) is None


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "db.example.com", "10.0.0.0/24", "10.0.0.1/255.255.255.0", "::1", "10.0.0.0/x", "%' OR '1"],
)
def test_a_user_bound_to_a_host_that_never_matches_is_refused(accounts: Accounts, host: str) -> None:
    assert "the server resolves no names" in (refusal_of(accounts, User("ann", host)) or "")


def test_a_users_name_is_as_long_as_the_server_takes(accounts: Accounts, oracle: Accounts) -> None:
    assert refusal_of(accounts, User("x" * 128)) is None
    assert "longer than 128 characters" in (refusal_of(accounts, User("x" * 129)) or "")
    assert "longer than 32 characters" in (refusal_of(oracle, User("x" * 33)) or "")
