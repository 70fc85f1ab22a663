"""Who reaches an instance, ordered with the stock client, on real guests: clients come from addresses of their own."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from chalicelib.config import Config
from chalicelib.providers.nspawn import host
from chalicelib.providers.nspawn.site import Site
from local.api import Api
from tests.clients.stock import Failed, Stock
from tests.e2e.clusters import Ordered
from tests.e2e.conftest import SITE
from tests.outsiders import Outsider, outsider

pytestmark = pytest.mark.guests

PATIENCE_SECONDS = 300
PASSWORD = "correct-horse-battery"
REDIS = ("--flavor", "1", "--datastore", "redis", "--datastore-version", "7.0")
CREATE, UPDATE = ("database", "instance", "create"), ("database", "instance", "update", "db1")
WELCOME, STRANGER = "198.18.5.6", "198.18.6.6"
FIXED = "10.79.12.200"
NETWORK = Site.of(Config.from_environment(SITE)).only_network
CLIENT = """
import sys, redis
from redis.backoff import NoBackoff
from redis.retry import Retry
limits = {"socket_connect_timeout": 1.5, "socket_timeout": 1.5, "retry": Retry(NoBackoff(), 0)}
with redis.Redis(sys.argv[1], username="al", password=sys.stdin.readline().strip(), **limits) as al:
    print(al.ping(), flush=True)
    while sys.stdin.readline():
        print(al.ping(), flush=True)
