"""Tuned: a datastore's parameters; see docs/parameters.md."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.datastores import applying
from chalicelib.datastores.applying import LiveParameters
from chalicelib.datastores.described import PUBLIC_MODE, Described
from chalicelib.datastores.parameters import Value
from chalicelib.errors import Permanent
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest


class Tuned(Described):
    parameters_path: str = "/etc/dtrove/parameters.conf"  # what the service reads after `render_config_file`'s

    def live_parameters(self) -> LiveParameters:
        """Return how the datastore is told its parameters; only for one that has a parameters.json."""
        raise Permanent(f"{self.datastore.name} has no parameters.")

    def apply_parameters(self, instance: Instance, guest: Guest, values: Mapping[str, Value]) -> frozenset[str]:
        """Make the guest's parameters exactly these; what is not among them goes back to our own default.

        Returns the names that wait for a restart. What the server refuses is taken back as a whole.

        Raises:
            Permanent: refused, with the server's own words; all is as it was before.
        """
        return applying.apply_parameters(self.live_parameters(), instance, guest, values)

    def has_waiting_parameters(self, guest: Guest) -> bool:
        """Whether some wait for a restart: a start puts them in force only where the service did not run."""
        said = guest.run("[ -e {path}.next ] && echo waiting || echo none", path=self.parameters_path)
        return said.strip() == "waiting"

    def actual_parameters(self, guest: Guest, names: Sequence[str]) -> dict[str, Any]:
        """Return the server's present values, each of its parameter's type; names that cannot be set are left out."""
        offered = [name for name in names if name in self.parameters]
        return self.live_parameters().actual(guest, offered) if offered else {}

    def replicas_first(self, primary: Instance, former: Mapping[str, Value], values: Mapping[str, Value]) -> bool:
        """Say whether replicas must be restarted before their primary for this change; otherwise it is restarted first.

        Only restarts have an order: until then no static value is in force anywhere. Raises Permanent if no order does.
        """
        return False

    def parameter_files(self, instance: Instance, values: Mapping[str, Value]) -> Iterable[File]:
        """Return the file of the parameters; there is one even if none is set, since the configuration includes it."""
        if self.parameters:
            text = self.live_parameters().text(instance, values)
            yield File(self.parameters_path, text, PUBLIC_MODE)
