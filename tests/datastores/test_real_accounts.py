"""Every datastore's accounts on real guests: made, used over the network, changed and dropped; a primary, a replica."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.models.instance import Instance
from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.ssh.client import SshGuest
from tests.datastores.clients import REFUSALS, eventually
from tests.datastores.on_offer import PACKAGES
from tests.datastores.real_cluster import RealCluster, guests_of
from tests.datastores.test_accounts_quoting import TEXTS
from tests.datastores.told import refusal_of
from tests.datastores.visitors import VISITORS, RedisVisitor, Visitor

pytestmark = pytest.mark.guests

GOLDEN = "debian-12-golden"
SECONDS_TO_REPLICATE = 10.0
NAMES = (
    *(
        "it's",
        'say "no"',
        "back`tick",
        "back\\slash",
        "trail\\",
        "a;b",
        "'; DROP DATABASE shop; --",
        "$(reboot)",
        "`reboot`",
    ),
    *(
        "%s",
        "100%",
        "a_b",
        "dot.ted",
        "a@b",
        "@",
        ":name",
        ":'name'",
        "\\q",
        "a/b",
        "../up",
        "#hash",
        "--",
        "/* */",
        "{x}",
    ),
    *(
        "two words",
        "delimiter",
        "имя",
        "名前",
        "שלום",
        "abc\u202edef",
        "zero\u200bwidth",
        "e\u0301",
        "🙂",
        "\ud800",
        "a\nb",
    ),
    *(
        "a\r\n\\! reboot",
        "a\tb",
        "\0",
        " x",
        "x ",
        "",
        "x" * 63,
        "x" * 64,
        "x" * 65,
        "д" * 31,
        "д" * 51,
        "_" * 32,
        "_" * 33,
    ),
)
SOME = settings(
    deadline=None,
    database=None,
    max_examples=2,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NspawnProvider]:
    with guests_of(tmp_path_factory.mktemp("nspawn"), "dtroveacct0", "10.79.13.0/24") as provider:
        yield provider


@pytest.fixture(scope="module", params=PACKAGES)
def cluster(provider: NspawnProvider, request: pytest.FixtureRequest) -> Iterator[RealCluster]:
    """A primary and a replica that serve, without a volume."""
    cluster = RealCluster(provider, request.param, GOLDEN, volume_gib=None)
    try:
        cluster.provision(cluster.add_members(2))
        cluster.start_primary()
        cluster.join(cluster.replicas)
        yield cluster
    finally:
        cluster.destroy()


@pytest.fixture
def has_databases(cluster: RealCluster) -> bool:
    return accounts_of(cluster).is_replicated


@pytest.fixture
def ann(cluster: RealCluster, has_databases: bool) -> Iterator[User]:
    """A user of a database of its own; both are dropped afterwards."""
    ann = User("ann", databases=("shop",) if has_databases else (), password=secrets.token_urlsafe())
    if has_databases:
        change(cluster, lambda accounts, guest: accounts.create_databases(guest, [Database("shop")]))
    change(cluster, lambda accounts, guest: accounts.create_users(guest, [ann]))
    yield ann
    change(cluster, lambda accounts, guest: accounts.drop_user(guest, ann))
    if has_databases:
        change(cluster, lambda accounts, guest: accounts.drop_database(guest, "shop"))


def test_a_user_works_on_the_primary_and_reads_on_the_replica(cluster: RealCluster, ann: User) -> None:
    visitor(cluster, ann).make("made_by_ann")

    assert visitor(cluster, ann).read("made_by_ann") == "well"
    on_replica = visitor(cluster, ann, cluster.replicas[0])
    eventually(lambda: on_replica.read("made_by_ann") == "well", SECONDS_TO_REPLICATE)
    with pytest.raises(REFUSALS, match=r"(?i)read.?only"):
        on_replica.make("never_here")


def test_accounts_are_listed_as_they_were_made(cluster: RealCluster, ann: User, has_databases: bool) -> None:
    for instance in cluster.members:
        with cluster.guest(instance) as guest:
            users = accounts_of(cluster).users(guest)
            databases = accounts_of(cluster).databases(guest) if has_databases else []
        if instance is cluster.primary or not has_databases:
            assert users == [User("ann", databases=ann.databases)]
            assert [each.name for each in databases] == list(ann.databases)


def test_users_of_a_database_share_what_they_make(cluster: RealCluster, ann: User) -> None:
    """Also if one was granted it after the other had begun."""
    bob = User("bob", databases=ann.databases, password=secrets.token_urlsafe())
    visitor(cluster, ann).make("before_bob")
    change(cluster, lambda accounts, guest: accounts.create_users(guest, [bob]))
    visitor(cluster, ann).make("after_bob")
    visitor(cluster, bob).make("made_by_bob")

    assert [visitor(cluster, bob).read(each) for each in ("before_bob", "after_bob")] == ["well"] * 2
    assert visitor(cluster, ann).read("made_by_bob") == "well"

    change(cluster, lambda accounts, guest: accounts.drop_user(guest, bob))
    assert visitor(cluster, ann).read("made_by_bob") == "well"


def test_what_is_not_granted_is_refused(cluster: RealCluster, ann: User, has_databases: bool) -> None:
    if not has_databases:
        pytest.skip("no databases")
    change(cluster, lambda accounts, guest: accounts.create_databases(guest, [Database("shxp"), Database("s_op")]))
    bob = User("bob", databases=("s_op",), password=secrets.token_urlsafe())
    change(cluster, lambda accounts, guest: accounts.create_users(guest, [bob]))

    visitor(cluster, bob, database="s_op").make("mine")
    for user, database in ((bob, "shop"), (bob, "shxp"), (ann, "shxp"), (ann, "s_op")):
        with pytest.raises(REFUSALS, match=r"(?i)denied"):
            visitor(cluster, user, database=database).come_in()

    change(cluster, lambda accounts, guest: accounts.drop_user(guest, bob))
    for name in ("shxp", "s_op"):
        change(cluster, lambda accounts, guest, name=name: accounts.drop_database(guest, name))  # type: ignore[misc]


def test_what_is_taken_back_is_refused_until_it_is_granted_again(
    cluster: RealCluster, ann: User, has_databases: bool
) -> None:
    if not has_databases:
        pytest.skip("no databases")
    visitor(cluster, ann).make("mine")

    change(cluster, lambda accounts, guest: accounts.revoke(guest, ann, "shop"))
    with pytest.raises(REFUSALS, match=r"(?i)denied"):
        visitor(cluster, ann).come_in()
    change(cluster, lambda accounts, guest: accounts.grant(guest, ann, ["shop"]))

    assert visitor(cluster, ann).read("mine") == "well"


def test_a_database_that_is_made_again_is_another_one(cluster: RealCluster, ann: User, has_databases: bool) -> None:
    if not has_databases:
        pytest.skip("no databases")
    with visitor(cluster, ann).stay():  # it is dropped all the same
        change(cluster, lambda accounts, guest: accounts.drop_database(guest, "shop"))
    change(cluster, lambda accounts, guest: accounts.create_databases(guest, [Database("shop")]))

    with pytest.raises(REFUSALS, match=r"(?i)denied"):
        visitor(cluster, ann).come_in()


def test_a_user_with_another_name_and_password_keeps_its_grants(cluster: RealCluster, ann: User) -> None:
    renamed = User("Ann O'Hara" if accounts_of(cluster).is_replicated else "Ann.O'Hara", databases=ann.databases)
    told = User(renamed.name, databases=ann.databases, password="pä'ss\"`\\ wörd ½ 名 $(reboot)")
    visitor(cluster, ann).make("mine")

    change(cluster, lambda accounts, guest: accounts.change_user(guest, ann, renamed))
    with_old_password = visitor(cluster, User(renamed.name, databases=ann.databases, password=ann.password))
    assert with_old_password.read("mine") == "well"
    change(cluster, lambda accounts, guest: accounts.change_user(guest, renamed, told))

    assert visitor(cluster, told).read("mine") == "well"
    eventually(lambda: visitor(cluster, told, cluster.replicas[0]).read("mine") == "well", SECONDS_TO_REPLICATE)
    for former in (visitor(cluster, ann), with_old_password):
        with pytest.raises(REFUSALS):
            former.come_in()
    change(cluster, lambda accounts, guest: accounts.change_user(guest, told, ann))


def test_a_dropped_user_is_out_at_once(cluster: RealCluster, ann: User) -> None:
    here = visitor(cluster, ann)
    connection = here.stay()
    here.ask(connection)

    change(cluster, lambda accounts, guest: accounts.drop_user(guest, ann))

    with pytest.raises((*REFUSALS, OSError)):
        here.ask(connection)
    for instance in cluster.members:
        eventually(lambda instance=instance: is_refused(visitor(cluster, ann, instance)), SECONDS_TO_REPLICATE)  # type: ignore[misc]


def test_root_is_locked_and_comes_back_with_another_password(cluster: RealCluster) -> None:
    assert all(is_root_enabled(cluster, each) for each in cluster.members)
    former = root(cluster, cluster.passwords.root)
    connection = former.stay()
    former.ask(connection)

    change(cluster, lambda accounts, guest: accounts.disable_root(guest))

    with pytest.raises((*REFUSALS, OSError)):
        former.ask(connection)
    for instance in cluster.members:
        locked = root(cluster, cluster.passwords.root, instance)
        eventually(lambda locked=locked: is_refused(locked), SECONDS_TO_REPLICATE)  # type: ignore[misc]
        assert not is_root_enabled(cluster, instance)

    change(cluster, lambda accounts, guest: accounts.enable_root(guest, "another 1"))

    for instance in cluster.members:
        again = root(cluster, "another 1", instance)
        eventually(lambda again=again: again.come_in() is None, SECONDS_TO_REPLICATE)  # type: ignore[misc]
        assert is_refused(root(cluster, cluster.passwords.root, instance))
        assert is_root_enabled(cluster, instance)
    change(cluster, lambda accounts, guest: accounts.enable_root(guest, cluster.passwords.root))


def test_a_user_of_redis_reaches_neither_settings_nor_users_nor_replication(cluster: RealCluster, ann: User) -> None:
    here = visitor(cluster, ann)
    if not isinstance(here, RedisVisitor):
        pytest.skip("its users are not grants")
    allowed: tuple[tuple[str, ...], ...] = (
        ("KEYS", "*"),
        ("FLUSHDB",),
        ("SORT", "list"),
        ("INFO",),
        ("ROLE",),
        ("CLIENT", "SETNAME", "x"),
        ("EVAL", "return redis.call('SET', 'k', 'v')", "0"),
        ("XADD", "s", "*", "a", "b"),
        ("PUBLISH", "c", "m"),
    )
    refused: tuple[tuple[str, ...], ...] = (
        ("ACL", "LIST"),
        ("ACL", "SETUSER", "eve", "on", "nopass", "+@all"),
        ("CONFIG", "GET", "masterauth"),
        ("REPLICAOF", "NO", "ONE"),
        ("SHUTDOWN",),
        ("DEBUG", "SLEEP", "0"),
        ("MODULE", "LIST"),
        ("CLIENT", "LIST"),
        ("MIGRATE", "10.0.0.1", "6379", "k", "0", "1"),
        ("MONITOR",),
        ("EVAL", "return redis.call('CONFIG', 'GET', '*')", "0"),
    )
    for words in allowed:
        here.execute(*words)
    for words in refused:
        with pytest.raises(REFUSALS, match=r"(?i)no permissions|can't run this command|not allowed"):
            here.execute(*words)


def test_a_replica_that_joins_later_has_the_same_accounts(cluster: RealCluster, ann: User) -> None:
    if accounts_of(cluster).is_replicated:
        pytest.skip("they come by replication")
    change(cluster, lambda accounts, guest: accounts.disable_root(guest))
    new = cluster.add_members(1)
    cluster.provision(new)
    cluster.join(new)

    visitor(cluster, ann, new[0]).come_in()
    assert is_refused(root(cluster, cluster.passwords.root, new[0]))
    with cluster.guest(new[0]) as guest:
        assert guest.run("stat --format='%a %U' /etc/redis/users.acl") == "640 redis\n"

    change(cluster, lambda accounts, guest: accounts.enable_root(guest, cluster.passwords.root))


def test_every_hostile_name_is_a_name_or_refused_by_rule(cluster: RealCluster) -> None:
    taken = round_trip(cluster, list(NAMES))

    for name in ("it's", "$(reboot)", "имя", "%s", "\\q", "a@b"):
        assert any(name in each for each in taken)
    assert not {"\ud800", "\0", "", "a\nb", " x"} & set(taken)


@given(names=st.lists(TEXTS, min_size=12, max_size=12, unique=True))
@SOME
def test_every_text_is_a_name_or_refused_by_rule(cluster: RealCluster, names: list[str]) -> None:
    round_trip(cluster, names)


def test_hundreds_of_users_are_listed_whole(cluster: RealCluster) -> None:
    """Also where their names alone are more than a command may print."""
    count, digits = (100, 29) if cluster.datastore == "postgresql" else (600, 61)
    made = [User(f"{number:03}-{secrets.token_hex(digits)}", password=f"of {number}") for number in range(count)]

    with cluster.guest(cluster.primary) as guest:
        accounts_of(cluster).create_users(guest, made)
        listed = accounts_of(cluster).users(guest)

    assert [each.name for each in listed if "-" in each.name] == [each.name for each in made]


def test_no_password_is_kept_where_the_guest_or_its_server_could_show_it(cluster: RealCluster, ann: User) -> None:
    """Neither of ann nor of those that the tests before this one made."""
    sought = "\n".join([str(ann.password), "pä'ss\"`\\ wörd ½ 名 $(reboot)", "another 1"])
    for instance in cluster.members:
        with cluster.guest(instance) as guest:
            search = "grep -rlsFf - --devices=skip /etc /home /opt /root /run /tmp /var || true"
            assert guest.run(search, stdin=f"{sought}\n") == ""


def round_trip(cluster: RealCluster, names: list[str]) -> list[str]:
    """Make databases and users of these names, come in as each user, drop all. Return the users' names."""
    accounts = accounts_of(cluster)
    databases = possible(cluster, names, Database) if accounts.is_replicated else []
    of_users = possible(cluster, names, User)
    users = [user_of(accounts, each, databases[at % (len(databases) or 1) :][:1]) for at, each in enumerate(of_users)]
    with cluster.guest(cluster.primary) as guest:
        if databases:
            accounts.create_databases(guest, [Database(each) for each in databases])
            assert databases == [each.name for each in accounts.databases(guest)]
        accounts.create_users(guest, users)
        assert {each.name: each.databases for each in users} == {
            each.name: each.databases for each in accounts.users(guest)
        }
        for user in users:
            visitor(cluster, user).come_in()
        for name in databases:
            accounts.drop_database(guest, name)
        for user in users:
            accounts.drop_user(guest, user)
        assert accounts.users(guest) == []
        assert not databases or accounts.databases(guest) == []
    return of_users


