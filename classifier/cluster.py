"""Labelling on a Dask cluster: each input is a task, done by whichever worker is free, and its output written there.

Owns what a worker is told, what comes back, and what happens when one dies: the file it was at is labelled anew by another. Knows
nothing of rows: a worker labels a file as `label` does, so its output is there whole or not at all, and has the bytes that any machine
would give it. Workers read inputs and write outputs themselves, under the same paths as here.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import __version__
from .batch import keep_memory
from .classify import Classifier
from .errors import InputError, LimitError, LockError, ModelError, OutputError
from .label import Options, Progress, Run, Task, plan
from .model import Model
from .model_files import table_hash
from .output import fingerprint
from .readers import is_pipe
from .signals import interruptible
from .tally import Tally

_PATIENCE = 20  # seconds in which a scheduler must answer, and have a worker
_PAUSE = 0.2  # seconds between two looks at a file that another run is writing


def label_on_cluster(
    classifier: Classifier,
    inputs: Sequence[str],
    output: str,
    options: Options,
    scheduler: str,
    *,
    force: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], object] = lambda line: None,
    finish: Callable[[Tally], object] = lambda tally: None,
) -> Tally:
    """Label files as `label.label_files` does, by the workers of the Dask scheduler at an address like tcp://10.0.0.5:8786.

    `resume` goes on with the inputs that were not done; the files that workers are at when a run is interrupted they still finish, and
    the run that goes on waits for them to.
    Raises ScamcallError.
    """
    try:
        from distributed import CancelledError, Client, KilledWorker
    except ImportError:
        raise InputError("a Dask cluster needs distributed: pip install 'scamcall[dask]', here and on its workers") from None
    if output == "-" or any(map(is_pipe, inputs)):
        raise InputError("the workers of a cluster read and write files; name them")
    tasks, checkpoint = plan([os.path.abspath(name) for name in inputs], _absolute(output))
    run = Run(classifier, options, tasks, checkpoint, None, progress, warn)
    run.begin(force, resume)
    with interruptible() as hold:
        left = [task for task in tasks if task.name not in run.done or not run.is_done(task, fingerprint(Path(task.name)))]
        with _connected(Client, scheduler) as client:
            run.note()  # before there is any output: what finds some knows by it that they are this run's
            # The model is a task's result, not data handed round: when all workers that hold it die, it is made once more.
            model = client.submit(_itself, replace(classifier.model), pure=False)
            what = [(model, _code(), options, task.name, str(task.target)) for task in left]
            parts = [client.submit(label_part, *arguments, pure=False, priority=-k) for k, arguments in enumerate(what)]
            for task, part in zip(left, parts, strict=True):
                try:
                    done, state, warnings = part.result()
                except (InputError, LimitError) as e:
                    run.give_up(task, e)
                except KilledWorker:
                    raise OutputError(f"{task.name}: one worker after the other died over it; give them more memory, --resume goes on") from None
                except CancelledError:
                    raise OutputError(f"{scheduler}: the cluster went away; when it is back, the same command with --resume goes on") from None
                else:
                    with hold():
                        run.take(task, done, Tally.from_state(state))
                    for line in warnings:
                        warn(line)
                    run.show(state["rows"], sum(d["input"]["bytes"] for d in run.done.values()))
        run.end(finish)
    return run.tally


def _absolute(output: str) -> str:
    return os.path.abspath(output) + (os.sep if output.endswith(("/", os.sep)) else "")


def _connected(client: Any, scheduler: str) -> Any:
    """A client of a scheduler that has workers. Raises InputError where there is none."""
    from distributed.comm.addressing import parse_address, parse_host_port

    try:
        parse_host_port(parse_address(scheduler)[1])  # here, as a client that fails at this complains once more when it is collected
        connected = client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as e:
        raise InputError(f"{scheduler}: no Dask scheduler answers there ({type(e).__name__})") from None
    try:
        connected.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        connected.close()
        raise InputError(f"{scheduler}: has no workers; start some: dask worker {scheduler} --nthreads 1") from None
    return connected


def _itself(model: Model) -> Model:
    return model


def _code() -> str:
    """What must be the same on all machines for the same text to get the same label."""
    return f"{__version__} {table_hash()}"


def label_part(model: Model, code: str, options: Options, name: str, target: str) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Label one file, in a worker. Returns what its output is known by, the tally's state, and what the user should know of the input."""
    if code != _code():
        raise ModelError("a worker has another version of scamcall; install the same on all machines")
    keep_memory()
    warnings: list[str] = []
    task, known = Task(name, Path(target)), fingerprint(Path(name))
    run = Run(Classifier(model), options, [task], warn=warnings.append)
    while not run.done:
        try:
            run.file(task, nullcontext)
        except LockError:  # an interrupted run is still at it, or a worker that the scheduler has given up
            time.sleep(_PAUSE)
    return {**run.done[name], "input": known}, run.tally.state(), warnings
