"""Instances in schemas: what they show, how they are ordered, what may be asked of them."""

from chalicelib.api.actions import ACTIONS, RESETS
from chalicelib.api.openapi.accounts import DATABASE_ORDER, USER_ORDER
from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import (
    ANY,
    DATASTORE_EXAMPLES,
    EMPTY,
    FLAVOR,
    LINE,
    MOMENT,
    NAME,
    NOTHING,
    NUMBER,
    REFERENCE,
    TEXT,
    TRUTH,
    YES_OR_NO,
    Schema,
    action,
    body,
    listed,
    one_of,
    page,
    ref,
    shown,
    storable,
    strict_body,
    whole,
)
from chalicelib.api.views.instances import RESTART_REQUIRED, STATUSES
from chalicelib.models.status import BACKUP, Role
from chalicelib.orders.account_order import MOST_AT_ONCE
from chalicelib.orders.instance_order import INHERITED, MOST_REPLICAS
from chalicelib.orders.order import LONGEST_COMMAND, MOST_COMMANDS, MOST_GIB
from chalicelib.orders.whereabouts import LOCALITIES, MOST_CIDRS, NIC_KEYS

# --- what they show
STATUS = one_of(dict.fromkeys([*(status for status, _ in STATUSES.values()), BACKUP, RESTART_REQUIRED]))
OPERATING_STATUS = one_of(dict.fromkeys([*(status for _, status in STATUSES.values()), RESTART_REQUIRED]))
LOCALITY = one_of(LOCALITIES)
NAMED = shown({"id": TEXT, "links": ref("Links")})
SHAPE: dict[str, Schema] = {
    "flavor": NAMED,
    "volume?": shown({"size": NUMBER | {"description": "GiB"}}),
    "ip?": listed(TEXT),
    "addresses?": listed(shown({"address": TEXT, "type": one_of(["private", "public"]), "network?": TEXT})),
}
LISTED: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "status": STATUS,
    "operating_status": OPERATING_STATUS,
    "role": one_of(Role),
    "region": TEXT,
    "links": ref("Links"),
    "datastore": shown({"type": TEXT, "version": TEXT, "version_number?": TEXT}),
    "access": shown({"is_public?": TRUTH, "allowed_cidrs?": listed(TEXT, least=1)}),
    "cluster_id?": TEXT,
    "replica_of?": NAMED,
    "replicas?": listed(NAMED, least=1),
    "tenant_id?": TEXT | {"description": "For administrators."},
    **SHAPE,
}
DETAIL: dict[str, Schema] = {
    **LISTED,
    "created": MOMENT,
    "updated": MOMENT,
    "service_status_updated": MOMENT,
    "configuration?": shown({"id": TEXT, "name": TEXT, "links": ref("Links")}),
    "fault?": ref("Fault"),
    "locality?": LOCALITY,
    "server_id?": TEXT | {"description": "For administrators."},
    "volume_id?": TEXT | {"description": "For administrators."},
}
CREATED: dict[str, Schema] = {**DETAIL, "job_id": TEXT, "password?": TEXT | {"description": "Told this once."}}

# --- how they are ordered
RESTORE_POINT = {"anyOf": [EMPTY, body({"backupRef": REFERENCE})]}
VOLUME = body({"size": whole(1, MOST_GIB), "type?": LINE})
FLAVOR_CHOICE: Schema = {  # openstacksdk sends `flavor` for `flavorRef`
    "anyOf": [
        {"required": ["flavorRef"], "properties": {"flavorRef": FLAVOR}},
        {
            "required": ["flavor"],
            "properties": {"flavorRef": NOTHING, "flavor": {"anyOf": [FLAVOR, body({"id": FLAVOR})]}},
        },
    ]
}
CIDR = TEXT | {"pattern": "^[0-9.]+(/[0-9]{1,2})?$"}
UUID = TEXT | {"pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
NIC = strict_body({f"{key}?": LINE if key.startswith("ip") else UUID for key in NIC_KEYS}) | {
    "description": "network_id or subnet_id is needed; ip_address needs subnet_id."
}
ACCESS = strict_body({"is_public?": YES_OR_NO, "allowed_cidrs?": listed(CIDR, most=MOST_CIDRS)})
WHERE = {
    "nics?": listed(NIC, most=1),
    "availability_zone?": LINE,
    "region_name?": LINE,
    "access?": ACCESS,
    "modules?": EMPTY,
}
DATASTORE = body({"type?": LINE, "version?": LINE, "version_number?": LINE}) | DATASTORE_EXAMPLES
STANDALONE: Schema = FLAVOR_CHOICE | body(
    {
        "replica_of?": NOTHING,
        "replica_count?": whole(1, 1),
        "volume?": VOLUME,
        "datastore?": DATASTORE,
        "configuration?": REFERENCE,
        "databases?": listed(DATABASE_ORDER, most=MOST_AT_ONCE),
        "users?": listed(USER_ORDER, most=MOST_AT_ONCE),
    }
)
REPLICAS = body(
    {
        "replica_of": REFERENCE,
        "replica_count?": whole(1, MOST_REPLICAS),
        **{f"{key}?": NOTHING for key in INHERITED if key not in ("locality", "restorePoint")},
    }
)
ORDER: Schema = body(
    {
        "name": NAME,
        **WHERE,
        "locality?": LOCALITY,
        "restorePoint?": RESTORE_POINT,
    }
) | {"anyOf": [STANDALONE, REPLICAS]}
UPDATE = body({"instance": strict_body({"name?": NAME, "configuration?": REFERENCE, "access?": ACCESS})})
PERFORM = body({"name": NAME, "commands": listed(storable(LONGEST_COMMAND), least=1, most=MOST_COMMANDS)})
SIZE = whole(1, MOST_GIB)
RESIZE = strict_body({"volume": {"anyOf": [SIZE, body({"size": SIZE})]}})  # openstacksdk sends the number alone
ACTIONS_OF_ALL = dict.fromkeys((*ACTIONS, *RESETS), ANY) | {"resize": RESIZE}

ONE = shown({"instance": ref("InstanceDetail")})
INSTANCES = Noun(
    "instances",
    {
        "POST /instances": Operation(
            shown({"instance": ref("CreatedInstance")}),
            body=body({"instance": ref("InstanceOrder")}),
            starts_job=True,
        ),
        "GET /instances": Operation(page("instances", ref("Instance")), query=(*PAGED, "include_clustered")),
        "GET /instances/detail": Operation(
            page("instances", ref("InstanceDetail")), query=(*PAGED, "include_clustered")
        ),
        "GET /instances/{instance_id}": Operation(ONE),
        "PUT /instances/{instance_id}": Operation(status=202, body=UPDATE, starts_job=True, name="update_instance"),
        "PATCH /instances/{instance_id}": Operation(status=202, body=UPDATE, starts_job=True, name="edit_instance"),
        "DELETE /instances/{instance_id}": Operation(status=202, starts_job=True, may_be_unsupported=True),
        "POST /instances/{instance_id}/action": Operation(status=202, body=action(ACTIONS_OF_ALL), starts_job=True),
        "GET /clusters/{cluster_id}/instances/{instance_id}": Operation(ONE),
    },
    {
        "Instance": shown(LISTED),
        "InstanceDetail": shown(DETAIL),
        "CreatedInstance": shown(CREATED),
        "InstanceOrder": ORDER,
    },
)
