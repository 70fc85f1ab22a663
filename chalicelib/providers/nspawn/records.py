"""What the site knows of its resources: a JSON file each, written before the resource exists and removed after it."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from chalicelib import config
from chalicelib.providers.base import OwnedResource

FILE = "record.json"


@dataclass(kw_only=True)
class Record:
    """The metadata that every resource carries from before its birth."""

    kind: str
    resource_id: str
    cluster_id: str
    instance_id: str | None
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    deployment: str = field(default_factory=lambda: config.current().dtrove_deployment)

    @property
    def owned(self) -> OwnedResource:
        created_at = datetime.fromisoformat(self.created_at)
        return OwnedResource(
            self.kind, self.resource_id, self.cluster_id, self.instance_id, created_at, self.deployment
        )


@dataclass(kw_only=True)
class ServerRecord(Record):
    instance_id: str
    machine: str  # its host name too
    veth: str  # its interface on the host
    address: str
    image: str
    memory_mib: int
    vcpus: int
    user: str
    host_key: str  # OpenSSH line of its public host key
    is_born: bool = False  # its disk is complete, host key included: from here on it boots without a Birth
    is_cut_off: bool = False
    port: int | None = None  # of its database
    allowed_cidrs: list[str] | None = None  # who may reach it; None: everybody
    access_number: int = 0
    resized_from: list[int] | None = None  # MiB and processors, until that is confirmed or reverted
    is_restarting: bool = False  # runs with the limits it had


@dataclass(kw_only=True)
class VolumeRecord(Record):
    instance_id: str
    size_gib: int
    is_attached: bool = False


@dataclass(kw_only=True)
class SnapshotRecord(Record):
    instance_id: str
    size_gib: int


@dataclass(kw_only=True)
class AddressRecord(Record):
    address: str
    holder_id: str | None = None  # the instance that has it


R = TypeVar("R", bound=Record)


def load(cls: type[R], folder: Path) -> R | None:
    try:
        return cls(**json.loads((folder / FILE).read_text()))
    except FileNotFoundError:
        return None


def save(record: Record, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(folder / FILE, json.dumps(asdict(record), indent=2))


def load_all(cls: type[R], shelf: Path) -> Iterator[R]:
    for file in sorted(shelf.glob(f"*/{FILE}")):
        if (record := load(cls, file.parent)) is not None:
            yield record


def discard(folder: Path) -> None:
    """Remove the folder, its record last: cut half-way, it is still found."""
    for entry in list(folder.iterdir()) if folder.exists() else []:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != FILE:
            entry.unlink(missing_ok=True)
    (folder / FILE).unlink(missing_ok=True)
    if folder.exists():
        folder.rmdir()


def replace(path: Path, text: str) -> None:
    """Write the file in one move, so that whoever reads it finds the old or the new."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)
