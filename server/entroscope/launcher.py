"""Everything on one machine: a local Redis, workers and the server, started and stopped as one."""

import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack

from entroscope.api.server import serve
from entroscope.broker.connect import connect
from entroscope.broker.run_store import RunStore
from entroscope.processes.folder_lock import locked
from entroscope.processes.local_redis import local_redis
from entroscope.processes.supervisor import Supervisor, worker_command
from entroscope.settings import Settings


def launch(
    settings: Settings, models: Sequence[str] | None, *, browser: bool, data: Sequence[str] = ()
) -> int:
    """Serve until Ctrl-C; return the exit status.

    Args:
        settings: an empty `redis_url` means: start one of our own in `data_dir`.
        models: what the workers load; None is all.
        data: labelled data for them, FOLDER or MODEL=FOLDER.
    """
    with ExitStack() as stack:
        stack.enter_context(locked(settings.data_dir))
        if settings.redis_url:
            connect(settings.redis_url).close()  # later losses are waited out; a wrong URL is not
        else:
            local = stack.enter_context(local_redis(settings.data_dir))
            print(f"Redis: {local.description}", flush=True)
            settings = settings.model_copy(update={"redis_url": local.url})
            with connect(local.url) as redis:
                RunStore(redis).forgive()
        command = worker_command(settings.redis_url, models, data=data)
        workers = stack.enter_context(Supervisor(command))
        serve(settings, lambda address: _ready(address, browser))
        return workers.status


def _ready(address: str, browser: bool) -> None:
    print(f"Entroscope: {address}   (Ctrl-C stops it)", flush=True)
    if browser:
        webbrowser.open(address)
