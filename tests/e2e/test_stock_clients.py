"""Trove's user guide with the stock clients, on real guests: what they ask for is so for whoever logs in."""

from collections.abc import Callable
from typing import Any

import psycopg
import pymysql
import pytest
import redis

from tests.clients.stock import Failed, Stock
from tests.e2e.guide import PASSWORD, active, column, eventually, gone, mysql, postgresql, shop

pytestmark = pytest.mark.guests

NEW_PASSWORD = "staple-horse-correct"


ON = ("10.11", "--datastore", "mysql")


Ask = Callable[..., Any]
ASKS: dict[str, tuple[str, str, str, Ask]] = {
    "mysql": ("10.11", "root", "mysql", mysql),
    "postgresql": ("15", "postgres", "postgres", postgresql),
}


@pytest.mark.parametrize("datastore", ASKS)
def test_from_create_to_delete(member: Stock, datastore: str) -> None:
    version, root, administration, ask = ASKS[datastore]
    address = shop(member, datastore, version, ask)

    member("database", "db", "create", "db1", "other")
    member("database", "user", "create", "db1", "bo", PASSWORD, "--databases", "other")
    assert ask(address, "bo", PASSWORD, "SELECT 1", "other") == [[1]]
    with pytest.raises((pymysql.Error, psycopg.Error)):
        ask(address, "bo", PASSWORD, "SELECT 1", "shop")
    member("database", "user", "update", "attributes", "db1", "bo", "--new_name", "bob", "--new_password", NEW_PASSWORD)
    assert ask(address, "bob", NEW_PASSWORD, "SELECT 1", "other") == [[1]]
    assert [each["Name"] for each in member.shown("database", "user", "list", "db1")] == ["al", "bob"]

    member.shown("database", "instance", "create", "copy", "--replica-of", "db1")
    replica = active(member, "copy")
    assert replica["role"] == "replica"
    eventually(lambda: ask(replica["ip"], "al", PASSWORD, "SELECT value FROM texts"), [["first"]])
    with pytest.raises((pymysql.Error, psycopg.Error)):
        ask(replica["ip"], "al", PASSWORD, "INSERT INTO texts VALUES ('never')")
    with pytest.raises(Failed, match="is a replica"):
        member("database", "db", "create", "copy", "never")

    member("database", "instance", "resize", "volume", "db1", "2")
    assert [active(member, name)["volume"] for name in ("db1", "copy")] == [2, 2]
    assert ask(address, "al", PASSWORD, "SELECT value FROM texts") == [["first"]]

    told = member.shown("database", "root", "enable", "db1")
    assert told["name"] == root
    assert ask(address, root, told["password"], "SELECT 1", administration) == [[1]]
    member("database", "root", "disable", "db1")
    with pytest.raises((pymysql.Error, psycopg.Error)):
        ask(address, root, told["password"], "SELECT 1", administration)

    member("database", "instance", "restart", "db1")
    active(member, "db1")
    assert ask(address, "al", PASSWORD, "SELECT value FROM texts") == [["first"]]
    member("database", "user", "delete", "db1", "bob")
    member("database", "db", "delete", "db1", "other")
    assert [each["Name"] for each in member.shown("database", "db", "list", "db1")] == ["shop"]

    member("database", "instance", "delete", "copy")
    gone(member, "copy")
    active(member, "db1")
    member("database", "instance", "delete", "db1")
    gone(member, "db1")


def test_users_of_redis(member: Stock) -> None:
    on = ("--datastore", "redis", "--datastore-version", "7.0")
    member.shown("database", "instance", "create", "cache", "--flavor", "1", *on, "--users", f"al:{PASSWORD}")
    address = active(member, "cache")["ip"]

    with redis.Redis(address, username="al", password=PASSWORD) as al:
        assert al.set("greeting", "hello")
        with pytest.raises(redis.RedisError):
            al.config_get("masterauth")
    told = member.shown("database", "root", "enable", "cache")
    with redis.Redis(address, username=told["name"], password=told["password"]) as root:
        assert root.get("greeting") == b"hello"
        with pytest.raises(redis.RedisError):
            root.config_get("masterauth")
    with pytest.raises(Failed, match="HTTP 501"):
        member("database", "db", "create", "cache", "none")
    member("database", "instance", "delete", "cache")
    gone(member, "cache")


def test_a_configuration_group(member: Stock) -> None:
    on = ("--datastore", "mysql", "--datastore-version", "10.11")
    member.shown("database", "instance", "create", "tuned", "--flavor", "1", *on, "--databases", "shop")
    address = active(member, "tuned")["ip"]
    root = member.shown("database", "root", "enable", "tuned")

    def variable(name: str) -> str:
        ((_, value),) = mysql(address, "root", root["password"], f"SHOW VARIABLES LIKE '{name}'")
        return str(value)

    parameters = {each["Name"]: each for each in member.shown("database", "configuration", "parameter", "list", *ON)}
    assert parameters["ft_min_word_len"]["Restart Required"] is True
    values = '{"max_connections": 77, "ft_min_word_len": 7}'
    made = member.shown("database", "configuration", "create", "tuning", values, *on)
    member("database", "configuration", "attach", "tuned", "tuning")
    assert member.shown("database", "instance", "show", "tuned")["status"] == "RESTART_REQUIRED"
    assert (variable("max_connections"), variable("ft_min_word_len") == "7") == ("77", False)
    member("database", "instance", "restart", "tuned")
    active(member, "tuned")
    assert (variable("max_connections"), variable("ft_min_word_len")) == ("77", "7")

    member("database", "configuration", "parameter", "set", made["id"], '{"max_connections": 66}')
    assert variable("max_connections") == "66"
    with pytest.raises(Failed, match=r"max_connections.*HTTP 422"):
        member("database", "configuration", "parameter", "set", made["id"], '{"max_connections": 0}')
    told = member.shown("database", "configuration", "default", "tuned")
    assert told["max_connections"] == 66
    assert column(member.shown("database", "configuration", "instances", "tuning"), "Name") == ["tuned"]
    member("database", "configuration", "detach", "tuned")
    assert variable("max_connections") not in {"66", "77"}
    member("database", "instance", "delete", "tuned")
    gone(member, "tuned")
    member("database", "configuration", "delete", "tuning")
