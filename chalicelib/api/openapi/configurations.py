"""Configuration groups and parameters in schemas."""

from chalicelib.api.openapi.instances import DATASTORE
from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import (
    ANY,
    MOMENT,
    NAME,
    NUMBER,
    TEXT,
    TRUTH,
    Schema,
    body,
    listed,
    maybe,
    one_of,
    page,
    ref,
    shown,
    storable,
)
from chalicelib.orders.configurations import LONGEST_DESCRIPTION

VALUES: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
GROUP: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "description": maybe(TEXT),
    "created": MOMENT,
    "updated": MOMENT,
    "datastore_name": TEXT,
    "datastore_version_id": TEXT,
    "datastore_version_name": TEXT,
}
DETAIL: dict[str, Schema] = {**GROUP, "values": VALUES, "instance_count": NUMBER, "datastore_version_number": TEXT}
PARAMETER: dict[str, Schema] = {
    "name": TEXT,
    "datastore_version_id": TEXT,
    "restart_required": TRUTH,
    "type": one_of(["integer", "string", "boolean", "float"]),
    "min?": {"type": "number"},
    "max?": {"type": "number"},
}
DESCRIPTION = {"anyOf": [storable(LONGEST_DESCRIPTION), one_of([""])]}
ORDER = body({"name": NAME, "values": {"type": "object"}, "description?": DESCRIPTION, "datastore?": DATASTORE})
CHANGE = body({"name?": NAME, "values?": {"type": "object"}, "description?": DESCRIPTION})
DRIFT = shown({"name": TEXT, "wanted": ANY, "actual": ANY, "waits_for_restart": TRUTH})
PRESENT = shown({"configuration": {"type": "object"}, "drift": listed(DRIFT)})

PARAMETERS = "GET /datastores/{datastore}/versions/{version}/parameters"
SHORT_PARAMETERS = "GET /datastores/versions/{version}/parameters"
ALL_PARAMETERS = shown({"configuration-parameters": listed(ref("Parameter"))})


def parameters(answer: Schema, name: str = "") -> Operation:
    return Operation(answer, name=name, may_be_unsupported=True)


CONFIGURATIONS = Noun(
    "configuration groups",
    {
        "GET /configurations": Operation(page("configurations", ref("Configuration")), query=PAGED),
        "POST /configurations": Operation(
            shown({"configuration": ref("ConfigurationDetail")}),
            body=body({"configuration": ORDER}),
            may_be_unsupported=True,
        ),
        "GET /configurations/{configuration_id}": Operation(shown({"configuration": ref("ConfigurationDetail")})),
        "GET /configurations/{configuration_id}/instances": Operation(
            page("instances", shown({"id": TEXT, "name": TEXT})), query=PAGED
        ),
        "PUT /configurations/{configuration_id}": Operation(
            status=202, body=body({"configuration": CHANGE}), starts_job=True
        ),
        "PATCH /configurations/{configuration_id}": Operation(
            status=200, body=body({"configuration": CHANGE}), starts_job=True
        ),
        "DELETE /configurations/{configuration_id}": Operation(status=202),
        "GET /instances/{instance_id}/configuration": Operation(
            shown({"instance": PRESENT}), asks_guest=True, may_be_unsupported=True
        ),
        PARAMETERS: parameters(ALL_PARAMETERS),
        SHORT_PARAMETERS: parameters(ALL_PARAMETERS, "list_parameters_by_version_id"),
        f"{PARAMETERS}/{{parameter}}": parameters(ref("Parameter")),
        f"{SHORT_PARAMETERS}/{{parameter}}": parameters(ref("Parameter"), "show_parameter_by_version_id"),
    },
    {"Configuration": shown(GROUP), "ConfigurationDetail": shown(DETAIL), "Parameter": shown(PARAMETER)},
)
