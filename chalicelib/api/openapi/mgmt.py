"""What administrators see and change, in schemas."""

from chalicelib.api.actions import MANAGED
from chalicelib.api.mgmt import COUNTED, MOST_QUOTA
from chalicelib.api.openapi.clusters import CLUSTER
from chalicelib.api.openapi.instances import ACTIONS_OF_ALL, DETAIL, LISTED, PERFORM
from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import (
    ANY,
    EMPTY,
    LINE,
    MOMENT,
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
VOLUME = shown({"size": NUMBER, "id?": TEXT, "attachments?": listed(shown({"server_id": maybe(TEXT), "device": TEXT}))})
OF_INSTANCE_DETAIL: dict[str, Schema] = {
    **OF_INSTANCE,
    "guest_status": shown({"state_description": TEXT}),
    "volume": maybe(VOLUME),
    "root_enabled?": MOMENT,
    "root_enabled_by?": maybe(TEXT),
}
OTHER_DETAIL = {key: each for key, each in DETAIL.items() if key != "volume?"}  # which is always there for them
ROOT_HISTORY = shown({"id": TEXT, "enabled": {"anyOf": [MOMENT, one_of(["Never"])]}, "user": TEXT})
KIB: Schema = NUMBER | {"description": "KiB"}
HARDWARE = shown({"mem_total": KIB, "num_cpus": NUMBER})
DIAGNOSTICS = shown(
    {"version": TEXT, "threads": NUMBER, "fdSize": NUMBER, **dict.fromkeys(("vmSize", "vmPeak", "vmRss", "vmHwm"), KIB)}
)
PARAMETER: dict[str, Schema] = {
    "name": TEXT,
    "datastore_version_id": TEXT,
    "restart_required": TRUTH,
    "type": one_of(["integer", "string", "boolean", "float"]),
    "min_size?": {"type": "number"},
    "max_size?": {"type": "number"},
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
LIMITS = strict_body(dict.fromkeys((f"{each}?" for each in COUNTED), whole(-1, MOST_QUOTA)))
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
PROJECT = shown({"id": TEXT, "name": TEXT, "enabled": TRUTH})

MGMT = Noun(
    "for administrators",
    {
        "GET /mgmt/instances": Operation(
            page("instances", ref("ManagedInstance")), query=(*PAGED, "include_clustered", "project_id", "deleted")
        ),
        "GET /mgmt/instances/{instance_id}": Operation(
            shown({"instance": ref("ManagedInstanceDetail")}), query=("deleted",)
        ),
        "POST /mgmt/instances/{instance_id}/action": Operation(
            status=202,
            also={200: shown({"job": ref("Job")})},  # of `perform`
            body=action({**ACTIONS_OF_ALL, **dict.fromkeys(MANAGED, ANY), "perform": PERFORM}),
            starts_job=True,
        ),
        "GET /mgmt/instances/{instance_id}/root": Operation(shown({"root_history": ROOT_HISTORY})),
        "GET /mgmt/instances/{instance_id}/hwinfo": Operation(shown({"hwinfo": HARDWARE}), asks_guest=True),
        "GET /mgmt/instances/{instance_id}/diagnostics": Operation(
            shown({"diagnostics": DIAGNOSTICS}), asks_guest=True
        ),
        "GET /mgmt/instances/{instance_id}/rpc_ping": Operation(status=204, asks_guest=True),
        "GET /mgmt/clusters": Operation(
            page("clusters", ref("ManagedCluster")), query=(*PAGED, "project_id", "deleted")
        ),
        "GET /mgmt/clusters/{cluster_id}": Operation(shown({"cluster": ref("ManagedCluster")})),
        "POST /mgmt/clusters/{cluster_id}/action": Operation(status=202, body=action({"reset-task": ANY})),
        "GET /mgmt/quotas/{quota_project_id}": Operation(shown({"quotas": listed(QUOTA)})),
        "PUT /mgmt/quotas/{quota_project_id}": Operation(
            shown({"quotas": shown(dict.fromkeys((f"{each}?" for each in COUNTED), NUMBER))}),
            body=body({"quotas": LIMITS}),
        ),
        "GET /projects": Operation(shown({"projects": listed(PROJECT)}), query=("name",)),
        "GET /projects/{known_project_id}": Operation(shown({"project": PROJECT})),
        "GET /mgmt/datastores/versions/{version}/parameters": Operation(
            shown({"configuration-parameters": listed(ref("ManagedParameter"))}), may_be_unsupported=True
        ),
        "GET /mgmt/datastores/versions/{version}/parameters/{parameter}": Operation(
            ref("ManagedParameter"), may_be_unsupported=True
        ),
        "DELETE /datastores/{datastore}": Operation(status=202),
        "GET /mgmt/datastore-versions": Operation(shown({"versions": listed(ref("ManagedVersion"))})),
        "POST /mgmt/datastore-versions": Operation(status=202, body=body({"version": OFFER})),
        "GET /mgmt/datastore-versions/{version}": Operation(shown({"version": ref("ManagedVersion")})),
        "PATCH /mgmt/datastore-versions/{version}": Operation(status=202, body=OFFER_CHANGE),
        "DELETE /mgmt/datastore-versions/{version}": Operation(status=202),
    },
    {
        "ManagedInstance": shown({**LISTED, **OF_INSTANCE}),
        "ManagedInstanceDetail": shown({**OTHER_DETAIL, **OF_INSTANCE_DETAIL}),
        "ManagedParameter": shown(PARAMETER),
        "ManagedCluster": shown({**CLUSTER, **OF_CLUSTER}),
        "ManagedVersion": shown(VERSION),
    },
)
