"""Who comes over the network with a name and a password of its own, and works in a database."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import psycopg
import pymysql
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Visitor(ABC):
    """Every call connects anew, but `stay`. Raises one of clients.REFUSALS."""

    address: str
    user: str
    password: str
    database: str | None = None

    @abstractmethod
    def stay(self) -> Any:
        """Return an open connection."""

    @abstractmethod
    def ask(self, connection: Any) -> None:
        """Ask something over the open connection."""

    @abstractmethod
    def make(self, table: str) -> None:
        """Make a table, or key, that holds one word."""

    @abstractmethod
    def read(self, table: str) -> str: ...

    def come_in(self) -> None:
        connection = self.stay()
        try:
            self.ask(connection)
        finally:
            connection.close()


class MySQLVisitor(Visitor):
    def stay(self) -> Any:
        return pymysql.connect(
            host=self.address,
            user=self.user,
            password=self.password.encode(),  # a text would be sent as latin1
            database=self.database,
            connect_timeout=TIMEOUT_SECONDS,
            read_timeout=TIMEOUT_SECONDS,
            autocommit=True,
        )

    def ask(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def make(self, table: str) -> None:
        self.execute(f"CREATE TABLE `{table}` AS SELECT 'well' AS word")

    def read(self, table: str) -> str:
        return str(self.execute(f"SELECT word FROM `{table}`")[0][0])  # noqa: S608

    def execute(self, statement: str) -> Any:
        with self.stay() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


class PostgresVisitor(Visitor):
    def stay(self) -> Any:
        return psycopg.connect(
            host=self.address,
            user=self.user,
            password=self.password,
            dbname=self.database or "postgres",
            connect_timeout=TIMEOUT_SECONDS,
            autocommit=True,
        )

    def ask(self, connection: Any) -> None:
        connection.execute("SELECT 1")

    def make(self, table: str) -> None:
        with self.stay() as connection:
            connection.execute(sql.SQL("CREATE TABLE {} AS SELECT 'well' AS word").format(sql.Identifier(table)))

    def read(self, table: str) -> str:
        with self.stay() as connection:
            found = connection.execute(sql.SQL("SELECT word FROM {}").format(sql.Identifier(table)))
            return str(found.fetchone()[0])


class RedisVisitor(Visitor):
    def stay(self) -> redis.Redis:
        return redis.Redis(
            host=self.address,
            username=self.user,
            password=self.password,
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            decode_responses=True,
            single_connection_client=True,
            retry=Retry(NoBackoff(), retries=0),
        )

    def ask(self, connection: Any) -> None:
        connection.ping()

    def make(self, table: str) -> None:
        self.execute("SET", table, "well")

    def read(self, table: str) -> str:
        return str(self.execute("GET", table))

    def execute(self, *words: str) -> Any:
        with self.stay() as connection:
            return connection.execute_command(*words)


VISITORS: dict[str, type[Visitor]] = {"mysql": MySQLVisitor, "postgresql": PostgresVisitor, "redis": RedisVisitor}
