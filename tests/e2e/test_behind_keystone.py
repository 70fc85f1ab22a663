"""The service in a cloud: a real Keystone, its catalog and people, the stock client with a clouds.yaml, real guests."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pymysql
import pytest
import redis

from chalicelib.api.keystone_session import RESPITE_SECONDS
from local.api import Api, ApiError
from tests.clients.stock import Failed, Stock
from tests.e2e.guide import PASSWORD, active, column, eventually, gone, mysql, postgresql, seen
from tests.e2e.keystone_place import CACHE_SECONDS, SERVICE_PASSWORD, Place
from tests.e2e.test_secrets import function_logs
from tests.keystone.cloud import User

pytestmark = pytest.mark.guests
ON = ("--datastore", "mysql", "--datastore-version", "10.11")
SERVES = {"postgresql": "15", "redis": "7.0"}


@pytest.fixture(scope="module")
def member(place: Place) -> Iterator[Stock]:
    with place.stock(place.people["member"]) as stock:
        yield stock


@pytest.fixture(scope="module")
def others(member: Stock) -> dict[str, Any]:
    """An instance of each of the other datastores, by its name; they are made while the guide is followed."""
    return {name: created(member, name, "--datastore", name, "--datastore-version", SERVES[name]) for name in SERVES}


def created(member: Stock, name: str, *more: str) -> Any:
    order = (name, "--flavor", "1", "--size", "1", "--users", f"al:{PASSWORD}", *more)
    return seen(member, "database instance create", *order)


def status(api: Api) -> int:
    try:
        api.get("/instances")
    except ApiError as error:
        return error.status
    return 200


def test_the_user_guide_from_create_to_delete(member: Stock, others: dict[str, Any]) -> None:
    assert {"mysql", "postgresql", "redis"} == set(column(seen(member, "datastore list"), "Name"))
    assert "10.11" in column(seen(member, "datastore version list", "mysql"), "Name")
    assert "1" in [str(each) for each in column(seen(member, "database flavor list"), "ID")]
    made = created(member, "db1", "--databases", "shop", "logs", *ON)
    assert (made["status"], made["region"] is not None) == ("BUILD", True)
    address = active(member, "db1")["ip"]
    shown = seen(member, "database instance show", made["id"])
    assert (shown["name"], shown["datastore"], shown["volume"]) == ("db1", "mysql", 1)
    assert "db1" in column(seen(member, "database instance list"), "Name")

    seen(member, "database instance create", "copy", "--replica-of", "db1")
    _databases_and_users(member, address)
    _a_replica(member, address)
    _root(member, address)
    _a_configuration_group(member)

    member("database", "instance", "restart", "db1")
    active(member, "db1")
    assert mysql(address, "al", PASSWORD, "SELECT value FROM texts") == [["first"]]
    member("database", "instance", "update", "db1", "--name", "db2")
    member("database", "instance", "delete", "db2")
    gone(member, "db2")
    with pytest.raises(Failed, match=r"No .*db2"):
        member.shown("database", "instance", "show", "db2")


def _databases_and_users(member: Stock, address: str) -> None:
    mysql(address, "al", PASSWORD, "CREATE TABLE texts (value TEXT)")
    mysql(address, "al", PASSWORD, "INSERT INTO texts VALUES ('first')")
    member("database", "db", "create", "db1", "other", "--character_set", "utf8mb4")
    member("database", "user", "create", "db1", "bo", PASSWORD, "--host", "%", "--databases", "other")
    assert column(seen(member, "database db list", "db1"), "Name") == ["logs", "other", "shop"]
    assert column(seen(member, "database user list", "db1"), "Name") == ["al", "bo"]
    assert mysql(address, "bo", PASSWORD, "SELECT 1", "other") == [[1]]
    member("database", "user", "grant", "access", "db1", "bo", "shop")
    assert column(seen(member, "database user show access", "db1", "bo"), "Name") == ["other", "shop"]
    member("database", "user", "revoke", "access", "db1", "bo", "shop")
    with pytest.raises(pymysql.Error):
        mysql(address, "bo", PASSWORD, "SELECT 1", "shop")
    member("database", "user", "update", "attributes", "db1", "bo", "--new_name", "bob")
    assert seen(member, "database user show", "db1", "bob")["host"] == "%"
    member("database", "user", "delete", "db1", "bob")
    member("database", "db", "delete", "db1", "other")
    assert column(seen(member, "database db list", "db1"), "Name") == ["logs", "shop"]


def _a_replica(member: Stock, address: str) -> None:
    copy = active(member, "copy")
    assert seen(member, "database instance show", "copy")["replica_of"] == active(member, "db1")["id"]
    mysql(address, "al", PASSWORD, "INSERT INTO texts VALUES ('second')")
    eventually(lambda: mysql(copy["ip"], "al", PASSWORD, "SELECT COUNT(*) FROM texts"), [[2]])
    mysql(address, "al", PASSWORD, "DELETE FROM texts WHERE value = 'second'")
    with pytest.raises(Failed, match="has 1 replica"):
        member("database", "instance", "delete", "db1")
    member("database", "instance", "delete", "copy")
    gone(member, "copy")
    active(member, "db1")


def _root(member: Stock, address: str) -> None:
    told = seen(member, "database root enable", "db1")
    assert mysql(address, told["name"], told["password"], "SELECT 1", "mysql") == [[1]]
    member("database", "root", "disable", "db1")
    assert seen(member, "database root show", "db1")["is_root_enabled"] is False


def _a_configuration_group(member: Stock) -> None:
    listed = seen(member, "database configuration parameter list", "10.11", "--datastore", "mysql")
    assert "max_connections" in column(listed, "Name")
    made = seen(member, "database configuration create", "tuning", '{"max_connections": 77}', *ON)
    member("database", "configuration", "attach", "db1", "tuning")
    assert column(seen(member, "database configuration instances", "tuning"), "Name") == ["db1"]
    assert seen(member, "database instance show", "db1")["configuration"] == made["id"]
    assert seen(member, "database configuration default", "db1")["max_connections"] == 77
    member("database", "configuration", "parameter", "set", made["id"], '{"max_connections": 66}')
    assert seen(member, "database configuration default", "db1")["max_connections"] == 66
    member("database", "configuration", "detach", "db1")
    member("database", "configuration", "delete", "tuning")


def test_the_other_datastores_serve_whom_they_were_ordered_for(member: Stock, others: dict[str, Any]) -> None:
    address = active(member, "postgresql")["ip"]
    member("database", "db", "create", "postgresql", "shop")
    member("database", "user", "grant", "access", "postgresql", "al", "shop")
    assert postgresql(address, "al", PASSWORD, "SELECT 1") == [[1]]
    told = seen(member, "database root enable", "postgresql")
    assert told["name"] == "postgres"
    assert postgresql(address, "postgres", told["password"], "SELECT 1") == [[1]]
    member("database", "instance", "delete", "postgresql")
    gone(member, "postgresql")
    with pytest.raises(psycopg.Error):
        postgresql(address, "al", PASSWORD, "SELECT 1")
    with redis.Redis(active(member, "redis")["ip"], username="al", password=PASSWORD) as al:
        assert al.set("greeting", "hello")


def test_a_reader_looks_and_changes_nothing(place: Place, others: dict[str, Any]) -> None:
    with place.stock(place.people["reader"]) as reader:
        assert "redis" in column(seen(reader, "database instance list"), "Name")
        active(reader, "redis")
        assert column(seen(reader, "database user list", "redis"), "Name") == ["al"]
        for command in (
            ("instance", "create", "never", "--flavor", "1"),
            ("instance", "restart", "redis"),
            ("instance", "delete", "redis"),
            ("user", "delete", "redis", "al"),
            ("root", "enable", "redis"),
        ):
            with pytest.raises(Failed, match=r"not authorized.*HTTP 403|Unable to delete"):
                reader("database", *command)
        assert column(seen(reader, "database user list", "redis"), "Name") == ["al"]


def test_another_project_is_not_there(place: Place, others: dict[str, Any]) -> None:
    mine, other = place.people["member"], place.people["other"]
    with place.stock(other) as stranger:
        assert stranger.shown("database", "instance", "list") == []
        for each in ("redis", others["redis"]["id"]):
            with pytest.raises(Failed, match=r"No .*(redis|with a name or ID)"):
                stranger.shown("database", "instance", "show", each)
        with pytest.raises(Failed, match="cannot be found"):
            stranger("database", "instance", "delete", others["redis"]["id"])
    assert status(place.api(mine, other.token())) == 404


def test_an_administrator_sees_every_project_and_sets_its_quota(
    place: Place, member: Stock, others: dict[str, Any]
) -> None:
    shop = place.people["member"].project_id
    name = place.cloud.ask("GET", f"/projects/{shop}")["name"]
    with place.stock(place.people["admin"]) as admin:
        listed = seen(admin, "database instance list", "--all-projects")
        assert {each["Tenant ID"] for each in listed if each["Name"] == "redis"} == {shop}
        seen(admin, "database quota update", name, "instances", "7")
        assert {each["Resource"]: each["Limit"] for each in seen(admin, "database quota show", name)}["instances"] == 7
    assert {each["Limit"] for each in seen(member, "database quota show", shop) if each["Resource"] == "instances"} == {
        7
    }
    with pytest.raises(Failed, match="admin privileges"):
        member.shown("database", "instance", "list", "--all-projects")
    with pytest.raises(Failed, match="admin privileges"):
        member.shown("database", "quota", "update", shop, "instances", "100")


def test_an_application_credential_is_enough(place: Place, others: dict[str, Any]) -> None:
    me = place.people["member"]
    with place.robot(me) as whole, place.robot(me, roles=[{"name": "reader"}]) as watcher:
        active(whole, "redis")
        whole("database", "user", "create", "redis", "robot", PASSWORD)
        assert column(seen(watcher, "database user list", "redis"), "Name") == ["al", "robot"]
        with pytest.raises(Failed, match="HTTP 403"):
            watcher("database", "user", "delete", "redis", "robot")
        whole("database", "user", "delete", "redis", "robot")
    rules = [{"service": "database", "method": "GET", "path": "/v1.0/*/flavors"}]
    with place.robot(me, access_rules=rules) as limited:
        assert seen(limited, "database flavor list")
        with pytest.raises(Failed, match="access rules"):
            limited.shown("database", "instance", "list")


def test_a_revoked_token_acts_no_longer_than_the_cache_holds(place: Place) -> None:
    user = place.people["member"]
    api = place.api(user)
    assert status(api) == 200
    began = time.monotonic()

    place.cloud.keystone.send("DELETE", "/auth/tokens", token=api.token, subject=api.token)
    seen_at_once, taken = status(api), time.monotonic() - began

    assert seen_at_once == 200 or taken > CACHE_SECONDS
    time.sleep(max(0.0, began + CACHE_SECONDS + 0.5 - time.monotonic()))
    assert status(api) == 401


def test_while_keystone_is_down_only_whom_it_accepted_is_served(
    place: Place, member: Stock, others: dict[str, Any]
) -> None:
    known, unknown = place.api(place.people["member"]), place.api(place.people["reader"])
    assert status(known) == 200

    with place.cloud.keystone.stopped():
        time.sleep(CACHE_SECONDS)  # not fresh any more: Keystone would be asked
        assert [status(known), status(unknown), status(known)] == [200, 503, 200]
        made = known.post(f"/instances/{others['redis']['id']}/root", {})
        assert made["user"]["password"]
    time.sleep(RESPITE_SECONDS)

    assert [status(known), status(unknown)] == [200, 200]
    active(member, "redis")


def test_no_token_and_no_password_of_anybody_is_in_the_logs(place: Place, others: dict[str, Any]) -> None:
    """Of the API's own lines the embedded AWS keeps none: it logs no function that its gateway invokes."""
    user: User = place.people["member"]
    api = place.api(user)
    assert status(api) == 200

    logs = place.running.aws.log.read_text(errors="replace") + function_logs(place.running)

    assert '"step":"prepare_datastore"' in logs
    assert not [each for each in (api.token, user.name, PASSWORD, SERVICE_PASSWORD) if each in logs]


def test_the_last_one_is_deleted(member: Stock, others: dict[str, Any]) -> None:
    member("database", "instance", "delete", "redis")
    gone(member, "redis")
    assert member.shown("database", "instance", "list") == []
