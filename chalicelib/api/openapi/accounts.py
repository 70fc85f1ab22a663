"""Databases, users and root in schemas."""

from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import NOTHING, TEXT, TRUTH, Schema, body, data, listed, page, ref, shown
from chalicelib.orders.account_order import MOST_AT_ONCE

DATABASE_ORDER = body({"name": data(), "character_set?": data(), "collate?": data()})
USER_ORDER = body(
    {"name": data(), "password": data(), "host?": data(), "databases?": listed(DATABASE_ORDER, most=MOST_AT_ONCE)}
)
USER_CHANGE = body({"name?": data(), "host?": data(), "password?": data()})
DATABASES = listed(DATABASE_ORDER, least=1, most=MOST_AT_ONCE)
USERS = listed(USER_ORDER, least=1, most=MOST_AT_ONCE)
ONE_OR_SEVERAL = {  # openstacksdk sends one
    "anyOf": [body({"database?": NOTHING, "databases": DATABASES}), body({"database": DATABASE_ORDER})]
}
A_USER_OR_SEVERAL = body({"users": {"anyOf": [USERS, USER_ORDER]}})
SHOWN_DATABASES = listed(shown({"name": TEXT}))
ROOT = shown({"rootEnabled": TRUTH})
NEW_ROOT = shown({"user": shown({"name": TEXT, "password": TEXT})})

A_USER = "/instances/{instance_id}/users/{user}"


def reads(answer: Schema, query: tuple[str, ...] = (), name: str = "") -> Operation:
    return Operation(answer, query=query, name=name, asks_guest=True, may_be_unsupported=True)


def changes(order: Schema | None = None, name: str = "", status: int = 202) -> Operation:
    return Operation(status=status, body=order, name=name, starts_job=True, asks_guest=True, may_be_unsupported=True)


def enables_root(name: str) -> Operation:
    return Operation(
        NEW_ROOT,
        body=body({"password?": data()}),
        may_lack_body=True,
        name=name,
        starts_job=True,
        asks_guest=True,
        may_be_unsupported=True,
    )


ACCOUNTS = Noun(
    "databases and users",
    {
        "GET /instances/{instance_id}/databases": reads(page("databases", shown({"name": TEXT})), PAGED),
        "POST /instances/{instance_id}/databases": changes(ONE_OR_SEVERAL),
        "DELETE /instances/{instance_id}/databases/{database}": changes(),
        "GET /instances/{instance_id}/users": reads(page("users", ref("User")), PAGED),
        "POST /instances/{instance_id}/users": changes(A_USER_OR_SEVERAL),
        f"POST {A_USER}": changes(A_USER_OR_SEVERAL, name="create_user"),
        "PUT /instances/{instance_id}/users": changes(body({"users": USERS})),
        f"GET {A_USER}": reads(shown({"user": ref("User")})),
        f"PUT {A_USER}": changes(body({"user": USER_CHANGE})),
        f"DELETE {A_USER}": changes(),
        f"GET {A_USER}/databases": reads(shown({"databases": SHOWN_DATABASES})),
        f"PUT {A_USER}/databases": changes(body({"databases": DATABASES})),
        f"DELETE {A_USER}/databases/{{database}}": changes(),
        "GET /instances/{instance_id}/root": reads(ROOT),
        "POST /instances/{instance_id}/root": enables_root(""),
        "DELETE /instances/{instance_id}/root": changes(status=204),
        "GET /clusters/{cluster_id}/root": reads(ROOT, name="tell_root_of_cluster"),
        "POST /clusters/{cluster_id}/root": enables_root("enable_root_of_cluster"),
        "DELETE /clusters/{cluster_id}/root": changes(name="disable_root_of_cluster", status=204),
    },
    {"User": shown({"name": TEXT, "host": TEXT, "databases": SHOWN_DATABASES})},
)
