"""Our ids on what is in the cloud. Nova and Cinder keep metadata; Neutron keeps a description, one line here."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from chalicelib import config
from chalicelib.models.instance import Instance

WORD = "dtrove"
NOBODY = "-"
CHOSEN = "dtrove_chosen"  # in metadata: of several tries' resources the one that stays
CHOSEN_WORD = "chosen"


def name_of(owner_id: str) -> str:
    """Return the name of what belongs to the instance or cluster: the clouds' lists can be asked for it."""
    return f"{WORD}-{owner_id}"


def moment_of(text: str) -> datetime:
    """Return the moment that a service tells: some leave out that it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Label:
    deployment: str
    cluster_id: str
    instance_id: str | None = None
    note: str = ""  # one word, e.g. CHOSEN_WORD

    @classmethod
    def of(cls, instance: Instance, note: str = "") -> "Label":
        return cls(config.current().dtrove_deployment, str(instance.cluster_id), str(instance.instance_id), note)

    @classmethod
    def of_cluster(cls, cluster_id: str, note: str = "") -> "Label":
        return cls(config.current().dtrove_deployment, cluster_id, None, note)

    @classmethod
    def read(cls, description: str | None) -> "Label | None":
        """Return the label that a description is; None if it is somebody else's text."""
        match (description or "").split(" "):
            case ["dtrove", deployment, cluster_id, instance_id, *note]:
                return cls(deployment, cluster_id, None if instance_id == NOBODY else instance_id, " ".join(note))
        return None

    @property
    def text(self) -> str:
        words = (WORD, self.deployment, self.cluster_id, self.instance_id or NOBODY, self.note)
        return " ".join(words).rstrip()

    @property
    def is_chosen(self) -> bool:
        return self.note == CHOSEN_WORD

    def chosen(self) -> "Label":
        return replace(self, note=CHOSEN_WORD)

    @property
    def metadata(self) -> dict[str, str]:
        ids = {"dtrove_deployment": self.deployment, "dtrove_cluster_id": self.cluster_id}
        return ids | ({"dtrove_instance_id": self.instance_id} if self.instance_id else {})

    @classmethod
    def in_metadata(cls, metadata: dict[str, Any] | None) -> "Label | None":
        told = metadata or {}
        if "dtrove_deployment" not in told or "dtrove_cluster_id" not in told:
            return None
        return cls(told["dtrove_deployment"], told["dtrove_cluster_id"], told.get("dtrove_instance_id"))