"""  # over one connection: pings at once, and again at each line it is sent


@pytest.fixture
def welcome() -> Iterator[Outsider]:
    with outsider(WELCOME) as somebody:
        yield somebody


@pytest.fixture
def stranger() -> Iterator[Outsider]:
    with outsider(STRANGER) as somebody:
        yield somebody


@contextmanager
def client(who: Outsider, address: str) -> Iterator[Any]:
    """Have a Redis client of theirs log in; yields what asks it to ping again and tells whether it was answered."""
    with who.at_work(sys.executable, "-W", "ignore", "-c", CLIENT, address) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        words, answers = process.stdin, process.stdout

        def ask(word: str) -> bool:
            words.write(f"{word}\n")
            words.flush()
            return answers.readline() == "True\n"

        yield ask
        process.kill()


def is_served(who: Outsider, address: str) -> bool:
    with client(who, address) as ask:
        return bool(ask(PASSWORD))


def becomes(member: Stock, name: str, status: str) -> Any:
    until = time.monotonic() + PATIENCE_SECONDS
    while (shown := member.shown("database", "instance", "show", name))["status"] != status:
        assert time.monotonic() < until, shown
        time.sleep(0.5)
    return shown


def removed(member: Stock, name: str) -> None:
    member("database", "instance", "delete", name)
    until = time.monotonic() + PATIENCE_SECONDS
    while name in (left := [each["Name"] for each in member.shown("database", "instance", "list")]):
        assert time.monotonic() < until, left
        time.sleep(0.5)


def rules() -> bool:
    """Say whether the host holds any rule for guests."""
    return f"table bridge {Site.of(Config.from_environment(SITE)).table}" in host.run("nft", "list", "tables")


def test_an_instance_that_only_some_may_reach(member: Stock, welcome: Outsider, stranger: Outsider) -> None:
    nic = f"net-id={NETWORK.network_id},subnet-id={NETWORK.subnet_id},ip-address={FIXED}"
    member.shown(
        *(*CREATE, "db1", *REDIS, "--users", f"al:{PASSWORD}", "--nic", nic),
        *("--availability-zone", "nova", "--locality", "affinity", "--allowed-cidr", "198.18.5.0/24"),
    )
    shown = becomes(member, "db1", "ACTIVE")

    assert (shown["ip"], shown["locality"], shown["allowed_cidrs"]) == (FIXED, "affinity", ["198.18.5.0/24"])
    assert shown["addresses"] == [{"address": FIXED, "type": "private", "network": NETWORK.network_id}]
    assert (is_served(welcome, FIXED), is_served(stranger, FIXED)) == (True, False)
    assert not welcome.reaches(FIXED, 22)

    member.shown(*CREATE, "copy", "--replica-of", "db1")
    copy = becomes(member, "copy", "ACTIVE")
    with redis.Redis(FIXED, username="al", password=PASSWORD) as al:
        al.set("greeting", "hello")
    with redis.Redis(copy["ip"], username="al", password=PASSWORD) as al:
        until = time.monotonic() + 10
        while al.get("greeting") != b"hello":
            assert time.monotonic() < until
    assert (is_served(welcome, copy["ip"]), is_served(stranger, copy["ip"])) == (True, False)

    with client(welcome, FIXED) as ask:
        assert ask(PASSWORD)
        assert ask("again")
        member(*UPDATE, "--allowed-cidr", f"{STRANGER}/32")
        assert not ask("and again: it is cut off")
    assert member.shown("database", "instance", "show", "db1")["allowed_cidrs"] == [f"{STRANGER}/32"]
    assert (is_served(welcome, FIXED), is_served(stranger, FIXED)) == (False, True)
    member("database", "instance", "restart", "db1")
    becomes(member, "db1", "ACTIVE")
    assert (is_served(welcome, FIXED), is_served(stranger, FIXED)) == (False, True)
    member(*UPDATE, "--allowed-cidr", "0.0.0.0/0")
    assert (is_served(welcome, FIXED), is_served(stranger, FIXED)) == (True, True)

    with pytest.raises(Failed, match=r"This cloud has no public addresses.*HTTP 422"):
        member(*UPDATE, "--is-public")
    shown = member.shown("database", "instance", "show", "db1")
    assert (shown["status"], shown["public"], shown["allowed_cidrs"]) == ("ACTIVE", False, ["0.0.0.0/0"])

    removed(member, "copy")
    becomes(member, "db1", "ACTIVE")
    removed(member, "db1")
    assert not rules()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--nic", f"net-id={NETWORK.subnet_id}"), "could not be found"),
        (("--availability-zone", "mars"), "availability zone mars is not available"),
        (("--is-public",), "This cloud has no public addresses"),
    ],
)
def test_what_this_cloud_does_not_have_is_told_and_leaves_nothing(
    member: Stock, options: tuple[str, ...], reason: str
) -> None:
    member.shown(*CREATE, "db1", *REDIS, *options)

    assert reason in becomes(member, "db1", "ERROR")["fault"]
    removed(member, "db1")


def test_an_address_is_one_instance_s(member: Stock) -> None:
    nic = f"subnet-id={NETWORK.subnet_id},ip-address={FIXED}"
    member.shown(*CREATE, "db1", *REDIS, "--nic", nic)
    becomes(member, "db1", "ACTIVE")

    member.shown(*CREATE, "db2", *REDIS, "--nic", nic)

    assert f"{FIXED} is already in use" in becomes(member, "db2", "ERROR")["fault"]
    removed(member, "db2")
    assert becomes(member, "db1", "ACTIVE")["ip"] == FIXED
    removed(member, "db1")


def ordered(api: Api, locality: str) -> tuple[Ordered, str]:
    one = {"flavorRef": "1", "volume": {"size": 1}, "access": {"allowed_cidrs": ["198.18.5.0/24"]}}
    body = {
        "name": "e2e-guarded",
        "datastore": {"type": "mysql", "version": "10.11"},
        "instances": [{**one, "nics": [{"net-id": NETWORK.network_id}]}, one],
        "locality": locality,
    }
    cluster = api.post("/clusters", {"cluster": body})["cluster"]
    return Ordered(api, cluster["id"], "mysql", cluster["password"]), cluster["job_id"]


def test_the_members_of_a_guarded_cluster_reach_each_other(api: Api, welcome: Outsider, stranger: Outsider) -> None:
    cluster, job_id = ordered(api, "soft-anti-affinity")
    cluster.ends(job_id)
    cluster.act("grow", [{"flavorRef": "1", "volume": {"size": 1}}])

    cluster.prove()

    assert cluster.show()["locality"] == "soft-anti-affinity"
    addresses = [each["ip"][0] for each in cluster.instances()]
    assert [(welcome.reaches(each, 3306), stranger.reaches(each, 3306)) for each in addresses] == [(True, False)] * 3
    cluster.delete()
    assert not rules()


def test_a_cluster_kept_apart_finds_no_second_host_here(api: Api) -> None:
    cluster, job_id = ordered(api, "anti-affinity")

    job = cluster.ends(job_id, "FAILED")

    assert "No valid host was found" in job["message"]
    assert cluster.show()["status"] == "ERROR"
    cluster.delete()
