"""The commands `entroscope work` and `entroscope run`."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from entroscope.broker.connect import connect_at_last
from entroscope.measurement.curves.comparison import unguided
from entroscope.measurement.plan.resolve import resolve
from entroscope.processes.supervisor import Supervisor, worker_command
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec
from entroscope_workers.commands.compare import measure_both
from entroscope_workers.commands.measure import measure, refined
from entroscope_workers.commands.sweep import SweepFile
from entroscope_workers.library.offers import one_line
from entroscope_workers.library.preset_files import run_presets
from entroscope_workers.library.probe import probed
from entroscope_workers.library.registry import load_model, load_models
from entroscope_workers.library.with_data import all_with_data
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.runner import device_name
from entroscope_workers.worker.worker import Worker, worker_name


def devices() -> list[str]:
    """Return every GPU, else the processor.

    Apple's GPUs are left out: they have no float64, which the log-posteriors need.
    """
    if torch.cuda.is_available():
        return [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return ["cpu"]


def find_device(name: str) -> torch.device:
    """Return the device of that name; "auto" is the first one found.

    Raises:
        ValueError: there is none.
    """
    try:
        device = torch.device(devices()[0] if name == "auto" else name)
        torch.empty(1, device=device)
        # Ten bits of a product (TF32) tell labels apart that are not: float32 means float32.
        torch.backends.cudnn.allow_tf32 = False
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {name!r} cannot be used here: {reason}") from None
    return device


def work(
    redis_url: str,
    models: Sequence[str] | None,
    device: str,
    name: str | None,
    data: Sequence[str] = (),
) -> int:
    """Work until SIGINT or SIGTERM; with several devices, in one child process each."""
    wanted = devices() if device == "all" else [device]
    if len(wanted) == 1:
        return work_on(find_device(wanted[0]), redis_url, models, name, data)
    with ExitStack() as stack:
        for each in wanted:
            child = f"{name or worker_name()}-{each.replace(':', '-')}"
            options = ("--device", each, "--name", child)
            command = worker_command(redis_url, models, *options, data=data)
            stack.enter_context(Supervisor(command))
        Event().wait()
    return 0


def work_on(
    device: torch.device,
    redis_url: str,
    models: Sequence[str] | None,
    name: str | None,
    data: Sequence[str] = (),
) -> int:
    """Load the models onto one device and take batches; wait for Redis where it is away."""
    redis = connect_at_last(redis_url, _say)
    loaded = all_with_data(load_models(models, device), data)
    offered = dict(_all_probed(loaded, wanted=bool(models)))
    fitting = {key: model for key, (model, _) in offered.items()}
    infos = {key: info for key, (_, info) in offered.items()}
    unique, label = name or worker_name(), device_name(device)
    print(f"Worker: {unique} on {label} offers {', '.join(offered)}", flush=True)
    Worker(redis, fitting, unique, label, infos=infos, presets=run_presets()).run()
    redis.close()
    return 0


def _say(line: str) -> None:
    print(f"entroscope: {line}", file=sys.stderr, flush=True)


def _all_probed(
    loaded: Mapping[str, LoadedModel], *, wanted: bool
) -> Iterator[tuple[str, tuple[LoadedModel, ModelInfo]]]:
    """Yield each model as it is offered; one that does not work here is left out, unless wanted."""
    for name, model in loaded.items():
        try:
            yield name, probed(model)
        except Exception as error:  # a model may be anyone's program
            if wanted:
                raise ValueError(f"model {name!r}: {one_line(error)}") from error
            print(
                f"entroscope: model {name!r}: {one_line(error)}; it is not offered",
                file=sys.stderr,
                flush=True,
            )


def run_file(
    spec_file: Path,
    out: Path,
    device: str,
    max_evaluations: int,
    data: Sequence[str] = (),
    *,
    models: Sequence[str] | None = None,
    pilot: int | None = None,
    compare: bool = False,
) -> int:
    """Run a spec or a sweep with a progress bar; write the result and say what was found.

    Args:
        max_evaluations: of all runs of a sweep together.
        data: folders of labelled data, as on the command line.
        models: the list to find the spec's model in, as on the command line.
        pilot: trajectories of a run before it that places its noise levels.
        compare: run the unguided twin of a spec too.
    """
    document = _read(spec_file)
    if not out.parent.is_dir():
        raise ValueError(f"--out: the folder {out.parent} does not exist")
    console = Console(stderr=True)
    if isinstance(document, dict) and "vary" in document:
        if compare or pilot is not None:
            raise ValueError("--compare and --pilot are for a single spec, not for a sweep")
        sweep = SweepFile(document, find_device(device), max_evaluations, data, models)
        result = _with_bar(sweep.title, console, sweep.measure)
        results = result["results"]
    else:
        result = _one(document, device, data, console, models, pilot=pilot, compare=compare)
        results = [result]
    out.write_text(json.dumps(result, allow_nan=False, indent=1) + "\n")
    for each in results:
        summarise(each, console)
    print(out)
    return 0


def _with_bar(
    title: str, console: Console, work: Callable[[Callable[[float], None]], dict[str, Any]]
) -> dict[str, Any]:
    """Return what the work does; it tells the finished fraction to what it is given."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(title, total=1.0)
        return work(lambda done: bar.update(task, completed=done))


def _one(
    document: Any,
    device: str,
    data: Sequence[str],
    console: Console,
    models: Sequence[str] | None,
    *,
    pilot: int | None,
    compare: bool,
) -> dict[str, Any]:
    spec = Spec.model_validate(document)
    loaded = {spec.model: load_model(spec.model, find_device(device), models)}
    model = all_with_data(loaded, data)[spec.model]
    spec = resolve(spec, model.info).spec  # what is off is said before a bar is drawn
    if compare:
        unguided(spec)
    if pilot is not None:
        spec = refined(model, spec, pilot)
    run = measure_both if compare else measure
    return _with_bar(model.info.title, console, lambda tell: run(model, spec, tell))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text file") from None


def _refuse(constant: str) -> float:
    raise ValueError(f"the spec must hold finite numbers only, got {constant}")


def summarise(result: dict[str, Any], console: Console) -> None:
    """Print where each decision is made and whether the checks hold."""
    for window in result["windows"]:
        title = result["curves"][window["curve"]]["title"]
        if window["sigma_peak"] is None:
            console.print(f"{title}: nothing is decided on this grid")
            continue
        high, low, peak = (_with_error(window, name) for name in ("high", "low", "peak"))
        console.print(
            f"{title}: decided between sigma {high} and {low} "
            f"(central {window['share']:.0%}), fastest at {peak}"
        )
    for check in result["checks"]:
        name = check["name"].replace("[", " (").replace("]", ")")
        if check["ok"] is None:
            console.print(f"[dim]not measured[/]  {name}: too few trajectories")
            continue
        mark = "[green]ok[/]" if check["ok"] else "[red]fails[/]"
        console.print(f"{mark}  {name}: {check['value']:.3g} (bound {check['bound']:.3g})")


def _with_error(window: dict[str, Any], name: str) -> str:
    """Return a noise level of a window with its 95 % error, where that is known."""
    value, error = window[f"sigma_{name}"], window[f"sigma_{name}_error"]
    return f"{value:.3g}" if error is None else f"{value:.3g} ± {1.96 * error:.1g}"
