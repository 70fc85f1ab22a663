"""The logs of one invented guest: files that grow, are turned over and are emptied, told as a real guest tells them."""

import base64
from dataclasses import dataclass, field

from chalicelib.datastores import logs


@dataclass
class Book:
    born: int
    inode: int
    text: bytes = b""


@dataclass
class Logbook:
    books: dict[str, Book] = field(default_factory=dict)  # by path
    made: int = 0
    read: list[tuple[str, int]] = field(default_factory=list)  # path and offset of each read

    def write(self, path: str, text: bytes) -> None:
        if path not in self.books:
            self.made += 1
            self.books[path] = Book(1_700_000_000 + self.made, 10 + self.made % 2)  # inodes are used again
        self.books[path].text += text

    def turn(self, path: str) -> None:
        self.books[f"{path}.1"] = self.books.pop(path)

    def empty(self, path: str) -> None:
        self.books[path].text = b""

    def answer(self, command: str, stdin: str, words: dict[str, str | int]) -> str | None:
        """Answer a command about logs; None if it is about something else."""
        match command:
            case logs.LOOK:
                return self._look(stdin.splitlines())
            case logs.READ:
                return self._piece(str(words["path"]), str(words["identity"]), int(words["first"]), int(words["count"]))
            case logs.TAIL:
                return self._tail(str(words["path"]), int(words["lines"]), int(words["most"]))
        return None

    def _look(self, paths: list[str]) -> str:
        there = [file for path in paths for file in (f"{path}.1", path) if file in self.books]
        return "".join(
            f"{self.books[each].born} {self.books[each].inode} {len(self.books[each].text)} {each}\n" for each in there
        )

    def _piece(self, path: str, identity: str, first: int, count: int) -> str:
        book = self.books.get(path)
        if book is None or f"{book.born} {book.inode}" != identity:
            return ""
        self.read.append((path, first - 1))
        return base64.b64encode(book.text[first - 1 :][:count]).decode()

    def _tail(self, path: str, lines: int, most: int) -> str:
        text = b"".join(self.books[each].text for each in (f"{path}.1", path) if each in self.books)
        last = b"".join(text.splitlines(keepends=True)[-lines:])
        return base64.b64encode(last[-most:]).decode()
