"""The script that writes files on a guest: one session for all, and few processes, as each costs milliseconds."""

import base64
import posixpath
from collections.abc import Callable, Sequence
from shlex import quote

from chalicelib.ssh.guest import File


def writing(files: Sequence[File]) -> str:
    """Return a script for `sh -s` that writes each file beside its place and then moves all to their places.

    The shell parses it to its end before it runs anything of it, so a script that was cut on its way does nothing.
    Nobody sees a file half written, or with another owner or mode than its own; if one fails, no file is replaced.
    """
    news = " ".join(_new(each) for each in files)
    folders = " ".join(dict.fromkeys(quote(posixpath.dirname(each.path)) for each in files))
    lines = [
        "{",
        f"clean() {{ rm -f -- {news}; }}",
        "trap clean EXIT; clean; set -e",
        f"umask 022; mkdir -p -- {folders}",
        "umask 077; set -C",  # nor through a link that somebody laid there
        *(f"base64 -d >{_new(each)} <<'.'\n{base64.encodebytes(each.text.encode()).decode()}." for each in files),
        *_grouped("chown", files, lambda each: each.owner),
        *_grouped("chmod", files, lambda each: f"{each.mode:04o}"),
        f"sync -- {news}",
        *(f"mv -fT -- {_new(each)} {quote(each.path)}" for each in files),
        "} </dev/null",
    ]
    return "\n".join(lines) + "\n"


def _new(file: File) -> str:
    return f"{quote(file.path)}.$$"  # the shell's own process id: of two writers each has its own


def _grouped(command: str, files: Sequence[File], value: Callable[[File], str]) -> list[str]:
    values = dict.fromkeys(value(each) for each in files)
    return [
        f"{command} -- {quote(one)} {' '.join(_new(each) for each in files if value(each) == one)}" for one in values
    ]
