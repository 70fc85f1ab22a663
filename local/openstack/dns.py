"""Designate, beside the cloud and on demand: real but for its name servers, whose part its own MiniDNS takes.

While it runs, the catalog tells of it, and the project `dtrove` has a zone.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.openstack import catalog, configuration, contents, database, packages, services, site
from local.openstack.site import ENVIRONMENT, ETC, HOST, PORTS

ZONE = "dbs.example.org."
MANAGE = ("designate-manage", "--config-file", str(configuration.file("designate")))
POOLS = ETC / "designate/pools.yaml"
MINIDNS = {"host": HOST, "port": PORTS["mdns"]}
POOL = {
    "name": "default",
    "description": "MiniDNS alone",
    "attributes": {},
    "ns_records": [{"hostname": f"ns1.{ZONE}", "priority": 1}],
    "nameservers": [MINIDNS],  # asked whether a change has come
    "targets": [{"type": "fake", "description": "told of each", "masters": [MINIDNS], "options": MINIDNS}],
}


@contextmanager
def running() -> Iterator[None]:
    """Have it for the length of the block, in a cloud that is up."""
    try:
        up()
        yield
    finally:
        down()


def up() -> None:
    packages.ensure_dns()
    configuration.write()
    shutil.copyfile(ENVIRONMENT / "etc/designate/api-paste.ini", ETC / "designate/api-paste.ini")
    _ensure_schema()
    services.start(*services.DESIGNATE)
    services.await_ready(*services.DESIGNATE)
    _ensure_pool()
    tell()
    with catalog.connected(catalog.ADMIN) as admin:  # who reads the catalog anew
        _await_worker(admin.dns)
    with catalog.connected(catalog.MEMBERS[0]) as member:
        _ensure_zone(member.dns)


def down() -> None:
    """Stop it, and have the catalog and the database forget it."""
    untell()
    services.stop(*services.DESIGNATE)
    database.sql("DROP DATABASE IF EXISTS designate;")


def tell() -> None:
    """Have the catalog tell of it."""
    with catalog.connected(catalog.ADMIN) as admin:
        catalog.ensure_services(admin.identity, ("dns", "designate", site.url("designate")))


def untell() -> None:
    with catalog.connected(catalog.ADMIN) as admin:
        for each in admin.identity.services(type="dns"):
            admin.identity.delete_service(each)


def _ensure_schema() -> None:
    database.sql("CREATE DATABASE IF NOT EXISTS designate CHARACTER SET utf8mb4;")
    database.run("migrate-designate", *MANAGE, "database", "sync")


def _ensure_pool() -> None:
    site.write_private(POOLS, json.dumps([POOL]))  # is YAML
    database.run("designate-pool", *MANAGE, "pool", "update", "--file", str(POOLS))


def _await_worker(dns: Any) -> None:
    """Wait until it has told Designate that it listens: it is told of a new zone but once."""
    contents.until(lambda: any(each.service_name == "worker" for each in dns.service_statuses()), "DNS has a worker")


def _ensure_zone(dns: Any) -> None:
    zone = next(dns.zones(name=ZONE), None) or dns.create_zone(name=ZONE, email="root@example.org")
    contents.until(lambda: dns.get_zone(zone.id).status == "ACTIVE", "the zone is served")
