"""Commands that must run in a guest and are told to a shell that only DTROVE_PREFIX leads into it.

What a prefix does is not ours to know: that of a stopped guest fails, one of a typo may stay on the compute host, and
`vzctl exec` or `machinectl shell` tell no status of the command's. So the script itself makes sure that it is in the
guest before it does anything, and tells last, under a word drawn for it, how it ended.
"""

import secrets
from dataclasses import dataclass, field, replace
from typing import Final, LiteralString

from chalicelib.errors import Permanent, Transient
from chalicelib.ssh.connection import Answer
from chalicelib.ssh.guest import render

# In the guest is who has the root folder and the namespaces of its process 1 and, of all guests, reads there the
# private host key that this one was born with. Of what a chroot or half an entering does, systemd would hear nothing.
SCRIPT: Final[LiteralString] = """\
{{
dtrove_is_inside=yes
[ /proc/1/root/. -ef /. ] || dtrove_is_inside=
for dtrove_space in mnt pid net uts ipc; do
  [ "/proc/self/ns/$dtrove_space" -ef "/proc/1/ns/$dtrove_space" ] || dtrove_is_inside=
done
dtrove_key=$(ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key </dev/null 2>/dev/null | cut -d ' ' -f 1,2)
if [ -z "$dtrove_is_inside" ]; then
  dtrove_end=outside
elif [ "$dtrove_key" != {key} ]; then
  dtrove_end="shows $dtrove_key"
else
(
@
)
dtrove_end=$?
fi
printf '\\n%s %s\\n' {word} "$dtrove_end" >&2
}}
"""


@dataclass(frozen=True)
class Enclosure:
    name: str  # whom messages speak of
    guest_key: str  # OpenSSH line
    host_key: str  # the compute host's
    word: str = field(default_factory=lambda: secrets.token_hex(16))

    def script(self, body: str) -> str:
        """Return a script for `sh -s` that runs the body in the guest or not at all, and tells how it ended."""
        return render(SCRIPT, {"key": _bare(self.guest_key), "word": self.word}).replace("\n@\n", f"\n{body}\n", 1)

    def read(self, answer: Answer) -> Answer:
        """Return the body's own answer.

        Raises:
            Transient: the guest was not entered, as while it boots, or was left before the end: it may have run.
            Permanent: the prefix does not lead into the guest.
        """
        errors, found, told = answer.errors.rpartition(f"\n{self.word} ")
        match told.partition("\n")[0].split() if found else []:
            case [status] if status.isdecimal():
                return replace(answer, exit_status=int(status), errors=errors)
            case ["outside"]:
                raise Permanent(f"{self.name}: DTROVE_PREFIX leads to a place that is not wholly inside of a guest.")
            case ["shows", *shown] if " ".join(shown) == _bare(self.host_key):
                raise Permanent(f"{self.name}: DTROVE_PREFIX does not leave the compute host.")
            case ["shows", *shown]:
                what = "the host key of another" if shown else "no host key"
                raise Transient(f"{self.name}: where DTROVE_PREFIX leads there is {what}.")
        ending = f"status {answer.exit_status}: {answer.errors.strip()[-200:]}"
        raise Transient(f"{self.name}: DTROVE_PREFIX did not enter its guest, or was thrown out: {ending}")


def _bare(key: str) -> str:
    return " ".join(key.split()[:2])
