"""/instances/{id}/databases and /users: what is in a database server, as it is at this moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from chalice.app import Response

from chalicelib.api.answering import done, done_before
from chalicelib.api.guests import read
from chalicelib.api.pages import page_of
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.links import View
from chalicelib.datastores import manager_of
from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.datastores.wishes import Wish
from chalicelib.errors import BadRequest, NotOffered
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.orders import account_order as orders
from chalicelib.orders.fields import Fields
from chalicelib.orders.wishes import place_wish

routes = Routes(__name__)

DATABASES = "/instances/{instance_id}/databases"
USERS = "/instances/{instance_id}/users"


@dataclass(frozen=True)
class There:
    """What there is on an instance."""

    instance: Instance
    databases: list[str]
    users: list[User]

    @classmethod
    def on(cls, request: Request) -> "There":
        """Ask the guest of the path's instance. Raises Unavailable, Unprocessable, NotOffered, NotFound."""
        instance = request.find(Instance, "instance_id")
        found = read("accounts", instance)
        users = [User(each["name"], each["host"], tuple(each["databases"])) for each in found["users"]]
        return cls(instance, found["databases"], users)

    @cached_property
    def accounts(self) -> Accounts:
        """What knows the datastore's rules. Raises NotOffered where there are no accounts."""
        return manager_of(Datastore.of_version(self.instance.datastore_version_id)).accounts

    def fulfil(self, request: Request, wish: Wish) -> Response:
        """Have the wish carried out on the instance, and answer when it is."""
        return done(place_wish(wish, self.instance, self.accounts, request.requester_for(self.instance)).job)

    def user(self, wanted: User) -> User:
        """Return the user of that name and host. Raises NotFound."""
        for login in (wanted, User(shown(wanted))):  # `a@b` may be a name whose host is %
            for each in self.users:
                if (each.name, each.host) == (login.name, login.host):
                    return each
        raise orders.missing("User", shown(wanted))

    def check_free(self, wanted: User) -> None:
        """Raise BadRequest if there is such a user."""
        if (wanted.name, wanted.host) in {(each.name, each.host) for each in self.users}:
            raise orders.present("A user", shown(wanted))

    def check_databases(self, names: Sequence[str]) -> None:
        """Raise BadRequest if one of these is not there."""
        if lost := set(names) - set(self.databases):
            raise BadRequest(f"Validation error: there is no database {sorted(lost)[0]} on the instance")


def shown(user: User) -> str:
    return user.name if user.host == orders.ANYWHERE else f"{user.name}@{user.host}"


def user_view(user: User) -> View:
    return {"name": user.name, "host": user.host, "databases": [{"name": each} for each in user.databases]}


# --- databases
@routes.on(f"GET {DATABASES}")
def list_databases(request: Request) -> Response:
    return page_of(request, "databases", [(name, {"name": name}) for name in There.on(request).databases])


@routes.on(f"POST {DATABASES}")
def create_databases(request: Request) -> Response:
    """Create Trove's `{"databases": […]}`, or openstacksdk's `{"database": {…}}`."""
    fields = Fields(request.body, "body")
    databases = (
        [orders.read_database(fields.object("database"))] if "database" in fields else orders.read_databases(fields)
    )
    if before := done_before(request):
        return before
    there = There.on(request)
    orders.check_new(there.accounts, databases, [])
    for each in databases:
        if each.name in there.databases:
            raise orders.present("A database", each.name)
    return there.fulfil(request, Wish("create_databases", databases))


@routes.on(f"GET {DATABASES}/{{database}}")
def show_database(request: Request) -> Response:
    raise NotOffered("Trove shows no single database: list them.")


@routes.on(f"DELETE {DATABASES}/{{database}}")
def delete_database(request: Request) -> Response:
    there, name = There.on(request), request.values["database"]
    orders.refuse_missing("Database", name, there.databases)
    return there.fulfil(request, Wish("drop_database", [Database(name)]))


# --- users
@routes.on(f"GET {USERS}")
def list_users(request: Request) -> Response:
    return page_of(
        request, "users", [(f"{each.name}@{each.host}", user_view(each)) for each in There.on(request).users]
    )


@routes.on(f"POST {USERS}")
@routes.on(f"POST {USERS}/{{user}}")
def create_users(request: Request) -> Response:
    """Create Trove's `{"users": […]}`; openstacksdk posts `{"users": {…}}` to the user's own path."""
    fields = Fields(request.body, "body")
    one = isinstance(fields.value("users"), dict)
    users = [orders.read_user(fields.object("users"))] if one else orders.read_users(fields)
    if before := done_before(request):
        return before
    there = There.on(request)
    orders.check_new(there.accounts, [], users)
    for each in users:
        there.check_free(each)
        there.check_databases(each.databases)
    return there.fulfil(request, Wish("create_users", users=users))


@routes.on(f"PUT {USERS}")
def set_passwords(request: Request) -> Response:
    users = orders.read_users(Fields(request.body, "body"))
    there = There.on(request)
    orders.check_new(there.accounts, [], users)
    for each in users:
        there.user(each)
    return there.fulfil(request, Wish("set_passwords", users=users))


@routes.on(f"GET {USERS}/{{user}}")
def show_user(request: Request) -> Response:
    return Response({"user": user_view(There.on(request).user(_named(request)))})


@routes.on(f"PUT {USERS}/{{user}}")
def change_user(request: Request) -> Response:
    fields = Fields.of_body(request.body, "user")
    there = There.on(request)
    user = there.user(_named(request))
    to = orders.read_change(fields, user)
    orders.check_new(there.accounts, [], [to])
    if (to.name, to.host) != (user.name, user.host):
        there.check_free(to)
    return there.fulfil(request, Wish("change_user", users=[user], to=to))


@routes.on(f"DELETE {USERS}/{{user}}")
def delete_user(request: Request) -> Response:
    there = There.on(request)
    return there.fulfil(request, Wish("drop_user", users=[there.user(_named(request))]))


# --- what a user may see
@routes.on(f"GET {USERS}/{{user}}/databases")
def list_grants(request: Request) -> Response:
    return Response({"databases": user_view(There.on(request).user(_named(request)))["databases"]})


@routes.on(f"PUT {USERS}/{{user}}/databases")
def grant(request: Request) -> Response:
    databases = orders.read_databases(Fields(request.body, "body"))
    there = There.on(request)
    user = there.user(_named(request))
    there.check_databases([each.name for each in databases])
    return there.fulfil(request, Wish("grant", databases, [user]))


@routes.on(f"DELETE {USERS}/{{user}}/databases/{{database}}")
def revoke(request: Request) -> Response:
    there, name = There.on(request), request.values["database"]
    user = there.user(_named(request))
    orders.refuse_missing("Database", name, user.databases)
    return there.fulfil(request, Wish("revoke", [Database(name)], [user]))


def _named(request: Request) -> User:
    return orders.user_named(request.values["user"])
