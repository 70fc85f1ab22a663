"""Logs with the stock client, on real guests: what a server writes is what is published, and none of our secrets."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import urlopen

import pytest
import redis

from local.api import Api
from local.service import Service
from tests.clients.stock import Failed, Stock, environment, openstack
from tests.e2e.clusters import VERSIONS
from tests.e2e.guide import active, eventually, gone, mysql, postgresql

pytestmark = pytest.mark.guests

MOST_LOOKS = 20
PASSWORD, ROOT_PASSWORD = "correct-horse-battery", "staple-battery-horse"
HASHES = re.compile(r"\*[0-9A-F]{40}|SCRAM-SHA-256\$|IDENTIFIED|PASSWORD '")


def redis_ask(address: str, user: str, password: str, statement: str) -> Any:
    with redis.Redis(address, username=user, password=password) as connection:
        return connection.execute_command(*statement.split())


ASKS: dict[str, tuple[str, Callable[..., Any], str, str, str]] = {  # the log, who asks, a statement and what it leaves
    "mysql": ("general", mysql, "root", "SELECT 'an odd \N{SNOWMAN} one'", "an odd \N{SNOWMAN} one"),
    "postgresql": ("general", postgresql, "postgres", "SELECT 'an odd \N{SNOWMAN} one'", "an odd \N{SNOWMAN} one"),
    "redis": ("server", redis_ask, "default", "BGSAVE", "Background saving"),
}


@pytest.fixture
def reader(running: Service) -> Iterator[Stock]:
    api = running.api("DTROVE_READER_TOKEN")
    with openstack(environment(api.url, api.token)) as stock:
        yield stock


class Logs:
    """One instance's logs, as its owner has them."""

    def __init__(self, running: Service, member: Stock, name: str, instance_id: str) -> None:
        self.running, self.member, self.name, self.instance_id = running, member, name, instance_id
        self.api = running.api()

    def set(self, log: str, *acts: str) -> Any:
        return self.member.shown("database", "log", "set", self.name, log, *(f"--{each}" for each in acts))

    def publish(self, log: str) -> Any:
        """Publish until nothing is pending: a server writes when it likes."""
        for _ in range(MOST_LOOKS):
            if (found := self.set(log, "publish"))["status"] == "Published":
                return found
        raise AssertionError(found)

    def show(self, log: str) -> Any:
        return self.member.shown("database", "log", "show", self.name, log)

    def tail(self, log: str, lines: int = 50) -> list[str]:
        return list(self.api.get(f"/instances/{self.instance_id}/log/{log}/tail?lines={lines}")["log"]["lines"])

    def files(self, log: str) -> list[Any]:
        return list(self.api.get(f"/instances/{self.instance_id}/log/{log}/files")["files"])

    def published(self, log: str) -> bytes:
        return b"".join(urlopen(each["url"], timeout=10).read() for each in self.files(log))  # noqa: S310

    def on_guest(self, *commands: str) -> str:
        admin = Api(self.api.url, self.running.tokens["DTROVE_ADMIN_TOKEN"])
        job_id = admin.post(
            f"/mgmt/instances/{self.instance_id}/action", {"perform": {"name": "look", "commands": list(commands)}}
        )["job"]["id"]
        assert self.api.await_job(job_id)["status"] == "SUCCEEDED"
        return str(admin.get(f"/jobs/{job_id}")["job"]["output"])

    def objects(self) -> list[str]:
        s3 = self.running.aws.client("s3")
        (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"] if "objects" in each["Name"]]
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"logs/{self.instance_id}/")
        return [each["Key"] for each in listed.get("Contents", [])]


