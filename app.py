"""Puts the parts together: the API's routes, and one Lambda function for each privilege. No logic."""

from typing import Any

from chalice.app import Chalice

from chalicelib import journal
from chalicelib.api import (
    accounts,
    actions,
    backups,
    catalog,
    clusters,
    configurations,
    instances,
    jobs,
    later,
    logs,
    mgmt,
    mgmt_guests,
    mgmt_parameters,
    projects,
    roots,
    schedules,
    versions,
    versions_admin,
)

journal.write_as(journal.Lines())
app = Chalice(app_name="dtrove", configure_logs=False)
app.api.binary_types = []
PARTS = (
    *(versions, catalog, clusters, instances, actions, backups, schedules, accounts, roots, configurations),
    *(logs, jobs, later, mgmt, mgmt_guests, mgmt_parameters, projects, versions_admin),
)
for part in PARTS:
    app.register_blueprint(part.routes)


@app.lambda_function(name="records")
def records(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Steps on tables only."""
    from chalicelib.steps.entry import run_step  # noqa: PLC0415 - the API starts without what steps need

    return run_step(event, "records", context)


@app.lambda_function(name="cloud")
def cloud(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Steps that ask the cloud: has its credentials, opens no key."""
    from chalicelib.steps.entry import run_step  # noqa: PLC0415

    return run_step(event, "cloud", context)


@app.lambda_function(name="guest")
def guest(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Steps on guests: opens keys and SSH, knows no cloud credential."""
    from chalicelib.steps.entry import run_step  # noqa: PLC0415

    return run_step(event, "guest", context)


@app.lambda_function(name="reads")
def reads(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What the API asks a guest at the moment of a request: may open keys and SSH, and write nothing."""
    from chalicelib.steps.entry import run_read  # noqa: PLC0415

    return run_read(event, context)


@app.lambda_function(name="outcomes")
def outcomes(event: dict[str, Any], context: Any) -> str | None:
    """EventBridge: an execution ended badly."""
    from chalicelib.steps.entry import settle_execution  # noqa: PLC0415

    return settle_execution(event["detail"], context)


@app.lambda_function(name="sweep")
def sweep(event: dict[str, Any], context: Any) -> list[str]:
    """EventBridge, each minute: jobs whose end nobody heard of, or that never began."""
    from chalicelib.steps.entry import sweep_jobs  # noqa: PLC0415

    return sweep_jobs(context)


@app.lambda_function(name="scheduler")
def scheduler(event: dict[str, Any], context: Any) -> int:
    """EventBridge, each minute: backups that are due by their schedules."""
    from chalicelib.steps.entry import look_at_schedules  # noqa: PLC0415

    return look_at_schedules(context)


@app.lambda_function(name="sweep_cloud")
def sweep_cloud(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """EventBridge, every ten minutes: flavors to copy, resources that belong to nobody."""
    from chalicelib.steps.entry import look_at_cloud  # noqa: PLC0415

    return look_at_cloud(context)


@app.lambda_function(name="announce")
def announce(event: dict[str, Any], context: Any) -> int:
    """DynamoDB's streams: clusters and jobs changed, of which users may want to hear."""
    from chalicelib.steps.entry import tell_changes  # noqa: PLC0415

    return tell_changes(event["Records"], context)
