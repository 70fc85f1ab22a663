"""Logged: what a datastore's service writes of itself; see logs.py."""

from collections.abc import Iterable, Sequence

from chalicelib import config
from chalicelib.datastores.described import OPT, PUBLIC_MODE, SCRIPT_MODE
from chalicelib.datastores.logs import Log, switch_log, switched_on
from chalicelib.datastores.tuned import Tuned
from chalicelib.models.instance import Instance
from chalicelib.sizes import MIB
from chalicelib.ssh.guest import File, Guest


class Logged(Tuned):
    log_folder: str = ""  # where all its `logs` are: its own, so that nobody else's logrotate knows it
    logs_path: str = ""  # which of them are switched on: the service reads it before its parameters

    @property
    def logs(self) -> Sequence[Log]:
        """What the service writes of itself."""
        return ()

    def switch_log(self, instance: Instance, guest: Guest, log: Log, *, on: bool) -> None:
        """Have the service write a log of type USER, or not. Raises Permanent if a configuration group rules it."""
        switch_log(self, instance, guest, log, on=on)

    def switched_on(self, guest: Guest) -> dict[str, bool]:
        """Return of each log whether it is written now."""
        return switched_on(self, guest, self.logs)

    def log_files(self) -> Iterable[File]:
        """Return what keeps the logs from filling the guest."""
        if self.logs:
            most_bytes = config.current().dtrove_log_file_mib * MIB
            yield File(f"{OPT}/turn-logs", self.render("turn-logs.sh", most_bytes=most_bytes), SCRIPT_MODE)
            for unit in ("service", "timer"):
                yield File(f"/etc/systemd/system/dtrove-logs.{unit}", self.render(f"logs.{unit}"), PUBLIC_MODE)

    @property
    def log_paths(self) -> list[str]:
        return list(dict.fromkeys(each.path for each in self.logs))

    @property
    def server_log(self) -> str:
        """The path of the log that says why the service does not start; empty if the journal alone does."""
        return next((each.path for each in self.logs if each.switch is None), "")
