"""What a cluster or an instance is doing: present participles while moving, adjectives at rest."""

from enum import StrEnum


class Status(StrEnum):
    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    RESIZING = "RESIZING"
    GROWING = "GROWING"
    SHRINKING = "SHRINKING"
    RESTARTING = "RESTARTING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    STARTING = "STARTING"
    DELETING = "DELETING"
    ERROR = "ERROR"


BACKUP = "BACKUP"  # Trove's word for what is being backed up: it serves meanwhile
AT_REST = frozenset({Status.ACTIVE, Status.STOPPED, Status.ERROR})


class Role(StrEnum):
    PRIMARY = "primary"
    REPLICA = "replica"


class JobStatus(StrEnum):
    """Step Functions' words."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
