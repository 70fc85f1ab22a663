"""A backup's manifest: beside its data in the store, all that is known of it but its secret."""

import json
from dataclasses import dataclass
from typing import Any

from chalicelib.datastores.backups import Taken
from chalicelib.datastores.sent import Part
from chalicelib.models.backup import DATA, MANIFEST, Backup
from chalicelib.models.instance import Instance
from chalicelib.stores import store

FORM = 1  # of what is written here


@dataclass(frozen=True)
class Manifest:
    parts: tuple[Part, ...]
    position: str
    server_version: str | None
    data_bytes: int
    about: dict[str, Any]  # for people and for those who read it without our records

    @classmethod
    def of(cls, backup: Backup, instance: Instance, taken: Taken) -> "Manifest":
        about = {
            "form": FORM,
            "backup_id": backup.backup_id,
            "parent_id": backup.parent_id,
            "project_id": backup.project_id,
            "instance_id": backup.instance_id,
            "taken_on": instance.instance_id,
            "role": instance.role,
            "datastore": backup.datastore,
            "datastore_version": backup.datastore_version,
            "configuration_id": instance.configuration_id,
            "volume_gib": int(backup.volume_gib) if backup.volume_gib else None,
            "flavor_id": instance.flavor_id,
            "age_recipient": backup.recipient,
            "made_of": "the engine's stream | zstd | age",
        }
        return cls(taken.parts, str(taken.position), taken.server_version, taken.read_bytes, about)

    @property
    def stored_bytes(self) -> int:
        return sum(each.size for each in self.parts)

    def put(self, backup: Backup) -> None:
        told = {
            **self.about,
            "position": self.position,
            "server_version": self.server_version,
            "data_bytes": self.data_bytes,
            "parts": [[each.number, each.size, each.sha256] for each in self.parts],
        }
        store().put(f"{backup.store_key}/{MANIFEST}", json.dumps(told, indent=1).encode())

    @classmethod
    def get(cls, backup: Backup) -> "Manifest | None":
        """Return what lies beside the backup's data; None if nothing does."""
        if (found := store().get(f"{backup.store_key}/{MANIFEST}")) is None:
            return None
        told = json.loads(found)
        parts = tuple(Part(number, size, sha256) for number, size, sha256 in told.pop("parts"))
        return cls(parts, told.pop("position"), told.pop("server_version"), told.pop("data_bytes"), told)


def is_stored(backup: Backup, manifest: Manifest) -> bool:
    return store().sizes(backup.store_key).get(DATA) == manifest.stored_bytes
