"""What administrators see and change, in schemas."""

from chalicelib.api.mgmt import MOST_QUOTA
from chalicelib.api.openapi.clusters import CLUSTER
from chalicelib.api.openapi.instances import DETAIL, LISTED, PERFORM, PLAIN_ACTIONS
from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import (
    ANY,
    EMPTY,
    LINE,
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    YES_OR_NO,
    Schema,
    action,
    body,
    data,
    listed,
    maybe,
    one_of,
    page,
    ref,
    shown,
    strict_body,
    whole,
)
from chalicelib.models.status import Status
from chalicelib.orders.offers import MOST_PACKAGES

SERVER = shown({"id": TEXT, "name": TEXT, "tenant_id": TEXT, "status": maybe(TEXT), "host": maybe(TEXT)})
GONE: dict[str, Schema] = {"deleted": TRUTH, "deleted_at": NOTHING}
OF_INSTANCE: dict[str, Schema] = {
    "server": maybe(SERVER),
    "service_status": one_of(Status),
    "task_description": TEXT,
    **GONE,
}
OF_CLUSTER: dict[str, Schema] = {"tenant_id": TEXT, **GONE}
QUOTA = shown(
    {
        "resource": one_of(["instances", "volumes", "backups", "ram"]),
        "in_use": NUMBER,
        "reserved": NUMBER,
        "limit": NUMBER,
    }
)
LIMITS = strict_body({"instances?": whole(-1, MOST_QUOTA), "volumes?": whole(-1, MOST_QUOTA)})
VERSION: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "version": TEXT,
    "datastore_id": TEXT,
    "datastore_name": TEXT,
    "datastore_manager": TEXT,
    "image": TEXT,
    "image_tags": listed(TEXT),
    "packages": listed(TEXT),
    "active": TRUTH,
    "default": TRUTH,
    "registry_ext": TEXT,
    "repl_strategy": TEXT,
}
CHANGEABLE: dict[str, Schema] = {
    "version?": LINE,
    "packages?": listed(data(), most=MOST_PACKAGES),
    "active?": YES_OR_NO,
    "default?": YES_OR_NO,
    "image_tags?": EMPTY,
}
OFFER = strict_body(
    {
        "name": LINE,
        "datastore_name": LINE,
        "datastore_manager": LINE,
        "image": LINE,
        "registry_ext?": EMPTY,
        "repl_strategy?": EMPTY,
        **CHANGEABLE,
    }
)
OFFER_CHANGE = strict_body({"datastore_manager?": LINE, "image?": LINE, **CHANGEABLE})

MGMT = Noun(
    "for administrators",
    {
        "GET /mgmt/instances": Operation(
            page("instances", ref("ManagedInstance")), query=(*PAGED, "include_clustered", "project_id")
        ),
        "GET /mgmt/instances/{instance_id}": Operation(shown({"instance": ref("ManagedInstanceDetail")})),
        "POST /mgmt/instances/{instance_id}/action": Operation(
            status=202,
            also={200: shown({"job": ref("Job")})},  # of `perform`
            body=action({**PLAIN_ACTIONS, "perform": PERFORM}),
            starts_job=True,
        ),
        "GET /mgmt/clusters": Operation(page("clusters", ref("ManagedCluster")), query=(*PAGED, "project_id")),
        "GET /mgmt/clusters/{cluster_id}": Operation(shown({"cluster": ref("ManagedCluster")})),
        "POST /mgmt/clusters/{cluster_id}/action": Operation(status=202, body=action({"reset-task": ANY})),
        "GET /mgmt/quotas/{quota_project_id}": Operation(shown({"quotas": listed(QUOTA)})),
        "PUT /mgmt/quotas/{quota_project_id}": Operation(
            shown({"quotas": shown({"instances?": NUMBER, "volumes?": NUMBER})}), body=body({"quotas": LIMITS})
        ),
        "GET /mgmt/datastore-versions": Operation(shown({"versions": listed(ref("ManagedVersion"))})),
        "POST /mgmt/datastore-versions": Operation(status=202, body=body({"version": OFFER})),
        "GET /mgmt/datastore-versions/{version}": Operation(shown({"version": ref("ManagedVersion")})),
        "PATCH /mgmt/datastore-versions/{version}": Operation(status=202, body=OFFER_CHANGE),
        "DELETE /mgmt/datastore-versions/{version}": Operation(status=202),
    },
    {
        "ManagedInstance": shown({**LISTED, **OF_INSTANCE}),
        "ManagedInstanceDetail": shown({**DETAIL, **OF_INSTANCE}),
        "ManagedCluster": shown({**CLUSTER, **OF_CLUSTER}),
        "ManagedVersion": shown(VERSION),
    },
)
