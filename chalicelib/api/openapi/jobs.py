"""Jobs in schemas."""

from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import MOMENT, TEXT, Schema, listed, maybe, one_of, page, ref, shown
from chalicelib.jobs.workflows import WORKFLOWS
from chalicelib.models.status import JobStatus

PERCENT: Schema = {"type": "integer", "minimum": 0, "maximum": 100}
REACHED: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "step": maybe(TEXT),
    "percent": PERCENT,
    "message": maybe(TEXT),
}
JOB: dict[str, Schema] = {
    "id": TEXT,
    "workflow": one_of(WORKFLOWS),
    "cluster_id": TEXT,
    "status": one_of(JobStatus),
    "requested_by": TEXT,
    "message": maybe(TEXT),
    "started": MOMENT,
    "finished": maybe(MOMENT),
    "execution": maybe(TEXT),
    # how far it is: of a running job only where it is shown alone
    "step?": maybe(TEXT),
    "percent?": PERCENT,
    "instances?": listed(shown(REACHED)),
    # of administrators' own commands, for them
    "name?": maybe(TEXT),
    "commands?": listed(TEXT),
    "output?": maybe(TEXT),
    # for administrators: of servers that did not come up, the last lines of their consoles
    "consoles?": listed(shown({"id": TEXT, "name": TEXT, "text": TEXT})),
}

JOBS = Noun(
    "jobs",
    {
        "GET /jobs": Operation(page("jobs", ref("Job")), query=(*PAGED, "cluster_id", "instance_id")),
        "GET /jobs/{job_id}": Operation(shown({"job": ref("Job")})),
    },
    {"Job": shown(JOB)},
)
