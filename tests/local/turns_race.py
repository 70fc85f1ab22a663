"""Many jobs queue up for an instance and leave, all at once, on the DynamoDB of AWS_ENDPOINT_URL."""

from concurrent.futures import ThreadPoolExecutor

from chalicelib.models.instance import Instance
from chalicelib.models.record import Stale, transaction
from chalicelib.models.turns import Turns, queue_up, step_out

JOBS = [f"job-{number}" for number in range(24)]


def queue(job_id: str) -> None:
    with transaction() as batch:
        queue_up(batch, "i-1", job_id)


def leave(job_id: str) -> None:
    while True:
        try:
            with transaction() as batch:
                step_out(batch, "i-1", job_id)
        except Stale:
            continue
        return


def main() -> None:
    Instance.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(queue, JOBS))
        assert sorted(Turns.on("i-1").waiting) == sorted(JOBS)
        list(pool.map(leave, JOBS[::2]))
        assert sorted(Turns.on("i-1").waiting) == sorted(JOBS[1::2])
        list(pool.map(leave, JOBS[1::2]))
    assert not list(Turns.scan())


if __name__ == "__main__":
    main()
