"""Waiting and looking as somebody does who follows Trove's user guide."""

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pymysql

from tests.clients.commands import fault_of_columns
from tests.clients.stock import Stock

PASSWORD = "correct-horse-battery"
PATIENCE_SECONDS = 300


def seen(stock: Stock, command: str, *arguments: str) -> Any:
    """Run a command that shows something; its columns must be those that it has for everybody."""
    shown = stock.shown(*command.split(), *arguments)
    rows = shown if isinstance(shown, list) else [shown]
    assert [fault for each in rows if (fault := fault_of_columns(command, each))] == []
    return shown


def mysql(address: str, user: str, password: str, statement: str, database: str = "shop") -> Any:
    connection = pymysql.connect(
        host=address, user=user, password=password, database=database, connect_timeout=5, autocommit=True
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return [list(row) for row in cursor.fetchall()]


def postgresql(address: str, user: str, password: str, statement: str, database: str = "shop") -> Any:
    with psycopg.connect(
        host=address, user=user, password=password, dbname=database, connect_timeout=5, autocommit=True
    ) as connection:
        cursor = connection.execute(statement)
        return [list(row) for row in cursor.fetchall()] if cursor.description else []


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [each[name] for each in rows]


def eventually(ask: Callable[[], Any], wanted: Any) -> None:
    until = time.monotonic() + 10
    while (seen := ask()) != wanted and time.monotonic() < until:
        time.sleep(0.2)
    assert seen == wanted


def active(member: Stock, name: str) -> Any:
    return _awaited(member, "instance", name, {"status": "ACTIVE", "operating_status": "HEALTHY"})


def completed(member: Stock, name: str) -> Any:
    return _awaited(member, "backup", name, {"status": "COMPLETED"})


def _awaited(member: Stock, what: str, name: str, wanted: dict[str, str]) -> Any:
    """Wait as a person does, by showing it again."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        shown = member.shown("database", what, "show", name)
        if shown.items() >= wanted.items():
            return shown
        assert shown["status"] not in {"ERROR", "FAILED"}, shown
        time.sleep(0.5)
    raise AssertionError(f"{name} is not {wanted}: {shown}")


def shop(member: Stock, datastore: str, version: str, ask: Callable[..., Any]) -> str:
    """Have an instance db1 with a database `shop`, in which al has a first text; return its address."""
    member.shown(
        *("database", "instance", "create", "db1", "--flavor", "1", "--size", "1", "--datastore", datastore),
        *("--datastore-version", version, "--databases", "shop", "--users", f"al:{PASSWORD}"),
    )
    address = str(active(member, "db1")["ip"])
    member("database", "user", "grant", "access", "db1", "al", "shop")
    ask(address, "al", PASSWORD, "CREATE TABLE texts (value TEXT)")
    ask(address, "al", PASSWORD, "INSERT INTO texts VALUES ('first')")
    return address


def gone(member: Stock, name: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if name not in [each["Name"] for each in member.shown("database", "instance", "list")]:
            return
        time.sleep(0.5)
    raise AssertionError(f"{name} is still there")
