"""Proof with real clients: a row written on the primary is read on every replica, and replicas refuse to write."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

TABLE = "dtrove_demo"
PATIENCE_SECONDS = 10.0


class Unproven(Exception):
    pass


@dataclass(frozen=True)
class Client:
    """The few calls that differ between the datastores; each opens a connection of its own."""

    url: str  # with {host}; never holds the password
    write: Callable[[str, str, str], None]  # host, password, value
    read: Callable[[str, str], str | None]  # host, password


def prove(client: Client, primary: str, replicas: list[str], password: str) -> float:
    """Return how many seconds the row took to be on every replica. Raises Unproven."""
    value = uuid4().hex
    client.write(primary, password, value)
    began = time.monotonic()
    for host in [primary, *replicas]:
        while client.read(host, password) != value:
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise Unproven(f"the row written on {primary} is not on {host}")
            time.sleep(0.02)
    for host in replicas:
        try:
            client.write(host, password, "refused")
        except Exception:  # noqa: S112 - each client has its own words for read-only
            continue
        raise Unproven(f"the replica {host} took a write")
    return time.monotonic() - began


def mysql_write(host: str, password: str, value: str) -> None:
    import pymysql

    with pymysql.connect(host=host, user="root", password=password, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {TABLE}")
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {TABLE}.rows_ (id INT PRIMARY KEY, value VARCHAR(64))")
        cursor.execute(f"REPLACE INTO {TABLE}.rows_ VALUES (1, %s)", (value,))  # noqa: S608 - our own constant


def mysql_read(host: str, password: str) -> str | None:
    import pymysql

    with pymysql.connect(host=host, user="root", password=password, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.cursor()
        try:
            cursor.execute(f"SELECT value FROM {TABLE}.rows_ WHERE id = 1")  # noqa: S608
        except pymysql.err.ProgrammingError:  # the table has not arrived yet
            return None
        row = cursor.fetchone()
        return str(row[0]) if row else None


def postgresql_write(host: str, password: str, value: str) -> None:
    import psycopg

    with psycopg.connect(f"host={host} user=postgres connect_timeout=5", password=password) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (id INT PRIMARY KEY, value TEXT)")
        upsert = f"INSERT INTO {TABLE} VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET value = excluded.value"  # noqa: S608
        connection.execute(upsert, (value,))


def postgresql_read(host: str, password: str) -> str | None:
    import psycopg

    with psycopg.connect(f"host={host} user=postgres connect_timeout=5", password=password) as connection:
        try:
            row = connection.execute(f"SELECT value FROM {TABLE} WHERE id = 1").fetchone()  # noqa: S608
        except psycopg.errors.UndefinedTable:
            return None
        return str(row[0]) if row else None


def redis_write(host: str, password: str, value: str) -> None:
    import redis

    with redis.Redis(host, password=password, socket_timeout=5) as connection:
        connection.set(TABLE, value)


def redis_read(host: str, password: str) -> str | None:
    import redis

    with redis.Redis(host, password=password, socket_timeout=5, decode_responses=True) as connection:
        value = connection.get(TABLE)
        return str(value) if value else None


CLIENTS = {
    "mysql": Client("mysql://root@{host}:3306/", mysql_write, mysql_read),
    "postgresql": Client("postgresql://postgres@{host}:5432/postgres", postgresql_write, postgresql_read),
    "redis": Client("redis://default@{host}:6379/0", redis_write, redis_read),
}
