"""Idempotency-Key: the same key, the same answer, one effect.

The key's record is written before the effect, with a data key from which all ids and passwords of the effect follow,
and with which the answer is sealed. So what an attempt that died has made is found by the next one, not made again.

claimed ──▶ carried out ──▶ answered: kept; a refusal that changed nothing is forgotten, so it may be asked for again
   ├─▶ answered before: the same answer
   ├─▶ another request: 422      as draft-ietf-httpapi-idempotency-key-header has it
   └─▶ being answered: waited for; then 409
"""

import hmac
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from chalice.app import Response
from pynamodb.exceptions import PynamoDBException

from chalicelib import aws, config, journal
from chalicelib.api.request import Request
from chalicelib.errors import Conflict, Unprocessable
from chalicelib.models.answer import Answer
from chalicelib.models.job import Job
from chalicelib.models.record import Stale, now
from chalicelib.orders.requester import Attempt
from chalicelib.orders.secrets import draw_from
from chalicelib.sealing import decrypt, encrypt

LONGEST_ATTEMPT = timedelta(seconds=30)  # a little more than the API's own time limit
PAUSE_SECONDS = 0.2
REPLAYED = "Idempotency-Replayed"
UNSURE = {500, 503}  # what was asked of the store may be carried out though it did not say so
Respond = Callable[[Request], Response]


@dataclass(frozen=True)
class Keyed:
    """A request under its key, with the record of that."""

    request: Request
    record: Answer
    key: bytes  # KMS's data key
    is_repeated: bool = False

    @cached_property
    def attempt(self) -> Attempt:
        job_id = str(UUID(bytes=self.derived("job")[:16], version=4))
        return Attempt(job_id, draw_from(self.derived("passwords")), self.is_repeated)

    @property
    def fingerprint(self) -> bytes:
        """The request's, under the key: a body may hold passwords, of which a bare hash would tell."""
        asked = json.dumps([self.request.path, dict(self.request.query), self.request.content_type])
        return hmac.digest(self.derived("request"), asked.encode() + self.request.raw_body, "sha256")

    def derived(self, what: str) -> bytes:
        return hmac.digest(self.key, what.encode(), "sha256")

    def check_same(self) -> None:
        if not hmac.compare_digest(self.fingerprint, self.record.fingerprint):
            raise Unprocessable("Idempotency-Key: was used for another request already")

    def seal(self, response: Response) -> None:
        said = {"status": response.status_code, "headers": dict(response.headers), "body": response.body}
        self.record.sealed = encrypt(self.derived("answer"), json.dumps(said).encode(), self.record.answer_id)

    def unsealed(self) -> Response:
        said = json.loads(decrypt(self.derived("answer"), self.record.sealed, self.record.answer_id))
        return Response(said["body"], status_code=said["status"], headers={**said["headers"], REPLAYED: "true"})


def answer_once(request: Request, respond: Respond) -> Response:
    """Respond to the request, or answer as it was answered before under its key. Raises Unprocessable, Conflict."""
    keyed = _claimed(request)
    if keyed.record.sealed is not None:
        return keyed.unsealed()
    response = respond(replace(request, attempt=keyed.attempt))
    try:
        _end(keyed, response)
    except (Stale, PynamoDBException, ClientError, BotoCoreError) as error:  # whoever asks again takes it up
        journal.tell("an answer could not be kept", logging.WARNING, error=type(error).__name__)
    return response


def _claimed(request: Request) -> Keyed:
    """Return the key's record with its answer, or as ours to answer."""
    answer_id = _id_of(request)
    until = time.monotonic() + config.current().dtrove_answer_patience_seconds
    while True:
        found = Answer.find(answer_id)
        try:
            if found is None or found.has_expired:
                return _begun(request, answer_id, found)
            if found.sealed is not None or found.is_abandoned:
                return _taken_up(request, found)
        except (Conflict, Stale):
            pass  # another was first: look again
        if time.monotonic() >= until:
            raise Conflict("Idempotency-Key: the request is still being answered; try again.")
        time.sleep(PAUSE_SECONDS)


def _id_of(request: Request) -> str:
    whose = [request.project_id, request.caller.user, request.idempotency_key]
    return sha256(json.dumps(whose).encode()).hexdigest()


def _begun(request: Request, answer_id: str, expired: Answer | None) -> Keyed:
    """Put the key's record, over an expired one if there is that. Raises Conflict if another was first."""
    key, wrapped_key = aws.wrap_key(answer_id=answer_id)
    kept = timedelta(hours=config.current().dtrove_answers_kept_hours)
    record = Answer(
        answer_id=answer_id, wrapped_key=wrapped_key, open_until=now() + LONGEST_ATTEMPT, expires_at=now() + kept
    )
    keyed = Keyed(request, record, key)
    record.fingerprint = keyed.fingerprint
    if expired is not None:
        record.revision = expired.revision
    record.add()
    return keyed


def _taken_up(request: Request, found: Answer) -> Keyed:
    keyed = Keyed(request, found, aws.unwrap_key(found.wrapped_key, answer_id=found.answer_id), is_repeated=True)
    keyed.check_same()
    if found.sealed is None:
        found.hold(now() + LONGEST_ATTEMPT)
    return keyed


def _end(keyed: Keyed, response: Response) -> None:
    """Keep the answer, unless it tells of no effect."""
    record, status = keyed.record, response.status_code
    had_effect = status < 400 or Job.find(keyed.attempt.job_id) is not None
    if status in UNSURE:  # the effect is there, or may still come: whoever asks again takes it up, or makes the same
        record.hold(now())
    elif not had_effect:
        record.delete()
    else:
        keyed.seal(response)
        record.hold(record.open_until)
