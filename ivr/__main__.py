"""The command line, `ivr ...`. Only the command that is used is imported, so that small commands start fast."""

import argparse
import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.config import ConfigError, load
from ivr.process import EXIT_CANNOT_START, set_up_logging, signal_when_parent_dies


@dataclass(frozen=True, slots=True)
class Command:
    """`run(options, config)` and `arguments(parser)` as "module:function"; without `about` it is not for people."""

    run: str
    about: str = ""
    arguments: str = ""


COMMANDS = {
    "serve": Command("ivr.commands:serve", "run the hotline until Ctrl-C"),
    "check": Command("ivr.commands:check", "check settings, flows, models and ports, and say what to do"),
    "calls": Command("ivr.callscli:calls", "list the last calls", "ivr.callscli:add_calls_arguments"),
    "show": Command(
        "ivr.callscli:show",
        "show one call as a script with the latency of each turn",
        "ivr.callscli:add_show_arguments",
    ),
    "dial": Command("ivr.phonecli:run", "call a SIP URI with a test phone", "ivr.phonecli:add_arguments"),
    "demo": Command("ivr.commands:demo", "hear and see a call: a synthetic caller calls a hotline of its own"),
    "flow": Command("ivr.flowcli:run", "check, draw, talk to and test call flows", "ivr.flowcli:add_arguments"),
    "models": Command(
        "ivr.commands:models", "list the models that can be fetched, or fetch one", "ivr.commands:models_arguments"
    ),
    "transcribe": Command(
        "ivr.commands:transcribe", "write a recording down with faster-whisper", "ivr.commands:transcribe_arguments"
    ),
    "bundle": Command("ivr.callscli:bundle", "mend the recordings of calls", "ivr.callscli:add_bundle_arguments"),
    "zygote": Command("ivr.zygotemain:main"),
    "door": Command("ivr.door:main"),
    "speech": Command("ivr.speech:main"),
    "control": Command("ivr.control:main"),
    "broker": Command("ivr.broker:main"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and runs the command; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = _parser(arguments[0] if arguments else "")
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    set_up_logging(options.command, verbose=options.verbose)
    try:
        config = load(options.config)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CANNOT_START
    command = COMMANDS[options.command]
    run = _function(command.run)
    try:
        if command.about:
            return int(run(options, config))
        if options.command != "zygote":  # which leaves live calls alone when the launcher dies
            signal_when_parent_dies(signal.SIGTERM)
        return int(run(config))
    except KeyboardInterrupt:
        return 130


def _parser(chosen: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ivr", description="Hotline answers the phone.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=Path("config.toml"), help="settings (default: ./config.toml)")
    common.add_argument("--verbose", "-v", action="store_true", help="say what happens, on standard error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        if command.about:
            made = commands.add_parser(name, parents=[common], help=command.about, description=command.about)
        else:
            made = commands.add_parser(name, parents=[common])
        if command.arguments and name == chosen:
            _function(command.arguments)(made)
    return parser


def _function(place: str) -> Callable[..., Any]:
    module, name = place.split(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


if __name__ == "__main__":
    sys.exit(main())
