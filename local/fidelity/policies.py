"""Patches of IAM's enforcement: conditions that policies of ours ask for, and stock knows otherwise."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ministack.core import iam_actions, iam_evaluator

from local.fidelity import Patch
from local.fidelity.rewriting import expect, lend, rewrite


def encryption_context_is_a_condition() -> None:
    """A policy may say under which encryption context a role opens what KMS wrapped."""
    expect(hasattr(iam_actions, "request_tag_context"), "iam_actions has no request_tag_context")
    expect(not hasattr(iam_actions, "kms_service_context"), "KMS has a context of its own by now")
    stock = iam_actions.request_tag_context

    def context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = stock(service, iam_action, body, params)
        return found | (encryption_context(body) if service == "kms" else {})

    iam_actions.request_tag_context = context


def encryption_context(body: bytes) -> dict[str, Any]:
    """Return `kms:EncryptionContext:…` and `kms:EncryptionContextKeys` as AWS has them; neither if there is none."""
    try:
        pairs = json.loads(body or b"{}").get("EncryptionContext") or {}
    except (ValueError, AttributeError):
        return {}
    keys = {"kms:EncryptionContextKeys": sorted(pairs)} if pairs else {}
    return keys | {f"kms:EncryptionContext:{name}": value for name, value in pairs.items()}


def loopback_stands_for_tls() -> None:
    """Our bucket refuses what came without TLS; here nothing has it, and nothing leaves this machine."""
    rewrite(iam_evaluator.pin_request_origin, ("secure_transport))", "True))"))


def decisions_are_written_down() -> None:
    """Into the file of IAM_DECISIONS, each once: who asked for what under which conditions, and what came of it."""
    if path := os.environ.get("IAM_DECISIONS"):
        lend(iam_evaluator, dtrove_write_down=written_down(Path(path)))
        rewrite(
            iam_evaluator.enforce,
            (
                "result = evaluate(ctx, principal.policies, *principal.limits)\n",
                "result = evaluate(ctx, principal.policies, *principal.limits)\n    dtrove_write_down(ctx, result)\n",
            ),
        )


def written_down(path: Path) -> Callable[[Any, Any], None]:
    seen: set[str] = set()

    def write_down(asked: Any, result: Any) -> None:
        line = json.dumps(asdict(asked) | {"decision": result.decision}, default=str, sort_keys=True)
        if line not in seen:
            seen.add(line)
            with path.open("a") as file:
                file.write(f"{line}\n")

    return write_down


PATCHES: list[Patch] = [encryption_context_is_a_condition, loopback_stands_for_tls, decisions_are_written_down]
