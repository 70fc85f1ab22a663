"""Rules that names and passwords have on every server. What only one server refuses is in its own folder."""

import unicodedata
from collections.abc import Set
from typing import Final

from chalicelib.errors import BadRequest

ANYWHERE: Final = "%"
TROVES_OWN: Final = frozenset({"os_admin", "root"})  # what Trove has always refused to make
OUR_OWN: Final = frozenset({"replication"})
PASSWORD_BYTES: Final = 255
UNADDRESSABLE: Final = frozenset({".", ".."})  # what is made under such a name could never be asked for again


def refused(what: str, name: str, why: str) -> BadRequest:
    return BadRequest(f"Validation error: {what} {name!r} {why}.")


def check_name(what: str, name: str, reserved: Set[str]) -> None:
    """Raise BadRequest unless the name can be typed, stored and read back, and is nobody else's.

    Reserved names are in lower case and meant in any: who reads `Root` shall not wonder whose it is.
    """
    if fault := _fault(name):
        raise refused(what, name, fault)
    if name in UNADDRESSABLE:
        raise refused(what, name, "cannot be in the path of an address: clients fold it away")
    if name != name.strip():
        raise refused(what, name, "begins or ends with a space")
    if name.lower() in reserved:
        raise refused(what, name, "is reserved")


def check_password(user: str, password: str | None) -> None:
    """Raise BadRequest, without the password, if no client could send it."""
    if password is None:
        return
    fault = _fault(password)
    if not fault and len(password.encode()) > PASSWORD_BYTES:
        fault = f"is longer than {PASSWORD_BYTES} bytes"
    if fault:
        raise refused("the password of user", user, fault)


def check_anywhere(server: str, user: str, host: str) -> None:
    """Raise BadRequest if the user is bound to a host on a server that knows of none."""
    if host != ANYWHERE:
        raise refused("user name", user, f"has the host {host!r}; a user of {server} is one from anywhere, '%'")


def _fault(text: str) -> str:
    categories = {unicodedata.category(each) for each in text}
    if not text:
        return "is empty"
    if "Cs" in categories:
        return "holds half a surrogate pair, which is no character"
    if "Cc" in categories:
        return "holds a control character"
    return ""
