"""The command `entroscope`: everything at once, or server, workers and single runs apart."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from entroscope.cli_models import models_option, models_parser
from entroscope.paths import default_data_dir
from entroscope.protocol.errors import EntroscopeError, SpecError
from entroscope.protocol.spec import MAX_EVALUATIONS
from entroscope.settings import Settings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """See when a diffusion model makes up its mind.

Without a command: server, worker and a local Redis together, and the page in a browser."""

#: Values are cut beyond this, as JSON.
LONGEST_VALUE = 120
#: Exit status where the user can mend what is wrong.
USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = parser().parse_args(arguments)
    _end_with_the_terminal()
    try:
        status: int = options.run(options)
    except ValidationError as error:
        return complain(*_sentences(error))
    except SpecError as error:
        return complain(f"{error}, got {json.dumps(error.value)[:LONGEST_VALUE]}")
    except (EntroscopeError, ValueError, OSError) as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return 130
    return status


def _end_with_the_terminal() -> None:
    """Let a closed terminal end everything in order, as SIGTERM does."""
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def complain(*sentences: str) -> int:
    """Print what is wrong, a line each, and return the exit status for it."""
    for sentence in sentences:
        print(f"entroscope: {sentence}", file=sys.stderr)
    return USAGE


def _sentences(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(str(part) for part in item['loc']) or 'the document'}: {item['msg']}, "
        f"got {item['input']!r}"
        for item in error.errors()
    ]


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    raw = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser("entroscope", description=DESCRIPTION, formatter_class=raw)
    top.add_argument("--version", action="version", version=f"entroscope {version('entroscope')}")
    _server_options(top)
    top.add_argument("--no-browser", action="store_true", help="do not open the page")
    models_option(top)
    _data_option(top)
    top.set_defaults(run=_everything)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    _serve_parser(commands)
    _work_parser(commands)
    _run_parser(commands)
    _guide_parser(commands)
    models_parser(commands)
    return top


def _server_options(options: argparse.ArgumentParser) -> None:
    options.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    options.add_argument("--port", type=int, default=8000, help="port (%(default)s; 0: any)")
    options.add_argument(
        "--data-dir",
        type=Path,
        default=default_data_dir(),
        help="folder of finished runs and of the local Redis (%(default)s)",
    )
    options.add_argument("--token", help="what visitors must know; made where needed and not given")
    options.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name browsers may use for this server; may be repeated",
    )
    options.add_argument(
        "--max-evaluations",
        type=int,
        default=MAX_EVALUATIONS,
        help="largest run accepted, in evaluations (%(default)s)",
    )


def _redis_option(options: argparse.ArgumentParser) -> None:
    url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
    options.add_argument("--redis-url", default=url, help="Redis (REDIS_URL, else %(default)s)")


def _data_option(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[MODEL=]FOLDER",
        help="labelled pictures: IDX files, or one folder of images a class; may be repeated",
    )


def _serve_parser(commands: "Commands") -> None:
    about = "the server alone; workers and Redis run elsewhere"
    options = commands.add_parser("serve", help=about, description=about)
    _server_options(options)
    _redis_option(options)
    options.set_defaults(run=_serve)


def _work_parser(commands: "Commands") -> None:
    about = "workers, one process per device: every GPU found, else the processor"
    options = commands.add_parser("work", help=about, description=about)
    _redis_option(options)
    models_option(options)
    _data_option(options)
    options.add_argument("--device", default="all", help="cpu, cuda, cuda:1; default: all")
    options.add_argument("--name", help="name of the worker; made up where not given")
    options.set_defaults(run=_work)


def _run_parser(commands: "Commands") -> None:
    about = "one run, or the runs of one sweep, in the foreground, without server or Redis"
    options = commands.add_parser("run", help=about, description=about)
    about_spec = "a spec as in the API, or a sweep: spec and vary"
    options.add_argument("spec", type=Path, metavar="SPEC.json", help=about_spec)
    options.add_argument("--out", type=Path, required=True, metavar="RESULT.json")
    models_option(options)
    _data_option(options)
    options.add_argument("--device", default="auto", help="cpu, cuda, ...; default: a GPU if any")
    options.add_argument(
        "--max-evaluations",
        type=int,
        default=MAX_EVALUATIONS,
        help="largest sweep accepted, in evaluations (%(default)s)",
    )
    twin = "run the unguided twin of a guided spec too: adds studies.redistribution"
    options.add_argument("--compare", action="store_true", help=twin)
    options.add_argument(
        "--pilot",
        type=int,
        metavar="N",
        help="first run N trajectories, and place the noise levels where these decide",
    )
    options.set_defaults(run=_run)


def _guide_parser(commands: "Commands") -> None:
    about = "from a result to the spec of its run, guided inside the window that it found"
    options = commands.add_parser("guide", help=about, description=about)
    options.add_argument("result", type=Path, metavar="RESULT.json", help="what `run` has written")
    options.add_argument("--out", type=Path, required=True, metavar="SPEC.json")
    options.add_argument("--scale", type=float, default=2.0, help="guidance scale (%(default)s)")
    options.set_defaults(run=_guide)


def _settings(options: argparse.Namespace, redis_url: str) -> Settings:
    return Settings(
        redis_url=redis_url,
        data_dir=options.data_dir,
        host=options.host,
        port=options.port,
        token=options.token,
        allow_hosts=tuple(options.allow_host),
        max_evaluations=options.max_evaluations,
    )


def _everything(options: argparse.Namespace) -> int:
    from entroscope.launcher import launch

    settings = _settings(options, os.environ.get("REDIS_URL", ""))
    return launch(settings, options.models, browser=not options.no_browser, data=options.data)


def _serve(options: argparse.Namespace) -> int:
    from entroscope.api.server import serve
    from entroscope.broker.connect import connect
    from entroscope.processes.folder_lock import locked

    connect(options.redis_url).close()  # later losses are waited out; a wrong URL is not
    settings = _settings(options, options.redis_url)
    with locked(settings.data_dir):
        serve(settings, lambda address: print(f"Entroscope: {address}"))
    return 0


def _share_the_processor() -> None:
    """Let torch's threads sleep soon when they wait; to be called before torch is imported.

    By default they wait by spinning: on two cores that others use too, that made a network fifty
    times slower, and this makes it five times slower; on idle cores it costs nothing.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _work(options: argparse.Namespace) -> int:
    _share_the_processor()
    from entroscope_workers.commands.run import work

    return work(options.redis_url, options.models, options.device, options.name, options.data)


def _run(options: argparse.Namespace) -> int:
    _share_the_processor()
    from entroscope_workers.commands.run import run_file

    return run_file(
        options.spec,
        options.out,
        options.device,
        options.max_evaluations,
        options.data,
        models=options.models,
        pilot=options.pilot,
        compare=options.compare,
    )


def _guide(options: argparse.Namespace) -> int:
    from entroscope.client.result import MeasuredRun

    spec = MeasuredRun.load(options.result).guided_spec(options.scale)
    options.out.write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
    low, high = spec["guidance"]["interval"]
    print(f"{options.out}: guidance {options.scale:g} for {low:g} < sigma <= {high:g}")
    return 0
