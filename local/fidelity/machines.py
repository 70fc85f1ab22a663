"""Patches of Step Functions: names, endings, retries and time limits."""

import contextvars
import inspect
import json
import random
from collections.abc import Callable
from threading import Timer
from typing import Any

from ministack.core.responses import json_response, now_iso
from ministack.services import stepfunctions

from local.fidelity import Patch
from local.fidelity.rewriting import expect, lend, rewrite

Execution = dict[str, Any]


def an_execution_starts_at_once() -> None:
    rewrite(stepfunctions._run_execution, ("time.sleep(0.15)\n", "\n"))


def the_same_name_and_input_is_the_same_execution() -> None:
    """While it runs; stock says ExecutionAlreadyExists at once."""
    lend(stepfunctions, dtrove_answer_if_same=answer_if_same)
    rewrite(
        stepfunctions._start_execution,
        (
            "if exec_arn in _executions:\n",
            "if exec_arn in _executions:\n"
            '        if same := dtrove_answer_if_same(_executions[exec_arn], data.get("input", "{}")):\n'
            "            return same\n",
        ),
    )


def answer_if_same(execution: Execution, text: str) -> Any:
    """Return StartExecution's answer if the execution runs with that input; else None, and it is refused."""
    if execution["status"] != "RUNNING" or execution["input"] != text:
        return None
    return json_response({"executionArn": execution["executionArn"], "startDate": execution["startDate"]})


def retries_wait_as_written() -> None:
    """MaxDelaySeconds and JitterStrategy count; stock reads neither and waits 60 s at most."""
    lend(stepfunctions, dtrove_retry_delay_seconds=retry_delay_seconds)
    rewrite(
        stepfunctions._execute_task,
        ("_scaled_sleep(min(sleep_sec, 60))", "_scaled_sleep(dtrove_retry_delay_seconds(retrier, count))"),
    )
    rewrite(
        stepfunctions._with_retry_and_catch,
        (
            '_scaled_sleep(min(interval * (retrier.get("BackoffRate", 2.0) ** count), 60))',
            "_scaled_sleep(dtrove_retry_delay_seconds(retrier, count))",
        ),
    )


def retry_delay_seconds(retrier: dict[str, Any], retries_before: int) -> float:
    """Return how long to wait before the next try."""
    delay: float = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retries_before
    delay = min(delay, retrier.get("MaxDelaySeconds", delay))
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay  # noqa: S311


def what_has_ended_stays_ended() -> None:
    """An aborted or timed-out execution begins no task and keeps its status; in stock its branches go on."""
    lend(stepfunctions, dtrove_stop_if_ended=stop_if_ended)
    rewrite(
        stepfunctions._execute_task,
        (
            '_add_event(execution, "TaskScheduled"',
            'dtrove_stop_if_ended(execution)\n            _add_event(execution, "TaskScheduled"',
        ),
    )
    rewrite(
        stepfunctions._add_event,
        (
            "    event = {\n",
            '    if execution.get("status", "RUNNING") != "RUNNING" and not event_type.startswith("Execution"):\n'
            "        return {}\n"
            "    event = {\n",
        ),
    )
    rewrite(
        stepfunctions._fail_execution,
        (
            'execution["status"] = "FAILED"\n',
            'if execution["status"] != "RUNNING":\n        return\n    execution["status"] = "FAILED"\n',
        ),
    )


def stop_if_ended(execution: Execution) -> None:
    if execution.get("status", "RUNNING") != "RUNNING":
        raise SystemExit  # ends this branch's thread silently, and no Retry or Catch sees it


def machines_have_time_limits() -> None:
    """TimeoutSeconds at the top of a definition; stock ignores it."""
    run: Callable[[str], None] = stepfunctions._run_execution
    events = inspect.getsource(stepfunctions._emit_execution_status_event)
    expect("TIMED_OUT is never set locally" in events, "it may know TIMED_OUT by now")

    def run_within_limit(execution_arn: str) -> None:
        limit_seconds = _limit_seconds(execution_arn)
        if limit_seconds is None:
            run(execution_arn)
            return
        timer = Timer(limit_seconds, contextvars.copy_context().run, (time_out, execution_arn))
        timer.daemon = True
        timer.start()
        try:
            run(execution_arn)
        finally:
            timer.cancel()

    stepfunctions._run_execution = run_within_limit


def _limit_seconds(execution_arn: str) -> float | None:
    machine = stepfunctions._state_machines.get(stepfunctions._executions[execution_arn]["stateMachineArn"])
    limit: float | None = json.loads(machine["definition"]).get("TimeoutSeconds") if machine else None
    return limit


def time_out(execution_arn: str) -> None:
    execution = stepfunctions._executions[execution_arn]
    if execution["status"] == "RUNNING":
        execution.update(status="TIMED_OUT", stopDate=now_iso())
        stepfunctions._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
        stepfunctions._emit_execution_status_event(execution)


def the_context_tells_redrives_and_role() -> None:
    rewrite(
        stepfunctions._run_execution,
        (
            '"StartTime": execution["startDate"],\n',
            '"StartTime": execution["startDate"], "RoleArn": sm["roleArn"], "RedriveCount": 0,\n',
        ),
    )


PATCHES: list[Patch] = [
    an_execution_starts_at_once,
    the_context_tells_redrives_and_role,
    the_same_name_and_input_is_the_same_execution,
    retries_wait_as_written,
    what_has_ended_stays_ended,
    machines_have_time_limits,  # last: it wraps _run_execution, which the others rewrite
]
