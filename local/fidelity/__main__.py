"""Run the patched ministack until SIGTERM, or with `--attached` until standard input ends."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
from typing import Any

import hypercorn.config
import ministack.app
from ministack.core import lambda_runtime

from local.fidelity import Patch, apply, gateway, lambdas, machines, policies
from local.fidelity.rewriting import expect

GRACE_SECONDS = 0.5  # for requests under way when it is asked to stop; stock: 3


def stopping_leaves_nothing() -> None:
    """Workers, their temporary files, and threads that wait for them: ministack's own exit waits for all of these."""
    expect(hasattr(hypercorn.config.Config, "graceful_timeout"), "hypercorn has another name for its grace")
    hypercorn.config.Config.graceful_timeout = GRACE_SECONDS
    stock = ministack.app.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def send_and_end(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.shutdown.complete":
                _end(0)

        await stock(scope, receive, send_and_end if scope["type"] == "lifespan" else send)

    ministack.app.app = app


def _end(status: int) -> None:
    lambda_runtime.reset()
    if tempfile.tempdir:  # set by main(): a folder of our own
        shutil.rmtree(tempfile.tempdir, ignore_errors=True)
    os._exit(status)


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("temporary", help="folder for temporary files; deleted at the end")
    parser.add_argument("--attached", action="store_true")
    options = parser.parse_args()
    apply(PATCHES)
    tempfile.tempdir = options.temporary
    if options.attached:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    del sys.argv[1:]  # ministack reads it too
    try:
        ministack.app.main()
    finally:
        _end(1)


PATCHES: list[Patch] = [
    *lambdas.PATCHES,
    *machines.PATCHES,
    *gateway.PATCHES,
    *policies.PATCHES,
    stopping_leaves_nothing,
]

if __name__ == "__main__":
    main()
