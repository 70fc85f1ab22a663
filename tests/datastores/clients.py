"""A customer's real clients: one row written, one row read, over the network, with the password they were given."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pymysql
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_TIMEOUT_SECONDS = 5
REFUSALS: tuple[type[Exception], ...] = (pymysql.Error, psycopg.Error, redis.RedisError)


@dataclass(frozen=True)
class Client(ABC):
    """A table, or key space, of texts on one instance. Every call connects anew; raises one of REFUSALS."""

    address: str
    password: str

    @abstractmethod
    def create(self) -> None: ...

    @abstractmethod
    def write(self, key: str, value: str) -> None: ...

    @abstractmethod
    def read(self, key: str) -> str | None: ...


class MySQLClient(Client):
    def create(self) -> None:
        self._execute("CREATE DATABASE shop")
        self._execute("CREATE TABLE shop.texts (name VARCHAR(64) PRIMARY KEY, value TEXT)")

    def write(self, key: str, value: str) -> None:
        self._execute("INSERT INTO shop.texts VALUES (%s, %s)", key, value)

    def read(self, key: str) -> str | None:
        rows = self._execute("SELECT value FROM shop.texts WHERE name = %s", key)
        return rows[0][0] if rows else None

    def _execute(self, statement: str, *values: str) -> tuple[tuple[str, ...], ...]:
        connection = pymysql.connect(
            host=self.address,
            user="root",
            password=self.password,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            autocommit=True,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return tuple(cursor.fetchall())


class PostgresClient(Client):
    def create(self) -> None:
        self._execute("CREATE TABLE texts (name text PRIMARY KEY, value text)")

    def write(self, key: str, value: str) -> None:
        self._execute("INSERT INTO texts VALUES (%s, %s)", key, value)

    def read(self, key: str) -> str | None:
        rows = self._execute("SELECT value FROM texts WHERE name = %s", key)
        return rows[0][0] if rows else None

    def _execute(self, statement: str, *values: str) -> list[tuple[str, ...]]:
        with psycopg.connect(
            host=self.address,
            user="postgres",
            password=self.password,
            dbname="postgres",
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []


class RedisClient(Client):
    def create(self) -> None:
        with self._connected() as connection:
            connection.ping()

    def write(self, key: str, value: str) -> None:
        with self._connected() as connection:
            connection.set(key, value)

    def read(self, key: str) -> str | None:
        with self._connected() as connection:
            found = connection.get(key)
        return str(found) if found is not None else None

    def _connected(self) -> redis.Redis:
        return redis.Redis(
            host=self.address,
            password=self.password or None,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            socket_timeout=CONNECT_TIMEOUT_SECONDS,
            decode_responses=True,
            retry=Retry(NoBackoff(), retries=0),
        )


CLIENTS: dict[str, type[Client]] = {"mysql": MySQLClient, "postgresql": PostgresClient, "redis": RedisClient}


def eventually(is_so: Callable[[], bool], limit_seconds: float) -> None:
    """Ask until it is so; a refused or lost connection is a no. The last refusal is raised."""
    deadline = time.monotonic() + limit_seconds
    while True:
        try:
            if is_so():
                return
            assert time.monotonic() < deadline, "it never was so"
        except REFUSALS:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
