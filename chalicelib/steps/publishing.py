"""Publishing: what of a log is on the shelf already, what is not, and the next piece of that."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib import config
from chalicelib.datastores.logs import LogFile
from chalicelib.models.job import Job
from chalicelib.sizes import MIB
from chalicelib.steps.shelf import Part


@dataclass(frozen=True)
class Stretch:
    """What of one file is not on the shelf."""

    file: LogFile
    life: str  # the name of the folder on the shelf
    begin: int
    end: int


def stretches_of(files: Sequence[LogFile], parts: Sequence[Part]) -> list[Stretch]:
    """Return what is not published, the older file first; of a file that is, from its end to its end."""
    return [_stretch_of(each, [part for part in parts if part.generation == each.generation]) for each in files]


def _stretch_of(file: LogFile, parts: Sequence[Part]) -> Stretch:
    life = max((each.life for each in parts), default=0)
    end = max((each.end for each in parts if each.life == life), default=0)
    if file.size < end:  # it was emptied, and began anew
        life, end = life + 1, 0
    return Stretch(file, f"{file.generation}-{life:03d}", end, file.size)


def pending_bytes(stretches: Sequence[Stretch]) -> int:
    return sum(each.end - each.begin for each in stretches)


def set_goal(job: Job, stretches: Sequence[Stretch]) -> None:
    """Note how far this job shall publish, once: what is written meanwhile is for the next one. Raises Stale."""
    left, goal = config.current().dtrove_log_publish_mib * MIB, {}
    for each in stretches:
        goal[each.life] = min(each.end, each.begin + left)
        left -= goal[each.life] - each.begin
    job.goal = json.dumps(goal)
    job.save_running()


def next_of(job: Job, stretches: Sequence[Stretch]) -> Stretch | None:
    """Return what is left of the job's goal in the first file of which something is. A file that is gone is no goal."""
    goal: Mapping[str, int] = json.loads(str(job.goal))
    for each in stretches:
        if each.begin < (end := min(each.end, goal.get(each.life, 0))):
            return Stretch(each.file, each.life, each.begin, end)
    return None
