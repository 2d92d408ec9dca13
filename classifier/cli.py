"""The command line: thin. Reads arguments, calls the rooms, prints; every error of ours ends here as one line and an exit code."""

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from . import __version__
from .classify import Classifier
from .errors import InputError, OutputError, ScamcallError
from .evaluation import EVALUATIONS
from .records import VERDICTS

_INVITATION = "请粘贴要判断的文字，换行后按 Ctrl-D 结束："
_INVITATION_TO_A_CALL = "请逐行输入通话内容（说话人：话），按 Ctrl-D 结束："
_REPORTED = 10  # rejected rows named one by one; the rest is counted
_MAX_JOBS = 256  # processes


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code (0 done, 1 some rows rejected, others as in `errors`)."""
    _utf8_output()
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        run: Callable[[argparse.Namespace], int] = args.run
        code = run(args)
        if sys.stdout:
            sys.stdout.flush()  # at exit it would be too late to say that it failed
        return code
    except ScamcallError as e:
        _say(f"scamcall: {e}")
        return e.exit_code
    except (KeyboardInterrupt, SystemExit) as e:
        if argv is None:  # the process ends here: a user who is impatient must not make it end in a traceback
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
        if isinstance(e, SystemExit):
            raise
        return 128 + signal.SIGINT
    except BrokenPipeError:
        _mute(sys.stdout)
        return 128 + signal.SIGPIPE
    except OSError as e:  # of files the rooms make errors of ours; what is left is the output
        _mute(sys.stdout)
        _say(f"scamcall: {e.filename or 'standard output'}: {e.strerror}")
        return OutputError.exit_code


def _say(line: str) -> None:
    """A line on standard error, unable to steer a terminal whatever files and columns are called. Where it cannot be written (a full
    disk, a stream that the shell closed), the exit code still tells."""
    from .render import visible

    if sys.stderr:
        try:
            print(visible(line.replace("\n", "⏎")), file=sys.stderr, flush=True)
        except OSError:
            _mute(sys.stderr)


def _mute(stream: TextIO | None) -> None:
    """What is still buffered for a stream goes nowhere, so that its end of life does not fail once more."""
    if stream:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _utf8_output() -> None:
    """Also: a stream that the shell closed leads nowhere, so that no file is opened in its place and written to by whoever warns there."""
    for handle in range(3):
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # None where the shell closed it
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("scamcall", description="识别中文短信、聊天和通话中的冒充类诈骗 · tells impersonation fraud in Chinese messages")
    parser.add_argument("--version", action="version", version=f"scamcall {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    score = commands.add_parser("score", help="judge one message / 判断一条消息")
    score.add_argument("text", nargs="?", help="the message; - reads standard input; nothing asks for it")
    score.add_argument("--json", action="store_true", help="one JSON object instead of text")
    _add_wishes(score)
    score.set_defaults(run=_score)

    call = commands.add_parser("call", help="judge a call turn by turn / 逐轮判断一通电话")
    call.add_argument("input", nargs="?", help="a transcript or an export of calls, told by content; - is standard input")
    call.add_argument("--follow", action="store_true", help="a turn a line from standard input, each answered at once: 'speaker：words' or words")
    call.add_argument("--json", action="store_true", help="one JSON object a call; with --follow one a turn")
    call.add_argument("--caller", action="append", default=[], metavar="NAME", help="the label of who called: only such words count")
    call.add_argument("--format", metavar="NAME", help="read the input as this format")
    _add_wishes(call)
    call.set_defaults(run=_call)

    label = commands.add_parser("label", help="label exports / 批量标注导出的文件")
    label.add_argument("input", nargs="+", help="exports, told by content, or patterns like 'part-*.csv'; - is standard input")
    label.add_argument(
        "-o", "--output", required=True, help=".jsonl .csv .tsv .xlsx .parquet, written whole or not at all; a directory for several; - is a pipe"
    )
    label.add_argument("--report", metavar="HTML", help="also a report to read and print / 同时生成可打印的报告")
    label.add_argument("--text-column", metavar="NAME", help="the column that holds the message")
    label.add_argument("--format", metavar="NAME", help="read the input as this format")
    label.add_argument("--encoding", default="", metavar="NAME", help="read text in this encoding, say big5hkscs")
    label.add_argument("--only", type=_verdicts, default=(), metavar="VERDICTS", help="write only such rows: impersonation,unsure")
    label.add_argument("--fail-on", type=_verdicts, default=(), metavar="VERDICTS", help="exit with 1 where such a row was found")
    label.add_argument("--evidence", action="store_true", help="add a column with the strongest reasons")
    label.add_argument("--redact", action="store_true", help="mask personal data in output and report / 隐去个人信息")
    shared = label.add_mutually_exclusive_group()
    shared.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="processes to share the work")
    shared.add_argument("--dask", metavar="ADDRESS", help="have the workers of a Dask scheduler, tcp://…, label the inputs, a file each")
    label.add_argument("--resume", action="store_true", help="go on with a run that was interrupted")
    label.add_argument("--force", action="store_true", help="replace outputs that exist, start over")
    _add_wishes(label)
    label.set_defaults(run=_label)

    inspect = commands.add_parser("inspect", help="what is in an export? scores nothing / 查看一个文件是什么格式、有多少条消息")
    inspect.add_argument("input", help="an export; - is standard input")
    inspect.add_argument("--text-column", metavar="NAME", help="the column that holds the message")
    inspect.add_argument("--format", metavar="NAME", help="read the input as this format")
    inspect.add_argument("--encoding", default="", metavar="NAME", help="read text in this encoding, say big5hkscs")
    inspect.set_defaults(run=_inspect)

    train = commands.add_parser("train", help="rebuild the model from the corpus / 重新训练")
    train.add_argument("--corpus", type=Path, metavar="DIR", help="labelled data (default: the corpus that comes with scamcall)")
    train.add_argument("--add", type=Path, metavar="CSV", help="more samples (columns text, label): makes a version of your own")
    train.set_defaults(run=_train)

    corpus = commands.add_parser("corpus", help="the labelled data / 训练语料")
    check = corpus.add_subparsers(required=True, metavar="ACTION").add_parser("check", help="is it fit to learn from? ends with 1 where it is not")
    check.add_argument("directory", nargs="?", type=Path, metavar="DIR", help="a corpus (default: the one that comes with scamcall)")
    check.set_defaults(run=_check)

    evaluate = commands.add_parser("evaluate", help="measure on the corpus, with models that have not seen what they judge / 在语料上评测")
    measures = evaluate.add_subparsers(required=True, metavar="WHAT")
    for name in EVALUATIONS:
        measure = measures.add_parser(name)
        measure.add_argument("directory", nargs="?", type=Path, metavar="DIR", help="a corpus (default: the one that comes with scamcall)")
        measure.add_argument("--card", action="store_true", help="put the section into the card of the model in use, trained on this corpus")
        measure.set_defaults(run=_evaluate, evaluation=EVALUATIONS[name])

    models = commands.add_parser("models", help="list the models, or choose one / 查看或切换模型")
    actions = models.add_subparsers(metavar="ACTION")
    use = actions.add_parser("use", help="make a model the one in use")
    use.add_argument("id")
    use.set_defaults(run=_use)
    models.set_defaults(run=_models)
    return parser


def _add_wishes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prior", type=float, metavar="SHARE", help="of impersonation among what is read: what the probability is shown for")
    parser.add_argument(
        "--max-false-alarms",
        type=float,
        metavar="SHARE",
        help="of ordinary legit messages that may be called fraud (default: see its card)",
    )


def _classifier(args: argparse.Namespace) -> Classifier:
    from . import load

    return load(prior=args.prior, max_false_alarms=args.max_false_alarms)


def _score(args: argparse.Namespace) -> int:
    from .render import terminal

    text = args.text
    if text is None or text == "-":
        if text is None and sys.stdin and sys.stdin.isatty():
            _say(_INVITATION)
        text = _piped() if sys.stdin else ""
    verdict = _classifier(args).score(text)
    if args.json:
        print(json.dumps(verdict.as_dict(), ensure_ascii=False))
    else:
        print(terminal(text, verdict, colour=_wants_colour()))
    return 0


def _piped() -> str:
    """The message on standard input, decoded as files are."""
    from .readers import open_source
    from .readers.source import HEAD

    source = open_source("-")
    if source.magic:
        raise InputError(f"{source.name}: a {source.magic} file and no message; scamcall label judges files, scamcall inspect says what is in one")
    text = source.head_text if len(source.head) < HEAD else source.whole()  # a terminal that has said it ends is not asked again
    return text.rstrip("\n")


def _call(args: argparse.Namespace) -> int:
    from .calls import listen
    from .readers import open_source, recognise
    from .readers.rows import turns_of
    from .render_call import call_lines

    if args.follow:
        return _follow(args)
    if not args.input:
        raise InputError("a file of a call is wanted; - for standard input, --follow to hear it line by line")
    source = open_source(args.input)
    reader = recognise(source, args.format)
    classifier = _classifier(args)
    answered = unanswered = 0
    with source.stream:
        rows = reader.read(source)
        begun = list(islice(rows, 2))
        for row in chain(begun, rows):
            turns = turns_of(row)
            problem = row.problem or row.skipped or _unlike_a_call(turns, args.caller)
            if problem == _NO_CALL and not answered:
                raise InputError(f"{source.name}: row {row.number}, read as {reader.name}: {_NO_CALL}")
            if problem:
                unanswered += 1
                _say(f"scamcall: {source.name}: row {row.number}: {problem}")
                continue
            answered += 1
            found = listen(classifier, turns, args.caller)
            if args.json:
                print(json.dumps({"number": row.number, **found.as_dict()}, ensure_ascii=False))
            else:
                head = f"通话 {row.number}\n" if len(begun) > 1 else ""
                print(f"{chr(10) if answered > 1 else ''}{head}{call_lines(found, _wants_colour())}")
    if not answered and not unanswered:
        raise InputError(f"{source.name}: no call in it")
    return 1 if unanswered else 0


_NO_CALL = (
    "no call, as it has no turns; scamcall label judges messages; a call has a turn a line, 'speaker：words', "
    "and scamcall call --follow < FILE takes every line for a turn"
)


def _unlike_a_call(turns: Sequence[tuple[str, str]], callers: Sequence[str]) -> str:
    if not turns:
        return _NO_CALL
    speakers = {speaker for speaker, _ in turns}
    return "" if not callers or speakers & set(callers) else f"none of its {len(speakers)} speakers is named by --caller"


def _follow(args: argparse.Namespace) -> int:
    from .calls import Call
    from .readers.transcripts import follow
    from .render_call import call_lines, turn_lines

    if args.input not in (None, "-") or args.format:
        raise InputError("--follow reads lines from standard input: scamcall call --follow < FILE")
    if sys.stdin and sys.stdin.isatty():
        _say(_INVITATION_TO_A_CALL)
    call = Call(_classifier(args), args.caller)
    for speaker, words in follow(sys.stdin.buffer) if sys.stdin else ():
        heard = call.hear(words, speaker)
        shown = json.dumps(heard.as_dict(), ensure_ascii=False) if args.json else turn_lines(heard, _wants_colour(), live=True)
        print(shown, flush=True)
    if not args.json:
        print(f"\n{call_lines(call.verdict(), _wants_colour())}")
    return 0


def _wants_colour() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _verdicts(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= set(VERDICTS):
        raise argparse.ArgumentTypeError(f"{text!r}: some of {','.join(VERDICTS)}")
    return names


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_JOBS:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 1 to {_MAX_JOBS}")
    return int(text)


def _label(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from .label import Options, label_files, matches
    from .report import report_file

    run = partial(label_files, jobs=args.jobs)
    if args.dask:
        from .cluster import label_on_cluster

        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # of a connection that is lost it tells in forty lines; ours is one
        run = partial(label_on_cluster, scheduler=args.dask)

    options = Options(args.text_column, args.format, args.encoding, args.only, args.evidence, args.redact)
    names = [name for pattern in args.input for name in matches(pattern)]
    report = report_file(args.report, [*names, args.output], args.force or args.resume) if args.report else None

    def warn(line: str) -> None:
        with tqdm.external_write_mode(file=sys.stderr):
            _say(f"scamcall: {line}")

    with tqdm(unit="msg", file=sys.stderr, disable=None if sys.stderr else True, mininterval=0.5) as progress:
        tally = run(
            _classifier(args),
            args.input,
            args.output,
            options,
            force=args.force,
            resume=args.resume,
            progress=progress,
            warn=warn,
            finish=report or (lambda tally: None),
        )
    for where, number, problem in tally.examples[:_REPORTED]:
        _say(f"scamcall: {where}: row {number}: {problem}")
    rejected = tally.rejected.total()
    if rejected > _REPORTED:
        _say(f"scamcall: {rejected - _REPORTED} more rows rejected")
    for name, rows in tally.lost.most_common():
        _say(f"scamcall: column {name} of {rows} rows had no place in a table begun without it; -o x.jsonl keeps it")
    counts = ", ".join(f"{n} {verdict}" for verdict, n in tally.verdicts.most_common())
    skipped = "".join(f"; {n} skipped ({why})" for why, n in tally.skipped.most_common())
    _say(f"{tally.rows} rows: {counts or 'none scored'}{skipped}; {rejected} rejected")
    if tally.unreadable:
        return InputError.exit_code
    return 1 if rejected or any(tally.verdicts[verdict] for verdict in args.fail_on) else 0


def _inspect(args: argparse.Namespace) -> int:
    from .readers import open_source
    from .readers.inspection import inspect
    from .render import visible

    source = open_source(args.input, args.encoding)
    with source.stream:
        found = inspect(source, args.format, args.text_column)
    print(visible(str(found)))
    return 1 if found.rejected else 0


def _train(args: argparse.Namespace) -> int:
    from .retrain import retrain

    path = retrain(args.corpus, args.add, _say)
    print(path)
    return 0


def _check(args: argparse.Namespace) -> int:
    from .corpus_check import check
    from .retrain import corpus_root

    report = check(args.directory or corpus_root())
    print(report)
    return 1 if report.findings else 0


def _evaluate(args: argparse.Namespace) -> int:
    from .retrain import add_section, card_of, corpus_root

    directory = args.directory or corpus_root()
    card = card_of(directory) if args.card else None
    section = args.evaluation(directory)
    print(section)
    if card is not None:
        add_section(card, section)
    return 0


def _models(args: argparse.Namespace) -> int:
    from .registry import current, versions

    for version in versions():
        print(f"{'*' if version.current else ' '} {version.id}  {'shipped' if version.shipped else 'yours'}  {version.path}")
    current()  # an error where the one that was chosen is gone
    return 0


def _use(args: argparse.Namespace) -> int:
    from .registry import current, use

    use(args.id)
    print(current())
    return 0


__all__ = ["InputError", "main"]
