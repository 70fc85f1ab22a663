"""The stages, and what differs between them: how long things are kept, and what no mistake may delete."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stage:
    name: str  # a stage of .chalice/config.json
    log_retention_days: int  # of the functions' own logs; those of instances have a setting
    keeps_records: bool  # tables, key and bucket outlive the stack, and nobody deletes a table by mistake


STAGES = {
    each.name: each
    for each in (
        Stage("dev", log_retention_days=14, keeps_records=False),
        Stage("prod", log_retention_days=365, keeps_records=True),
    )
}
DEV = STAGES["dev"]


def let_go(resources: dict[str, Any]) -> None:
    """Let tables, key and bucket go with the stack: resources.yaml says what is right for customers' own."""
    for resource in resources.values():
        if "DeletionPolicy" in resource:
            resource.update(DeletionPolicy="Delete", UpdateReplacePolicy="Delete")
        resource.get("Properties", {}).pop("DeletionProtectionEnabled", None)
