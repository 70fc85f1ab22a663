"""Patches of the Lambda workers: errors, environments, bundles."""

import hashlib
import os
import re
import shutil
import tempfile
import threading
import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.fidelity import Patch
from local.fidelity.rewriting import expect, lend, replaced, rewrite

DEAD_WORKER = re.compile(r"Worker (process (died|exited immediately)|returned no response).*|.*Broken pipe.*", re.S)
LOG_WAIT_SECONDS = 0.003  # for the first line of a call's log; stock waits 0.05 s on each silent call
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_unzipping = threading.Lock()


def errors_keep_their_class() -> None:
    """Retry and Catch compare class names: AWS gives the exception's, stock gives Runtime.HandlerError."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = replaced(
        lambda_runtime._PYTHON_WORKER_SCRIPT,
        '"error": str(e), "trace": traceback.format_exc()}',
        '"error": str(e), "error_type": type(e).__name__, "stack": traceback.format_tb(e.__traceback__),'
        ' "trace": traceback.format_exc()}',
        of="_PYTHON_WORKER_SCRIPT",
    )
    lend(lambda_svc, dtrove_error_type=error_type)
    rewrite(
        lambda_svc._execute_function_warm,
        ('error_type = "Runtime.HandlerError"', "error_type = dtrove_error_type(result)"),
        (
            "if _RIE_TIMEOUT_TEXT_RE.fullmatch(error_msg):",
            'if "error_type" not in result and _RIE_TIMEOUT_TEXT_RE.fullmatch(error_msg):',
        ),
        (
            '"errorType": error_type,\n',
            '"errorType": error_type, "requestId": request_id, "stackTrace": result.get("stack", []),\n',
        ),
    )


def error_type(result: dict[str, Any]) -> str:
    if "error_type" in result:
        return str(result["error_type"])
    return "Runtime.ExitError" if DEAD_WORKER.fullmatch(result.get("error", "")) else "Runtime.HandlerError"


def a_worker_that_dies_at_birth_is_an_exit_error() -> None:
    """And only that worker is thrown away: stock kills its busy siblings too, and says RuntimeError."""
    rewrite(
        lambda_svc._execute_function_warm,
        (
            "invalidate_worker(func_name, qualifier=qualifier, account=get_account_id(), region=get_region())\n"
            "        worker = None  # invalidate_worker already dropped it from the pool\n",
            "worker.kill()\n",
        ),
        (
            '"errorType": type(e).__name__}',
            '"errorType": dtrove_error_type({"error": str(e)})}',
        ),
    )


def a_handled_error_keeps_the_worker() -> None:
    """As on AWS; else each NotReady costs a cold start."""
    rewrite(
        lambda_runtime.Worker.invoke,
        (
            'if response.get("status") == "error":',
            'if response.get("status") == "error" and "error_type" not in response:',
        ),
    )


def silent_calls_wait_less_for_their_log() -> None:
    drain = lambda_runtime.Worker._drain_stderr_bounded
    expect(drain.__defaults__ == (0.050, 0.005, 0.250), f"_drain_stderr_bounded waits {drain.__defaults__}")
    drain.__defaults__ = (LOG_WAIT_SECONDS, *drain.__defaults__[1:])


def bundles_are_unzipped_once() -> None:
    """Stock unzips 2,600 files for each worker."""
    lend(lambda_runtime, dtrove_unzipped=unzipped)
    rewrite(
        lambda_runtime.Worker._spawn,
        (
            'code_dir = os.path.join(self._tmpdir, "code")\n'
            "    os.makedirs(code_dir)\n"
            '    with open(os.path.join(self._tmpdir, "code.zip"), "wb") as f:\n'
            "        f.write(self.code_zip)\n"
            '    with zipfile.ZipFile(os.path.join(self._tmpdir, "code.zip")) as zf:\n'
            "        zf.extractall(code_dir)\n",
            "code_dir = dtrove_unzipped(self.code_zip)\n",
        ),
    )


def unzipped(bundle: bytes) -> str:
    """Return the folder that holds the bundle's files, unzipped by the first worker of this run or an earlier one."""
    archive = zipfile.ZipFile(BytesIO(bundle))
    content = "".join(f"{entry.filename}\0{entry.CRC}\0" for entry in archive.infolist())
    folder = Path(os.environ["BUNDLES_DIR"], hashlib.sha256(content.encode()).hexdigest()[:16])
    with _unzipping:
        if not folder.is_dir():
            unfinished = tempfile.mkdtemp(dir=folder.parent)
            archive.extractall(unfinished)
            with suppress(OSError):  # another embedded AWS was faster
                Path(unfinished).rename(folder)
            shutil.rmtree(unfinished, ignore_errors=True)
        os.utime(folder)
    return str(folder)


def workers_see_only_what_lambda_sets() -> None:
    """No site-packages, so that a missing requirement shows, and nothing of the launcher's environment."""
    lend(lambda_runtime, dtrove_environment=environment)
    rewrite(
        lambda_runtime.Worker._spawn,
        ("spawn_env = {**os.environ, **env_vars}", "spawn_env = {**dtrove_environment(runtime), **env_vars}"),
        ("[binary, worker_path]", '[binary, "-S", "-s", worker_path]'),
    )


def environment(runtime: str) -> dict[str, str]:
    return {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "TMPDIR": tempfile.gettempdir(),  # deleted at stop; Lambda has a /tmp of its own
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
    }


PATCHES: list[Patch] = [
    errors_keep_their_class,
    a_worker_that_dies_at_birth_is_an_exit_error,
    a_handled_error_keeps_the_worker,
    silent_calls_wait_less_for_their_log,
    bundles_are_unzipped_once,
    workers_see_only_what_lambda_sets,
]
