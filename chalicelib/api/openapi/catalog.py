"""What is on offer, in schemas."""

from chalicelib.api.catalog import VERBS
from chalicelib.api.openapi.operation import Noun, Operation
from chalicelib.api.openapi.shapes import MOMENT, NUMBER, TEXT, TRUTH, listed, maybe, one_of, ref, shown

OF_ADMINISTRATORS = {
    "active?": TRUTH,
    "packages?": listed(TEXT),
    "image?": TEXT,
    "image_tags?": listed(TEXT),
    "registry_ext?": TEXT,
    "repl_strategy?": TEXT,
}
VERSION = {"id": TEXT, "name": TEXT, "version": TEXT, "links": ref("Links"), **OF_ADMINISTRATORS}
DATASTORE = {
    "id": TEXT,
    "name": TEXT,
    "links": ref("Links"),
    "default_version": TEXT,
    "versions": listed(shown(VERSION), least=1),
}
FLAVOR = {
    "id": maybe(NUMBER) | {"description": "null of one whose id is no number."},
    "str_id": TEXT,
    "name": TEXT,
    "ram": NUMBER | {"description": "MiB"},
    "vcpus": NUMBER,
    "disk": NUMBER | {"description": "GiB"},
    "ephemeral": NUMBER,
    "links": ref("Links"),
}
VOLUME_TYPE = {"id": TEXT, "name": TEXT, "description": maybe(TEXT), "is_public": TRUTH}
ABSOLUTE = {
    "verb": one_of(["ABSOLUTE"]),
    "max_instances": NUMBER,
    "max_volumes": NUMBER,
    "max_backups": NUMBER,
    "max_ram": NUMBER,
}
RATE = {
    "verb": one_of(verb for verbs in VERBS.values() for verb in verbs),
    "unit": one_of(["MINUTE"]),
    "uri": one_of(["*"]),
    "regex": TEXT,
    "value": NUMBER,
    "remaining": NUMBER,
    "nextAvailable": MOMENT,
}

LIMITS = listed({"anyOf": [shown(ABSOLUTE), shown(RATE)]}, least=1)  # ABSOLUTE is the first
ONE_VERSION = shown({"version": ref("DatastoreVersion")})
FLAVORS = shown({"flavors": listed(ref("Flavor"))})

CATALOG = Noun(
    "catalog",
    {
        "GET /datastores": Operation(shown({"datastores": listed(ref("Datastore"))})),
        "GET /datastores/{datastore}": Operation(shown({"datastore": ref("Datastore")})),
        "GET /datastores/{datastore}/versions": Operation(shown({"versions": listed(ref("DatastoreVersion"))})),
        "GET /datastores/{datastore}/versions/{version}": Operation(ONE_VERSION),
        "GET /datastores/versions/{version}": Operation(ONE_VERSION),
        "GET /datastores/{datastore}/versions/{version}/flavors": Operation(FLAVORS),
        "GET /datastores/{datastore}/versions/{version}/volume-types": Operation(
            shown({"volume_types": listed(shown(VOLUME_TYPE))})
        ),
        "GET /flavors": Operation(FLAVORS),
        "GET /flavors/{flavor_id}": Operation(shown({"flavor": ref("Flavor")})),
        "GET /limits": Operation(shown({"limits": LIMITS})),
    },
    {"Datastore": shown(DATASTORE), "DatastoreVersion": shown({**VERSION, "datastore": TEXT}), "Flavor": shown(FLAVOR)},
)
