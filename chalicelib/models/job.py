"""Jobs: one run of a workflow each: who asked, how far it is, how it ended."""

from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection

from chalicelib.models.page import newest_first
from chalicelib.models.record import ProjectRecord, now, table_name
from chalicelib.models.sealed import Sealed
from chalicelib.models.status import JobStatus

OPEN = "open"
LISTED = ["workflow", "requested_by", "status", "message", "execution", "reached", "started_at", "finished_at"]


class JobsByProject(GlobalSecondaryIndex["Job"]):
    """Without commands and their output, so that a page of jobs stays one request."""

    class Meta:
        index_name = "by_project"
        projection = IncludeProjection([*LISTED, "cluster_id"])

    project_id = UnicodeAttribute(hash_key=True)
    sort_key = UnicodeAttribute(range_key=True)


class JobsByCluster(GlobalSecondaryIndex["Job"]):
    class Meta:
        index_name = "by_cluster"
        projection = IncludeProjection([*LISTED, "project_id"])

    cluster_id = UnicodeAttribute(hash_key=True)
    sort_key = UnicodeAttribute(range_key=True)


class OpenJobs(GlobalSecondaryIndex["Job"]):
    """Jobs that have not ended: the sweep reads only these."""

    class Meta:
        index_name = "open_jobs"
        projection = AllProjection()

    openness = UnicodeAttribute(hash_key=True)
    started_at = UTCDateTimeAttribute(range_key=True)


class Reached(MapAttribute[str, Any]):
    """How far an instance had come when the job ended."""

    instance_id = UnicodeAttribute()
    name = UnicodeAttribute()
    step = UnicodeAttribute(null=True)
    percent = NumberAttribute()
    message = UnicodeAttribute(null=True)


class Console(MapAttribute[str, Any]):
    """What the console of a server showed that did not come up."""

    instance_id = UnicodeAttribute()
    name = UnicodeAttribute()
    text = UnicodeAttribute()


class Job(ProjectRecord):
    class Meta:
        table_name = table_name("jobs")

    job_id = UnicodeAttribute(hash_key=True)  # also the execution's name: the same name twice is the same run
    cluster_id = UnicodeAttribute()
    sort_key = UnicodeAttribute()  # started_at and job_id
    by_project = JobsByProject()
    by_cluster = JobsByCluster()
    workflow = UnicodeAttribute()  # a key of jobs.WORKFLOWS
    instance_ids: ListAttribute[str] = ListAttribute(default=list)  # those it is about
    requested_by = UnicodeAttribute()  # a user, or "console"
    status = UnicodeAttribute(default=JobStatus.RUNNING)
    openness = UnicodeAttribute(null=True)  # OPEN; absent once it has ended
    open_jobs = OpenJobs()
    message = UnicodeAttribute(null=True)  # why it failed
    execution = UnicodeAttribute(null=True)  # ARN
    redrives = NumberAttribute(default=0)
    reached: ListAttribute[Reached] = ListAttribute(of=Reached, default=list)  # filled as it ends
    consoles: ListAttribute[Console] = ListAttribute(of=Console, null=True)
    # --- perform
    title = UnicodeAttribute(null=True)
    commands: ListAttribute[str] = ListAttribute(null=True)
    output = UnicodeAttribute(null=True)
    # --- configure_instances
    configuration_id = UnicodeAttribute(null=True)  # None: they shall have none
    # --- change_log
    log = UnicodeAttribute(null=True)  # its name
    acts: ListAttribute[str] = ListAttribute(null=True)  # enable or disable, discard, publish: in this order
    goal = UnicodeAttribute(null=True)  # JSON: how far to publish which of its files; what comes before that is done
    # --- change_access: as it shall be
    access_changes = NumberAttribute(null=True)  # the instance's, this one counted
    is_public = BooleanAttribute(null=True)
    allowed_cidrs: ListAttribute[str] = ListAttribute(null=True)
    # --- create_backup, restore_backup
    backup_id = UnicodeAttribute(null=True)  # that it takes or restores
    backup_ids: ListAttribute[str] = ListAttribute(null=True)  # that must stay for it until it ends
    # --- expire_backups
    schedule_id = UnicodeAttribute(null=True)  # whose
    # --- resize_volume
    volume_gib = NumberAttribute(null=True)  # what each volume shall have
    # --- change_accounts
    wish = Sealed(null=True)  # until the job ends: it may hold passwords

    started_at = UTCDateTimeAttribute(default=now)
    finished_at = UTCDateTimeAttribute(null=True)
    expires_at = TTLAttribute(null=True)

    def save_running(self) -> None:
        """Save, if it runs still and is as it was read: a step that comes late adds nothing. Raises Stale."""
        status: Any = Job.status
        self.save_if(status == JobStatus.RUNNING)


def page_of_jobs(
    project_id: str, limit: int, marker: str | None, cluster_id: str | None
) -> tuple[list[Job], str | None]:
    """Return jobs, newest first, older than `marker` (a sort_key), and the marker of the next page if there is one."""
    index: Any = Job.by_cluster if cluster_id else Job.by_project
    return newest_first(index, cluster_id or project_id, project_id, limit, marker)
