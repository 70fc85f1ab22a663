"""Run the benchmarks, each in a process of its own, and write the report.

python -m benchmarks                          all of them: results.json and docs/benchmarks.md are written anew
python -m benchmarks [--rounds N] [NAME …]    only these, or with other rounds of provisioning: printed, not written
"""

import argparse
import signal
import subprocess
import sys

from benchmarks import report
from benchmarks.figures import Section
from benchmarks.report import REPO, Machine
from local.machine import Unfit, check

NAMES = ("provision", "cost", "roads", "cloud_requests", "imports", "routes", "tokens", "scale", "schedules", "bundle")
ROUNDS = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*NAMES, []], help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    names = options.names or NAMES
    if {"provision", "cost", "roads", "cloud_requests"} & set(names):
        check()
    machine = Machine.this()
    sections = [measured(name, options.rounds) for name in names]
    print("\n".join(report.page(sections, machine, options.rounds)))
    if names == NAMES and options.rounds == ROUNDS:
        report.write(sections, machine, options.rounds)
    return int(any(each.is_met is False for section in sections for each in section.figures))


def measured(name: str, rounds: int) -> Section:
    arguments = [str(rounds)] if name == "provision" else []
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        try:
            text, _ = process.communicate()
        except BaseException:
            process.terminate()  # and wait, however long it takes to remove its guests
            raise
    if process.returncode:
        sys.exit(f"{' '.join(command[1:])} ended with status {process.returncode}.")
    return Section.from_json(text)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except Unfit as reason:
        sys.exit(str(reason))
