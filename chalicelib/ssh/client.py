"""SshGuest: the Guest protocol over SSH. Everything runs as `{prefix}sh -s`, its script on standard input."""

from collections.abc import Mapping
from typing import LiteralString

from chalicelib import config
from chalicelib.config import Config
from chalicelib.errors import CommandFailed, Transient
from chalicelib.models.instance import Instance
from chalicelib.ssh import script
from chalicelib.ssh.connection import Answer, Connection, PrivateKey
from chalicelib.ssh.enclosed import Enclosure
from chalicelib.ssh.guest import File, Guest, UnitState, render
from chalicelib.ssh.own_keys import OWN_KEYS, OwnKeys
from chalicelib.ssh.roads import Road, road_to, travel
from chalicelib.ssh.writing import writing

STDERR_CHARACTERS = 500  # in an error's message
OUTPUT_LINES = 1_000


class SshGuest(Guest):
    def __init__(self, connection: Connection, name: str, road: Road, settings: Config) -> None:
        self._connection = connection
        self._name = name
        self._road = road
        self._settings = settings

    @classmethod
    def connect(
        cls,
        instance: Instance,
        private_key: str,
        passphrase: str = "",
        settings: Config | None = None,
        own_keys: OwnKeys = OWN_KEYS,
    ) -> "SshGuest":
        """Connect to the instance's guest. Raises as Guest.run does; Transient also while it boots."""
        settings = settings or config.current()
        road = road_to(instance, settings)
        connection = travel(road, PrivateKey(private_key, passphrase), settings, own_keys)
        guest = cls(connection, instance.instance_id, road, settings)
        if road.guest_key:
            guest._enter()
        return guest

    def run(self, command: LiteralString, *, stdin: str = "", **words: str | int) -> str:
        return self._run(repr(command), command, words, stdin)

    def write(self, *files: File) -> None:
        self._execute(f"writing {', '.join(each.path for each in files)}", writing(files))

    def start(self, unit: str, command: LiteralString, **words: str | int) -> None:
        text = render(command, words) + "\n"
        self._tell_systemd(f"starting {unit}", script.START, _names(unit) | {"folder": script.UNIT_FOLDER}, text)

    def state(self, unit: str, *, wait_seconds: float = 0) -> UnitState:
        words = _names(unit) | {"wait_milliseconds": round(wait_seconds * 1000)}
        shown = self._tell_systemd(f"asking for {unit}", script.STATE, words, extra_seconds=wait_seconds)
        return script.unit_state(shown)

    def output(self, unit: str) -> str:
        words = _names(unit) | {"lines": OUTPUT_LINES, "limit": self._settings.dtrove_output_limit_bytes}
        return self._run(f"reading the output of {unit}", script.OUTPUT, words)

    def forget(self, unit: str) -> None:
        self._run(f"forgetting {unit}", script.FORGET, _names(unit))

    def close(self) -> None:
        self._connection.close()

    def _tell_systemd(
        self, what: str, command: str, words: Mapping[str, str | int], stdin: str = "", extra_seconds: float = 0
    ) -> str:
        try:
            return self._run(what, command, words, stdin, extra_seconds)
        except CommandFailed as error:
            if error.exit_status == script.TRY_AGAIN:
                raise Transient(str(error)) from error
            raise

    def _run(
        self, what: str, command: str, words: Mapping[str, str | int], stdin: str = "", extra_seconds: float = 0
    ) -> str:
        return self._execute(what, script.whole(render(command, words), stdin), extra_seconds)

    def _execute(self, what: str, text: str, extra_seconds: float = 0) -> str:
        answer = self._answer(text, self._settings.dtrove_command_timeout_seconds + extra_seconds)
        if answer.exit_status:
            # `what` is the command as written, not as filled in: its words are the customer's
            ending = f"ended with status {answer.exit_status}: {answer.errors.strip()[-STDERR_CHARACTERS:]}"
            raise CommandFailed(f"{self._name}: {what} {ending}", answer.exit_status)
        return answer.output

    def _answer(self, text: str, timeout_seconds: float) -> Answer:
        if self._road.guest_key is None:
            return self._connection.execute(self._road.shell, text.encode(), timeout_seconds)
        enclosure = Enclosure(self._name, self._road.guest_key, self._road.endpoint.host_key)
        script = enclosure.script(text).encode()
        return enclosure.read(self._connection.execute(self._road.shell, script, timeout_seconds))

    def _enter(self) -> None:
        """Make sure that the compute host's answer is the guest's too: some only ask whether that can be reached."""
        try:
            self.run("true")
        except BaseException:
            self.close()
            raise


def _names(unit: str) -> dict[str, str | int]:
    return {"unit": f"{unit}.service", "file": f"{script.UNIT_FOLDER}/{unit}.sh"}
