"""What a guest's shell is told: commands as whole scripts, and systemd units. Text only."""

import base64
from typing import Final, LiteralString

from chalicelib.ssh.guest import UnitState

UNIT_FOLDER: Final = "/run/dtrove"  # gone after a reboot, as transient units are
TRY_AGAIN: Final = 75  # status of START and STATE when systemd cannot say: it goes down, or does not answer

# The command comes on standard input and goes to a file: on systemd-run's command line everybody on the guest could
# read it, and systemd would expand its `$`. Of two starts at once systemd refuses the second, whose unit is loaded.
START: Final[LiteralString] = """\
is_loaded() {{ [ "$(systemctl show --property=LoadState --value -- {unit})" = loaded ]; }}
is_loaded && exit
umask 077
mkdir -p -- {folder}
cat >{file}.$$ && mv -f -- {file}.$$ {file} || exit
systemd-run --quiet --no-block --unit={unit} --property=Type=oneshot --property=RemainAfterExit=yes \\
  --property=StandardOutput=truncate:{file}.out --property=StandardError=inherit \\
  sh {file} || is_loaded || [ "$(systemctl is-system-running)" != stopping ] || exit 75
is_loaded"""

# While its process lives, only `tail` looks at it: asking systemd takes processor time from the very work it waits for.
STATE: Final[LiteralString] = """\
end=$(($(date +%s%3N) + {wait_milliseconds}))
while
  state=$(systemctl show --property=LoadState,ActiveState,SubState,Job,MainPID -- {unit}) || exit 75
  case $state in
    *State=activating* | *State=deactivating* | *State=reloading* | *State=running* | *Job=[1-9]*) ;;
    *) false ;;
  esac && left=$((end - $(date +%s%3N))) && [ "$left" -gt 0 ]
do
  case $state in
    *MainPID=[1-9]*)
      pid=${{state##*MainPID=}}
      timeout "$((left / 1000)).$(printf %03d $((left % 1000)))" \
        tail --pid="${{pid%%[!0-9]*}}" --sleep-interval=0.03 --follow /dev/null ;;
    *) sleep 0.05 ;;
  esac
done
[ "$(systemctl is-system-running)" != stopping ] || exit 75
printf '%s\\n' "$state\""""

# What it wrote or, if that is nothing, what systemd says of this start of it. Not from the journal: that knows a line's
# unit only while the process that wrote it is alive.
OUTPUT: Final[LiteralString] = """\
if [ -s {file}.out ]; then
  tail -n {lines} -- {file}.out | tail -c {limit}
else
  started=$(systemctl show --property=InvocationID --value -- {unit})
  journalctl --quiet --no-pager --output=cat --lines={lines} "INVOCATION_ID=$started" | tail -c {limit}
fi"""

FORGET: Final[LiteralString] = """\
systemctl stop -- {unit} 2>/dev/null
systemctl reset-failed -- {unit} 2>/dev/null
rm -f -- {file} {file}.out
[ "$(systemctl show --property=LoadState --value -- {unit})" != loaded ]"""


def whole(command: str, stdin: str = "") -> str:
    """Return a script for `sh -s` that the shell parses to its end before it runs anything of it.

    So a script that was cut on its way does nothing, and no command can read the rest of the script as its input.
    """
    if not stdin:
        return f"{{\n{command}\n}} </dev/null\n"
    return f"base64 -d <<'.' | {{\n{base64.encodebytes(stdin.encode()).decode()}.\n{command}\n}}\n"


def unit_state(shown: str) -> UnitState:
    """Read what STATE printed: the `name=value` lines of `systemctl show`."""
    properties = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    match properties.get("LoadState"), properties.get("ActiveState"), properties.get("SubState"):
        case _, "failed", _:
            return UnitState.FAILED
        case _, "active", "exited":
            return UnitState.SUCCEEDED
        case _, "active" | "activating" | "deactivating" | "reloading", _:
            return UnitState.RUNNING
    return UnitState.RUNNING if properties.get("Job", "0") not in {"", "0"} else UnitState.NOT_STARTED
