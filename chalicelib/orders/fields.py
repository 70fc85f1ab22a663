"""Fields: reads a JSON body piece by piece; every complaint names the field as Trove does."""

import re
from typing import Any

from chalicelib.errors import BadRequest

NAME_LENGTH = 255
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
UNSTORABLE = re.compile("[\\0\ud800-\udfff]")  # no shell holds the one, no UTF-8 the others
_ABSENT: Any = object()


class Fields:
    """A JSON object at `path` of the body. Methods raise BadRequest naming the field."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise BadRequest(f"Validation error: {path} must be an object")
        self._values: dict[str, Any] = value
        self.path = path

    @classmethod
    def of_body(cls, body: object, key: str) -> "Fields":
        """Return the one object that a body holds under its name; complaints leave the body out, as Trove's do."""
        fields = cls(body, "body").object(key)
        fields.path = key
        return fields

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def has(self, key: str) -> bool:
        """Whether it is given at all, if only as null."""
        return key in self._values

    def only(self, *keys: str, why: str = "is no property that can be changed") -> None:
        """Raise BadRequest if anything else is given."""
        for key in self._values:
            if key not in keys:
                raise self.wrong(key, why)

    def field(self, key: str) -> str:
        return f"{self.path}['{key}']"

    def wrong(self, key: str, why: str) -> BadRequest:
        return BadRequest(f"Validation error: {self.field(key)} {why}")

    def value(self, key: str) -> Any:
        if (value := self._values.get(key)) is None:
            raise self.wrong(key, "is a required property")
        return value

    def object(self, key: str) -> "Fields":
        return Fields(self.value(key), self.field(key))

    def objects(self, key: str) -> list["Fields"]:
        values = self.value(key)
        if not isinstance(values, list) or not values:
            raise self.wrong(key, "must be a list of at least one object")
        return [Fields(value, f"{self.field(key)}[{number}]") for number, value in enumerate(values)]

    def text(self, key: str, *, longest: int = NAME_LENGTH) -> str:
        value = self.value(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "must be a non-empty string")
        if len(value) > longest:
            raise self.wrong(key, f"is too long: at most {longest} characters")
        if not value.isprintable():  # no control characters, and no halves of surrogate pairs
            raise self.wrong(key, "must have printable characters only")
        return value

    def data(self, key: str, *, longest: int = NAME_LENGTH) -> str:
        """Return a text that is data to us, whatever it holds: whoever it is for has rules of its own."""
        value = self.value(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "must be a non-empty string")
        if len(value) > longest:
            raise self.wrong(key, f"is too long: at most {longest} characters")
        return value

    def storable(self, key: str, *, longest: int = NAME_LENGTH) -> str:
        """Return a text of any lines that a record can hold."""
        value = self.data(key, longest=longest)
        if UNSTORABLE.search(value):
            raise self.wrong(key, "must have no NUL and no half of a surrogate pair")
        return value

    def mapping(self, key: str) -> dict[str, Any]:
        """Return an object as it is: whoever it is for has rules of its own."""
        value = self._values.get(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "must be an object")
        return value

    def refuse(self, *keys: str) -> None:
        """Raise BadRequest if one of these is given: better than taking an order and not honouring it.

        Clients send what is empty unasked.
        """
        for key in keys:
            if not self.is_empty(key):
                raise self.wrong(key, "is not offered yet")

    def is_empty(self, key: str) -> bool:
        """Whether nothing is given, or what clients send for nothing unasked."""
        return self._values.get(key) in (None, [], {}, "")

    def texts(self, key: str, *, longest: int, most: int) -> list[str]:
        values = self.value(key)
        if not isinstance(values, list) or not values or not all(isinstance(each, str) and each for each in values):
            raise self.wrong(key, "must be a list of at least one non-empty string")
        if len(values) > most or any(len(each) > longest for each in values):
            raise self.wrong(key, f"holds at most {most} strings of at most {longest} characters")
        if any(UNSTORABLE.search(each) for each in values):
            raise self.wrong(key, "must have no NUL and no half of a surrogate pair")
        return list(values)

    def name(self, key: str) -> str:
        """Return a name by Trove's rule: at most 255 characters, at least one of them alphanumeric."""
        value = self.text(key)
        if not any(character.isalnum() for character in value):
            raise self.wrong(key, "must contain an alphanumeric character")
        return value.strip()

    def whole(self, key: str, *, least: int, most: int) -> int:
        """Return a whole number, given as one or as its digits."""
        value = self.value(key)
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, "must be a whole number")
        if not least <= value <= most:
            raise self.wrong(key, f"must be from {least} to {most}")
        return value

    def is_true(self, key: str) -> bool:
        """Return a truth given as such or, as in some of Trove's calls, as 0 or 1; not there is false."""
        if key not in self:
            return False
        if (value := self.value(key)) in (True, False):
            return bool(value)
        raise self.wrong(key, "must be true or false")

    def uuid(self, key: str) -> str:
        if not UUID.fullmatch(value := self.text(key)):
            raise self.wrong(key, "is not a UUID")
        return value.lower()

    def reference(self, key: str) -> str:
        """Return an id given as itself, as a number, or as a link whose last part it is."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.wrong(key, "must be a string or an integer")
        if not (reference := str(value).rstrip("/").rsplit("/", 1)[-1]):
            raise self.wrong(key, "must not be empty")
        if len(reference) > NAME_LENGTH or UNSTORABLE.search(reference):
            raise self.wrong(key, "is no id")
        return reference
