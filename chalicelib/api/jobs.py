"""/v1.0/{project_id}/jobs: our extension: what is going on, how far it is, and how it ended."""

from chalice.app import Response

from chalicelib.api.pages import page
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.jobs import job_view
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job, page_of_jobs
from chalicelib.models.status import JobStatus

routes = Routes(__name__)


@routes.on("GET /jobs")
def list_jobs(request: Request) -> Response:
    """List those of the project, of `?cluster_id=`, or of the cluster that `?instance_id=` belongs to."""
    cluster_id = request.asked_id("cluster_id")
    if instance_id := request.query.get("instance_id"):
        cluster_id = request.find_id(Instance, instance_id).cluster_id
    owner = Cluster.find(cluster_id) if cluster_id and request.caller.is_admin else None
    project_id = owner.project_id if owner else request.project_id
    jobs, marker = page_of_jobs(project_id, *request.page(), cluster_id)
    return page(request, "jobs", [job_view(each) for each in jobs], marker)


@routes.on("GET /jobs/{job_id}")
def show_job(request: Request) -> Response:
    job = request.find(Job, "job_id")
    instances: list[Instance] = []  # gone, if a delete is nearly through
    if job.status == JobStatus.RUNNING:
        instances = list(Instance.batch_get(list(job.instance_ids), consistent_read=True))
    view = job_view(job, sorted(instances, key=lambda each: job.instance_ids.index(each.instance_id)))
    if request.caller.is_admin and job.commands:
        view |= {"name": job.title, "commands": list(job.commands), "output": job.output}
    if request.caller.is_admin and job.consoles:
        view["consoles"] = [{"id": each.instance_id, "name": each.name, "text": each.text} for each in job.consoles]
    return Response({"job": view})