@pytest.mark.parametrize("datastore", VERSIONS)
def test_what_a_server_writes_is_published_and_goes_with_it(
    running: Service, member: Stock, reader: Stock, datastore: str
) -> None:
    log, ask, root, statement, trace = ASKS[datastore]
    name = f"logged-{datastore}"
    on = ("--datastore", datastore, "--datastore-version", VERSIONS[datastore])
    made = member.shown("database", "instance", "create", name, "--flavor", "1", *on)
    address = active(member, name)["ip"]
    logs = Logs(running, member, name, made["id"])
    listed = {each["Name"]: each for each in reader.shown("database", "log", "list", name)}
    assert listed[log]["Status"] == ("Ready" if datastore == "redis" else "Disabled")
    assert {each["Type"] for each in listed.values()} == ({"SYS"} if datastore == "redis" else {"SYS", "USER"})

    if datastore != "redis":
        assert logs.set(log, "enable")["status"] in {"Ready", "Enabled"}
        member("database", "instance", "restart", name)
        active(member, name)
        assert logs.show(log)["status"] != "Disabled"
    member("database", "user", "create", name, "ann", PASSWORD)
    member("database", "root", "enable", name, "--root_password", ROOT_PASSWORD)
    args = () if datastore == "redis" else ({"mysql": "mysql", "postgresql": "postgres"}[datastore],)
    ask(address, root, ROOT_PASSWORD, statement, *args)

    eventually(lambda: any(trace in each for each in logs.tail(log)), True)
    assert len(logs.tail(log, 2)) == 2
    first = logs.publish(log)
    assert (first["pending"], first["metafile"]) == (0, None)
    assert trace.encode() in logs.published(log)
    assert len(logs.published(log)) == first["published"]
    assert all(each.startswith(f"{first['prefix']}") for each in logs.objects())

    ask(address, root, ROOT_PASSWORD, statement, *args)
    eventually(lambda: logs.show(log)["status"], "Partial")
    logs.on_guest("sed -i s/^most=.*/most=1/ /opt/dtrove/turn-logs", "sed -i s/3.*most/999999/ /opt/dtrove/turn-logs")
    logs.on_guest("systemctl start dtrove-logs.service")
    logs.on_guest("sed -i s/^most=.*/most=99999999/ /opt/dtrove/turn-logs")
    ask(address, root, ROOT_PASSWORD, statement, *args)
    eventually(lambda: logs.show(log)["status"], "Rotated")
    logs.publish(log)
    whole = logs.published(log)
    assert whole.count(trace.encode()) >= 3
    assert PASSWORD.encode() not in whole
    assert ROOT_PASSWORD.encode() not in whole
    assert HASHES.search(whole.decode()) is None

    discarded = logs.set(log, "discard")
    assert (discarded["status"], discarded["published"], logs.files(log)) == ("Ready", 0, [])
    again = logs.publish(log)
    assert again["published"] >= len(whole)
    assert logs.published(log).startswith(whole)
    if datastore != "redis":
        assert logs.set(log, "disable")["status"] == "Disabled"
    assert logs.objects() != []
    member("database", "instance", "delete", name)
    gone(member, name)
    assert logs.objects() == []


def test_who_may_do_what(running: Service, member: Stock, reader: Stock) -> None:
    on = ("--datastore", "mysql", "--datastore-version", VERSIONS["mysql"])
    made = member.shown("database", "instance", "create", "ruled", "--flavor", "1", *on)
    active(member, "ruled")
    logs = Logs(running, member, "ruled", made["id"])

    assert reader.shown("database", "log", "show", "ruled", "error")["status"] == "Ready"
    with pytest.raises(Failed, match="HTTP 403"):
        reader("database", "log", "set", "ruled", "general", "--enable")
    with pytest.raises(Failed, match=r"general, slow_query, error.*HTTP 404"):
        logs.show("guest")
    with pytest.raises(Failed, match=r"always on.*HTTP 400"):
        logs.set("error", "disable")
    with pytest.raises(Failed, match=r"disable.*HTTP 400"):
        logs.set("general", "enable", "disable")

    member.shown("database", "configuration", "create", "noisy", '{"general_log": true}', *on)
    member("database", "configuration", "attach", "ruled", "noisy")
    assert logs.show("general")["status"] == "Ready"
    with pytest.raises(Failed, match=r"general_log is set by .* configuration group.*HTTP 422"):
        logs.set("general", "disable")
    member("database", "configuration", "detach", "ruled")
    assert logs.show("general")["status"] == "Disabled"
    status, out, err = member.said("database", "log", "tail", "ruled", "error")
    print("stock tail:", json.dumps([status, out, err]))
    member("database", "instance", "delete", "ruled")
    gone(member, "ruled")
    member("database", "configuration", "delete", "noisy")