def possible(cluster: RealCluster, names: list[str], made: type[Database] | type[User]) -> list[str]:
    """Return the names that the rules let pass; on PostgreSQL, where each costs most of a second, several in one."""
    accounts, found = accounts_of(cluster), [""]
    for name in names:
        if cluster.datastore == "postgresql" and refusal_of(accounts, made(found[-1] + name)) is None:
            found[-1] += name
        elif refusal_of(accounts, made(name)) is None:
            found.append(name)
    return sorted({*found} - {""})


def user_of(accounts: Accounts, name: str, databases: list[str]) -> User:
    """Return a user with a password as hostile as its name, if the rules let it pass."""
    password = name[::-1] if refusal_of(accounts, User(name, password=name[::-1])) is None else "plain"
    return User(name, databases=tuple(databases), password=password)


def change(cluster: RealCluster, work: Callable[[Accounts, SshGuest], None]) -> None:
    """Do it where it is to be done, twice, as a step that was cut would."""
    accounts = accounts_of(cluster)
    for instance in [cluster.primary] if accounts.is_replicated else cluster.members:
        with cluster.guest(instance) as guest:
            work(accounts, guest)
            work(accounts, guest)


def accounts_of(cluster: RealCluster) -> Accounts:
    return cluster.manager.accounts


def visitor(cluster: RealCluster, user: User, instance: Instance | None = None, database: str | None = None) -> Visitor:
    """Return the user as it comes to the instance (the primary), into its own database."""
    address = str((instance or cluster.primary).address)
    its_own = user.databases[0] if user.databases else None
    return VISITORS[cluster.datastore](address, user.name, str(user.password), database or its_own)


def root(cluster: RealCluster, password: str, instance: Instance | None = None) -> Visitor:
    return visitor(cluster, User(cluster.manager.root_name, password=password), instance)


def is_root_enabled(cluster: RealCluster, instance: Instance) -> bool:
    with cluster.guest(instance) as guest:
        return accounts_of(cluster).is_root_enabled(guest)


def is_refused(visitor: Visitor) -> bool:
    try:
        visitor.come_in()
    except REFUSALS:
        return True
    return False
