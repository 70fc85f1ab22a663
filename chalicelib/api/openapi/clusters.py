"""Clusters in schemas."""

from chalicelib.api.clusters import ATTACH, DETACH, PLAIN
from chalicelib.api.openapi.instances import FLAVOR_CHOICE, LOCALITY, RESTORE_POINT, SHAPE, STATUS, VOLUME, WHERE
from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import (
    ANY,
    DATASTORE_EXAMPLES,
    EMPTY,
    LINE,
    MOMENT,
    NAME,
    NOTHING,
    REFERENCE,
    TEXT,
    Schema,
    action,
    body,
    listed,
    one_of,
    page,
    ref,
    shown,
    whole,
)
from chalicelib.api.views.clusters import IDLE, TASKS
from chalicelib.models.status import Role, Status

TASK_IDS, TASK_NAMES, _ = zip(IDLE, *TASKS.values(), strict=True)
MEMBER: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "type": one_of(["member"]),
    "links": ref("Links"),
    # what follows is not in a list
    "status?": STATUS,
    "role?": one_of(Role),
    **{f"{key.rstrip('?')}?": each for key, each in SHAPE.items()},
}
CLUSTER: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "status": one_of(Status),
    "task": shown({"id": one_of(TASK_IDS), "name": one_of(TASK_NAMES), "description": TEXT}),
    "created": MOMENT,
    "updated": MOMENT,
    "links": ref("Links"),
    "datastore": shown({"type": TEXT, "version": TEXT}),
    "instances": listed(shown(MEMBER)),
    "ip?": listed(TEXT),
    "locality?": LOCALITY,
    "fault?": ref("Fault"),
}
MEMBER_ORDER = FLAVOR_CHOICE | body({"name?": NAME, "volume?": VOLUME, **WHERE})
EQUAL = FLAVOR_CHOICE | body({"instances?": NOTHING, "size": whole(1, 1_000), "volume?": VOLUME, **WHERE})
DIFFERENT = body({"size?": NOTHING, "instances": listed(ref("MemberOrder"), least=1)})
ORDER: Schema = body(
    {
        "restorePoint?": RESTORE_POINT,
        "name": NAME,
        "datastore": body({"type": LINE, "version?": LINE}) | DATASTORE_EXAMPLES,
        "configuration?": REFERENCE,
        "locality?": LOCALITY,
        "extended_properties?": EMPTY,
    }
) | {"anyOf": [DIFFERENT, EQUAL]}
ACTIONS = {
    "grow": listed(ref("MemberOrder"), least=1),
    "shrink": listed(body({"id": LINE}), least=1),
    ATTACH: body({"configuration_id": REFERENCE}),
    DETACH: ANY,
    "reset-status": ANY,
    **dict.fromkeys(PLAIN, ANY),
}

CLUSTERS = Noun(
    "clusters",
    {
        "POST /clusters": Operation(
            shown({"cluster": ref("CreatedCluster")}), body=body({"cluster": ref("ClusterOrder")}), starts_job=True
        ),
        "GET /clusters": Operation(page("clusters", ref("Cluster")), query=PAGED),
        "GET /clusters/{cluster_id}": Operation(shown({"cluster": ref("Cluster")})),
        "POST /clusters/{cluster_id}": Operation(
            shown({"cluster": ref("Cluster"), "job?": ref("Job")}), status=202, body=action(ACTIONS), starts_job=True
        ),
        "DELETE /clusters/{cluster_id}": Operation(status=202, starts_job=True),
    },
    {
        "Cluster": shown(CLUSTER),
        "CreatedCluster": shown({**CLUSTER, "password": TEXT | {"description": "Told this once."}, "job_id": TEXT}),
        "ClusterOrder": ORDER,
        "MemberOrder": MEMBER_ORDER,
    },
)
