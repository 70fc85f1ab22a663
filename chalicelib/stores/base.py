"""What a store must be able to do: take an object in parts that somebody else sends, and give it back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Sent:
    """A part that the store has."""

    number: int  # from 1
    size: int
    tag: str  # the store's own word for it


class BaseStore(ABC):
    """One store. Every method may be repeated: "already there" and "already gone" are success.

    What it signs opens one part, or one object for reading, to whoever has it, for a quarter of an hour.
    """

    most_parts: ClassVar[int]  # of an object

    @abstractmethod
    def begin(self, key: str) -> str:
        """Begin an object; return what its parts are sent under."""

    @abstractmethod
    def part_urls(self, key: str, upload_id: str, numbers: Iterable[int]) -> Mapping[int, str]:
        """Return an address to PUT each part to."""

    @abstractmethod
    def sent(self, key: str, upload_id: str) -> list[Sent]:
        """List the parts that are there, by their numbers; none of an upload that is over."""

    @abstractmethod
    def finish(self, key: str, upload_id: str, parts: Iterable[Sent]) -> None:
        """Make the object of these parts. Raises Transient if the upload is over and the object is not there."""

    @abstractmethod
    def abort(self, key: str, upload_id: str) -> None:
        """Take away what was sent."""

    @abstractmethod
    def put(self, key: str, data: bytes) -> None: ...

    @abstractmethod
    def get(self, key: str) -> bytes | None:
        """Return all of a small object; None if there is none."""

    @abstractmethod
    def sizes(self, folder: str) -> dict[str, int]:
        """Return the bytes of each object of the folder, by its name there."""

    @abstractmethod
    def url(self, key: str) -> str:
        """Return an address to GET the object at, or ranges of it."""

    @abstractmethod
    def delete(self, folder: str) -> None:
        """Take away all that lies in the folder."""
