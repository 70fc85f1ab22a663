"""Capacity units of DynamoDB, by the rules of its documentation, from what was sent and answered.

Reading: 1 unit for each 4 KiB that are read consistently, half of it otherwise. Writing: 1 unit for each 1 KiB, two in
a transaction, and one for each KiB in each index that the item is in, before or after.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import yaml

READ_BYTES, WRITE_BYTES = 4096, 1024
Item = dict[str, dict[str, Any]]
REPO = Path(__file__).parent.parent


@dataclass
class Ledger:
    """Sums the units up; remembers items, since what a deletion costs depends on what it deletes."""

    requests: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    known: dict[str, Item] = field(default_factory=dict)

    def enter(self, operation: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        self.requests += 1
        match operation:
            case "GetItem":
                self._read([answer.get("Item", {})], request.get("ConsistentRead", False), request["TableName"])
            case "BatchGetItem":
                for table, asked in request["RequestItems"].items():
                    found = answer.get("Responses", {}).get(table, [])
                    missing: list[Item] = [{}] * (len(asked["Keys"]) - len(found))
                    for each in found + missing:
                        self._read([each], asked.get("ConsistentRead", False), table)
            case "Query":
                self._read(answer.get("Items", []), request.get("ConsistentRead", False), request["TableName"])
            case "PutItem" | "UpdateItem" | "DeleteItem":
                self._write(request, factor=1)
            case "TransactWriteItems":
                for entry in request["TransactItems"]:
                    ((_, write),) = entry.items()
                    self._write(write, factor=2)
            case _:
                raise NotImplementedError(operation)

    def _read(self, items: list[Item], consistent: bool, table: str) -> None:
        units = ceil(max(1, sum(map(size, items))) / READ_BYTES)
        self.read_units += units if consistent else units / 2
        for each in items:
            if each:
                self.known[_identity(table, each)] = each

    def _write(self, write: dict[str, Any], factor: int) -> None:
        table = write["TableName"]
        identity = _identity(table, write.get("Item") or write["Key"])
        before, after = self.known.get(identity, {}), write.get("Item", {})
        units = ceil(max(1, size(before), size(after)) / WRITE_BYTES)
        if "Item" in write:
            self.known[identity] = after
        indexes = sum(attribute in before or attribute in after for attribute in index_keys().get(_noun(table), ()))
        self.write_units += units * (factor + indexes)


def size(item: Item) -> int:
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            bytes_ = len(content.encode())
        case "N":
            bytes_ = len(content) // 2 + 2
        case "B":
            bytes_ = len(content) if isinstance(content, bytes) else len(content) * 3 // 4
        case "M":
            bytes_ = 3 + sum(len(name.encode()) + 1 + _size(each) for name, each in content.items())
        case "L":
            bytes_ = 3 + sum(1 + _size(each) for each in content)
        case "SS":
            bytes_ = sum(len(each.encode()) for each in content)
        case _:  # BOOL, NULL
            bytes_ = 1
    return bytes_


def _identity(table: str, item: Item) -> str:
    keys = table_keys()[_noun(table)]
    return json.dumps([_noun(table), *(item[each] for each in keys)], sort_keys=True)


def _noun(table: str) -> str:
    return table.rsplit("-", 1)[1]


@cache
def resources() -> dict[str, dict[str, Any]]:
    """Return what resources.yaml has, without what its tags stand for."""
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda load, tag, node: getattr(node, "value", None))  # type: ignore[attr-defined]
    text = (REPO / "resources.yaml").read_text()
    found: dict[str, dict[str, Any]] = yaml.load(text, Loader=loader)["Resources"]  # noqa: S506 - a SafeLoader
    return found


@cache
def _tables() -> dict[str, dict[str, Any]]:
    """Return the tables' properties, as resources.yaml has them, by noun."""
    tables = [each["Properties"] for each in resources().values() if each.get("Type") == "AWS::DynamoDB::Table"]
    return {_noun(each["TableName"]): each for each in tables}


def _key_names(schema: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in schema)


@cache
def table_keys() -> dict[str, tuple[str, ...]]:
    return {noun: _key_names(each["KeySchema"]) for noun, each in _tables().items()}


@cache
def index_keys() -> dict[str, tuple[str, ...]]:
    """Return for each table the hash key of each of its indexes: an item is in the index if it has that."""
    return {
        noun: tuple(_key_names(index["KeySchema"])[0] for index in each.get("GlobalSecondaryIndexes", ()))
        for noun, each in _tables().items()
    }
