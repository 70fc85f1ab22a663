"""The workflows: what each may start from, what it shows while it runs, and its steps in order."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.models.status import Status
from chalicelib.models.turns import QUEUES

FIVE_MINUTES = 300
HOUR = 3_600
DAY = 24 * HOUR


class Lock(StrEnum):
    EXCLUSIVE = "exclusive"  # one at a time
    SHARED = "shared"  # beside others of its kind, never beside an exclusive one
    NONE = "none"  # beside any other; on each instance, one of them after the other
    PREEMPTING = "preempting"  # takes the lock from whoever has it


@dataclass(frozen=True)
class Workflow:
    """`during` is None where the customer should see no change of status, nor an ERROR if it fails.

    After a failure what was moving is in ERROR, and so is the cluster if anything of it that had served is.
    """

    steps: tuple[str, ...]  # in order, as in its file; for percent
    begins_from: frozenset[Status]
    during: Status | None = None
    instances_during: Status | None = None
    after: Status = Status.ACTIVE
    lock: Lock = Lock.EXCLUSIVE
    timeout_seconds: int = HOUR
    queue: str = QUEUES[0]  # of those with no lock: where they wait for their turn
    spares: bool = False  # a failure leaves the instances what they were before: they served all the while


ACTIVE = frozenset({Status.ACTIVE})
ACTIVE_OR_ERROR = frozenset({Status.ACTIVE, Status.ERROR})
AT_REST = frozenset({Status.ACTIVE, Status.STOPPED, Status.ERROR})
SERVING = frozenset({Status.ACTIVE, Status.GROWING, Status.SHRINKING, Status.UPDATING})
ANYTHING = frozenset(Status)
NOTHING = frozenset[Status]()

REVIVE = ("start_server", "await_ssh")
PROVISION = ("create_server", "attach_volume", "await_ssh", "prepare_datastore")

WORKFLOWS = {
    "create_cluster": Workflow(
        steps=("open_job", *PROVISION, "start_primary", "join_replica", "close_job"),
        begins_from=NOTHING,
        during=Status.CREATING,
        instances_during=Status.CREATING,
    ),
    "restore_backup": Workflow(  # into a new cluster
        steps=("open_job", *PROVISION, "restore_data", "start_primary", "join_replica", "close_job"),
        begins_from=NOTHING,
        during=Status.CREATING,
        instances_during=Status.CREATING,
        timeout_seconds=DAY,
    ),
    "create_backup": Workflow(
        steps=("open_job", "take_backup", "close_job"),
        begins_from=ACTIVE_OR_ERROR,  # one member's trouble is no reason not to save another's data
        lock=Lock.SHARED,
        timeout_seconds=DAY,
    ),
    "expire_backups": Workflow(  # of a schedule: asks nothing of its cluster
        steps=("open_job", "expire_backups", "close_job"),
        begins_from=ANYTHING,
        lock=Lock.NONE,
    ),
    "add_instance": Workflow(
        steps=("open_job", *PROVISION, "join_replica", "close_job"),
        begins_from=ACTIVE,
        during=Status.GROWING,
        instances_during=Status.CREATING,
    ),
    "remove_instance": Workflow(
        steps=("open_job", "drop_replica", "delete_server", "forget_instances"),
        begins_from=ACTIVE_OR_ERROR,
        during=Status.SHRINKING,
        instances_during=Status.DELETING,
    ),
    "delete_cluster": Workflow(
        steps=("open_job", "delete_server", "forget_cluster"),
        begins_from=AT_REST,
        during=Status.DELETING,
        instances_during=Status.DELETING,
    ),
    "restart_cluster": Workflow(
        steps=("open_job", *REVIVE, "restart_datastore", "close_job"),
        begins_from=ACTIVE_OR_ERROR,
        during=Status.RESTARTING,
        instances_during=Status.RESTARTING,
    ),
    "stop_cluster": Workflow(
        steps=("open_job", "stop_datastore", "close_job"),
        begins_from=ACTIVE_OR_ERROR,
        during=Status.STOPPING,
        instances_during=Status.STOPPING,
        after=Status.STOPPED,
    ),
    "start_cluster": Workflow(
        steps=("open_job", *REVIVE, "start_datastore", "close_job"),
        begins_from=AT_REST,
        during=Status.STARTING,
        instances_during=Status.STARTING,
    ),
    "reboot_instance": Workflow(
        steps=("open_job", "reboot_server", "await_ssh", "restart_datastore", "close_job"),
        begins_from=AT_REST,
        during=Status.RESTARTING,
        instances_during=Status.RESTARTING,
    ),
    "resize_volume": Workflow(
        steps=("open_job", "extend_volume", "grow_file_system", "start_datastore", "close_job"),
        begins_from=ACTIVE_OR_ERROR,  # a datastore whose disk is full may be in ERROR for that
        during=Status.RESIZING,
        instances_during=Status.RESIZING,
        spares=True,
    ),
    "perform": Workflow(steps=("open_job", "run_commands", "close_job"), begins_from=AT_REST),
    "configure_instances": Workflow(
        steps=("open_job", "apply_parameters", "close_job"),
        begins_from=ACTIVE,
        timeout_seconds=FIVE_MINUTES,
    ),
    "change_access": Workflow(
        steps=("open_job", "change_access", "close_job"),
        begins_from=frozenset({Status.ACTIVE, Status.STOPPED}),
        timeout_seconds=FIVE_MINUTES,
    ),
    "change_accounts": Workflow(
        steps=("open_job", "change_accounts", "close_job"),
        begins_from=SERVING,
        lock=Lock.NONE,
        timeout_seconds=FIVE_MINUTES,
    ),
    "change_log": Workflow(
        steps=("open_job", "change_log", "close_job"),
        begins_from=SERVING,
        lock=Lock.NONE,
        queue=QUEUES[1],
    ),
    "rotate_key": Workflow(
        steps=("open_job", "draw_key", "trust_key", "switch_key", "distrust_key", "forget_keys", "close_job"),
        begins_from=AT_REST,
    ),
}
