"""Parts of backups, and what a guest is told and tells of them: small files in its memory."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, LiteralString

from chalicelib.errors import Permanent
from chalicelib.ssh.guest import Guest

ADDRESS: Final = re.compile(
    r"https?://[A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]+"
)  # nothing that curl's file would read otherwise
LINES_AT_ONCE: Final = 500  # of parts: what one command may answer with is bounded
TELL: Final[LiteralString] = """\
[ -d {folder} ] && cd {folder} || exit 0
for file in of read done version position; do
  [ ! -s $file ] || {{ printf '%s ' $file && head --lines=1 $file; }}
done
[ -s read ] || [ ! -s zstd.pid ] || sed -n 's/^rchar: /read /p' "/proc/$(cat zstd.pid)/io" 2>/dev/null || true"""
PARTS: Final[LiteralString] = "[ ! -e {file} ] || tail --lines=+{first} {file} | head --lines={lines}"


@dataclass(frozen=True)
class Part:
    """A part of what is stored, as the guest sent it."""

    number: int  # from 1
    size: int
    sha256: str


def addresses(urls: Mapping[int, str] | Mapping[str, str]) -> str:
    """Return the file that a unit reads its addresses from. They are secrets."""
    for key, url in urls.items():
        if not ADDRESS.fullmatch(url):
            raise Permanent(f"The address of {key} is none that could be asked.")
    return "".join(f"{key} {url}\n" for key, url in urls.items())


def part_lines(parts: Iterable[Part]) -> str:
    return "".join(f"{each.number} {each.size} {each.sha256}\n" for each in parts)


def read_parts(guest: Guest, folder: str, after: int) -> tuple[Part, ...]:
    """Return the parts that are stored, whose numbers are above `after`: they are noted in their order."""
    parts: list[Part] = []
    while True:
        first = after + len(parts) + 1
        lines = guest.run(PARTS, file=f"{folder}/parts", first=first, lines=LINES_AT_ONCE).splitlines()
        for line in lines:
            number, size, sha256 = line.split()
            parts.append(Part(int(number), int(size), sha256))
        if len(lines) < LINES_AT_ONCE:
            return tuple(parts)


def told(guest: Guest, folder: str) -> dict[str, str]:
    """Return what the unit tells of itself: a name and a value in each line."""
    lines = guest.run(TELL, folder=folder).splitlines()
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}
