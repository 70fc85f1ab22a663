"""What anybody may ask for: the versions of the API, and this document."""

from chalicelib.api.openapi.operation import Noun, Operation
from chalicelib.api.openapi.shapes import TEXT, listed, one_of, ref, shown

VERSION = shown(
    {
        "id": one_of(["v1.0"]),
        "status": one_of(["CURRENT"]),
        "updated": TEXT | {"format": "date-time"},
        "links": ref("SelfLinks"),
    }
)

VERSIONS = Noun(
    "versions",
    {
        "GET /": Operation(shown({"versions": listed(ref("Version"))}), name="list_api_versions", is_open=True),
        "GET /v1.0": Operation(shown({"version": ref("Version")}), name="show_api_version", is_open=True),
        "GET /v1.0/{project_id}": Operation(shown({"version": ref("Version")}), is_open=True),
        "GET /v1.0/openapi.json": Operation({"type": "object", "required": ["openapi", "info", "paths"]}, is_open=True),
        "GET /healthcheck": Operation({"const": "OK"}, media="text/plain", is_open=True),
    },
    {"Version": VERSION},
)
