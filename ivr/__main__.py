"""The command line, `ivr ...`. Each command's module is imported when it is used, so that small commands start fast."""
# ruff: noqa: PLC0415

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ivr.config import Config, ConfigError, load
from ivr.process import EXIT_CANNOT_START, set_up_logging, signal_when_parent_dies

Handler = Callable[[argparse.Namespace, Config], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and runs the command; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return 2
    set_up_logging(options.command, verbose=options.verbose)
    try:
        config = load(options.config)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CANNOT_START
    run: Handler = options.run
    try:
        return run(options, config)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ivr", description="Hotline answers the phone.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=Path("config.toml"), help="settings (default: ./config.toml)")
    common.add_argument("--verbose", "-v", action="store_true", help="say what happens, on standard error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, run: Handler, text: str | None) -> argparse.ArgumentParser:
        if text is None:
            command = commands.add_parser(name, parents=[common])
        else:
            command = commands.add_parser(name, parents=[common], help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("serve", _serve, "run the hotline until Ctrl-C")
    add("check", _check, "check settings, flows, models and ports, and say what to do")
    _add_dial(add)
    _add_transcribe(add)
    _add_models(add)
    for name in ("zygote", "door", "speech", "control", "broker"):
        add(name, _process, None)
    return parser


def _add_dial(add: Callable[[str, Handler, str | None], argparse.ArgumentParser]) -> None:
    from ivr import phonecli

    phonecli.add_arguments(add("dial", phonecli.run, "call a SIP URI with a test phone"))


def _add_models(add: Callable[[str, Handler, str | None], argparse.ArgumentParser]) -> None:
    command = add("models", _models, "list the models that can be fetched, or fetch one")
    command.add_argument("action", choices=("list", "fetch"))
    command.add_argument("name", nargs="?", help="the model to fetch")
    command.add_argument("--mirror", help="fetch from this address instead")
    command.add_argument("--json", action="store_true", help="list as JSON")


def _models(options: argparse.Namespace, config: Config) -> int:
    from ivr import models

    if options.action == "list":
        return models.list_models(config.models_folder, as_json=options.json)
    if options.name is None:
        sys.stderr.write("which model? `ivr models list` shows all\n")
        return 2
    return models.fetch_command(options.name, config.models_folder, mirror=options.mirror)


def _add_transcribe(add: Callable[[str, Handler, str | None], argparse.ArgumentParser]) -> None:
    command = add("transcribe", _transcribe, "write a recording down with faster-whisper")
    command.add_argument("recording", help="a call's id, or an audio file")
    command.add_argument("--model", default="faster-whisper-small", help="a name of `ivr models list`, or a folder")
    command.add_argument("--language", default="en", help="what is spoken: en, zh, ...")
    command.add_argument("--json", action="store_true", help="one JSON list instead of lines")


def _transcribe(options: argparse.Namespace, config: Config) -> int:
    from ivr import transcribe

    return transcribe.main(config, options.recording, options.model, options.language, as_json=options.json)


def _check(_options: argparse.Namespace, config: Config) -> int:
    from ivr import check

    return check.main(config)


def _serve(options: argparse.Namespace, config: Config) -> int:
    from ivr import serve

    return serve.main(config, options.config.resolve())


def _process(options: argparse.Namespace, config: Config) -> int:
    """One of the launcher's children. The zygote is not killed with its parent: it leaves live calls alone."""
    import importlib
    import signal

    if options.command != "zygote":
        signal_when_parent_dies(signal.SIGTERM)
    module = "ivr.zygotemain" if options.command == "zygote" else f"ivr.{options.command}"
    run: Callable[[Config], int] = importlib.import_module(module).main
    return run(config)


if __name__ == "__main__":
    sys.exit(main())
