"""Words that schemas are written in: JSON Schema 2020-12, which is that of OpenAPI 3.1.

In the keys of an object `?` at the end says that it may be absent, as in Trove's own reference.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.orders.fields import NAME_LENGTH

Schema = dict[str, Any]

ANY: Schema = {}
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
NOTHING: Schema = {"type": "null"}
EMPTY: Schema = {"enum": [None, [], {}, ""]}  # clients send what is not offered yet, unasked
MOMENT = TEXT | {
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$",
    "description": "UTC, in whole seconds, without a zone.",
}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def one_of(values: Iterable[object]) -> Schema:
    return {"enum": list(values)}


def maybe(schema: Schema) -> Schema:
    """It, or null."""
    return schema if schema in (ANY, NOTHING, EMPTY) else {"anyOf": [schema, NOTHING]}


def listed(items: Schema, *, least: int = 0, most: int | None = None) -> Schema:
    bounds = {"minItems": least or None, "maxItems": most}
    return {"type": "array", "items": items} | {key: value for key, value in bounds.items() if value is not None}


# --- answers
def shown(properties: Mapping[str, Schema]) -> Schema:
    """An object of an answer, with these properties and no others."""
    return _object(properties) | {"additionalProperties": False}


def page(noun: str, items: Schema) -> Schema:
    """A page of a list. The last one has no links to the next."""
    return shown({noun: listed(items), "links?": ref("NextLinks"), f"{noun}_links?": ref("NextLinks")})


# --- bodies, as orders/fields.py reads them: what may be absent may be null as well
def body(properties: Mapping[str, Schema]) -> Schema:
    """An object of a body; what else it holds is not looked at."""
    return _object({key: maybe(each) if key.endswith("?") else each for key, each in properties.items()})


def strict_body(properties: Mapping[str, Schema]) -> Schema:
    """An object of a body that may hold nothing else."""
    return body(properties) | {"additionalProperties": False}


def action(choices: Mapping[str, Schema]) -> Schema:
    """A body with exactly one of these keys."""
    return {
        "type": "object",
        "properties": dict(choices),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _object(properties: Mapping[str, Schema]) -> Schema:
    required = [key for key in properties if not key.endswith("?")]
    schema = {"type": "object", "properties": {key.rstrip("?"): each for key, each in properties.items()}}
    return schema | ({"required": required} if required else {})


def data(longest: int = NAME_LENGTH) -> Schema:
    """A text that whoever it is for has rules of its own about."""
    return {"type": "string", "minLength": 1, "maxLength": longest}


def storable(longest: int) -> Schema:
    return data(longest) | {"pattern": r"^[^\u0000]*$"}


def whole(least: int, most: int) -> Schema:
    """A whole number, or its digits."""
    return {
        "anyOf": [
            {"type": "integer", "minimum": least, "maximum": most},
            {"type": "string", "pattern": f"^0*{most}$" if least == most else "^[0-9]{1,9}$"},
        ]
    }


LINE = data() | {"pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}  # of printable characters
NAME = LINE | {"description": "At least one of its characters is a letter or a digit."}
REFERENCE: Schema = {
    "anyOf": [NUMBER, {"type": "string", "minLength": 1}],
    "description": "An id, or a link whose last part it is.",
}
FLAVOR = REFERENCE | {"examples": ["1"]}
DATASTORE_EXAMPLES = {"examples": [{"type": "redis", "version": "7.0"}]}
YES_OR_NO = one_of([True, False, 0, 1])
