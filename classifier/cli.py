"""The command line: thin. Reads arguments, calls the rooms, prints; every error of ours ends here as one line and an exit code."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from . import __version__
from .errors import InputError, ScamcallError

_INVITATION = "请粘贴要判断的文字，换行后按 Ctrl-D 结束："
_REPORTED = 10  # rejected rows named one by one; the rest is counted


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code (0 done, 1 some rows rejected, others as in `errors`)."""
    _utf8_output()
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        run: Callable[[argparse.Namespace], int] = args.run
        return run(args)
    except ScamcallError as e:
        print(f"scamcall: {e}", file=sys.stderr)
        return e.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _utf8_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("scamcall", description="识别中文短信、聊天和通话中的冒充类诈骗 · tells impersonation fraud in Chinese messages")
    parser.add_argument("--version", action="version", version=f"scamcall {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    score = commands.add_parser("score", help="judge one message / 判断一条消息")
    score.add_argument("text", nargs="?", help="the message; - reads standard input; nothing asks for it")
    score.add_argument("--json", action="store_true", help="one JSON object instead of text")
    score.set_defaults(run=_score)

    label = commands.add_parser("label", help="label an export / 批量标注一个文件")
    label.add_argument("input", help="JSONL, CSV, TSV, XLSX or plain text, told by content; - is standard input")
    label.add_argument("-o", "--output", required=True, help="written whole or not at all; .jsonl .csv .tsv .xlsx; - is standard output")
    label.add_argument("--text-column", metavar="NAME", help="the column that holds the message")
    label.add_argument("--force", action="store_true", help="replace an output that exists")
    label.set_defaults(run=_label)

    train = commands.add_parser("train", help="rebuild the model from the corpus / 重新训练")
    train.add_argument("--corpus", type=Path, metavar="DIR", help="labelled data (default: the corpus that comes with scamcall)")
    train.add_argument("--add", type=Path, metavar="CSV", help="more samples (columns text, label): makes a version of your own")
    train.set_defaults(run=_train)

    models = commands.add_parser("models", help="list the models, or choose one / 查看或切换模型")
    actions = models.add_subparsers(metavar="ACTION")
    use = actions.add_parser("use", help="make a model the one in use")
    use.add_argument("id")
    use.set_defaults(run=_use)
    models.set_defaults(run=_models)
    return parser


def _score(args: argparse.Namespace) -> int:
    from . import load
    from .render import terminal

    text = args.text
    if text is None or text == "-":
        if text is None and sys.stdin.isatty():
            print(_INVITATION, file=sys.stderr)
        text = sys.stdin.read().rstrip("\n")
    verdict = load().score(text)
    if args.json:
        print(json.dumps(verdict.as_dict(), ensure_ascii=False))
    else:
        print(terminal(text, verdict, colour=_wants_colour()))
    return 0


def _wants_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _label(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from . import load
    from .label import label_file

    with tqdm(unit="msg", file=sys.stderr, disable=None, mininterval=0.5) as progress:
        summary = label_file(load(), args.input, args.output, args.text_column, args.force, progress)
    for number, problem in summary.rejected[:_REPORTED]:
        print(f"scamcall: {args.input}: row {number}: {problem}", file=sys.stderr)
    if len(summary.rejected) > _REPORTED:
        print(f"scamcall: {args.input}: {len(summary.rejected) - _REPORTED} more rows rejected", file=sys.stderr)
    counts = ", ".join(f"{n} {verdict}" for verdict, n in summary.verdicts.most_common())
    print(f"{summary.rows} rows: {counts or 'none scored'}; {len(summary.rejected)} rejected", file=sys.stderr)
    return 1 if summary.rejected else 0


def _train(args: argparse.Namespace) -> int:
    from .retrain import retrain

    path = retrain(args.corpus, args.add, lambda line: print(line, file=sys.stderr))
    print(path)
    return 0


def _models(args: argparse.Namespace) -> int:
    from .registry import versions

    for version in versions():
        print(f"{'*' if version.current else ' '} {version.id}  {'shipped' if version.shipped else 'yours'}  {version.path}")
    return 0


def _use(args: argparse.Namespace) -> int:
    from .registry import current, use

    use(args.id)
    print(current())
    return 0


__all__ = ["InputError", "main"]
