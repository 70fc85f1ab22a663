"""Run by the clients' own Python: `openstack` again and again in one process, since to start it takes longer.

Reads a line of JSON for each command, its arguments; answers a line: [exit status, standard output, standard error].
"""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from openstackclient.shell import main


def run(arguments: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as error:
            status = error.code
    return int(status or 0), out.getvalue(), err.getvalue()


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
