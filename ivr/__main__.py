"""The command line, `ivr ...`. Only the command that is used is imported, so that small commands start fast."""

import argparse
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from ivr.config import ConfigError, load
from ivr.process import EXIT_CANNOT_START, set_up_logging, signal_when_parent_dies

CONFIG_HERE = Path("config.toml")
CONFIG_BESIDE_THE_CODE = Path(__file__).parents[1] / "config.toml"
_wide = partial(argparse.HelpFormatter, max_help_position=28)


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
    "agents": Command("ivr.agentscli:run", "the people: accounts, queues, skills", "ivr.agentscli:add_arguments"),
    "token": Command("ivr.tokencli:run", "who may use the REST API", "ivr.tokencli:add_arguments"),
    "top": Command("ivr.deskcli:top", "a live board: queues, agents, callers, calls", "ivr.deskcli:add_top_arguments"),
    "move": Command("ivr.deskcli:move", "have a caller wait in another queue", "ivr.deskcli:add_move_arguments"),
    "hangup": Command("ivr.deskcli:hangup", "end a call", "ivr.deskcli:add_hangup_arguments"),
    "monitor": Command("ivr.monitorcli:monitor", "listen to a call", "ivr.monitorcli:add_arguments"),
    "queues": Command(
        "ivr.queuescli:run", "the queues: who waits, who is there, how today went", "ivr.queuescli:add_arguments"
    ),
    "why": Command("ivr.whycli:run", "why which agents were rung for a call", "ivr.whycli:add_arguments"),
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
    "kamailio": Command(
        "ivr.kamailiodoor:write", "show or write the configuration of Kamailio", "ivr.kamailiodoor:add_arguments"
    ),
    "zygote": Command("ivr.zygotemain:main"),
    "door": Command("ivr.frontdoor:main"),
    "speech": Command("ivr.speech:main"),
    "control": Command("ivr.control:main"),
    "broker": Command("ivr.broker:main"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and runs the command; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that has no Chinese shows "?", and no error
            stream.reconfigure(errors="replace")
    common = _common()
    settings, others = common.parse_known_args(arguments)  # wherever they stand: `ivr models list --config FILE` too
    chosen = others[0] if others else ""
    if chosen and not chosen.startswith("-") and chosen not in COMMANDS:
        sys.stderr.write(f"ivr: there is no command {chosen!r}{_did_you_mean(chosen)} (`ivr --help` lists all)\n")
        return 2
    parser = _parser(chosen, common)
    options = parser.parse_args(others)
    if options.command is None:
        parser.print_help()
        return 2
    options.config, options.verbose = settings.config, settings.verbose
    set_up_logging(options.command, verbose=options.verbose)
    if options.config is None:
        options.config = CONFIG_HERE if CONFIG_HERE.exists() else CONFIG_BESIDE_THE_CODE
    elif COMMANDS[options.command].about and not options.config.exists():
        sys.stderr.write(f"{options.config}: there is no such file\n")
        return EXIT_CANNOT_START
    try:
        config = load(options.config)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CANNOT_START
    command = COMMANDS[options.command]
    try:
        run = _function(command.run)
        if command.about:
            return int(run(options, config))
        if options.command != "zygote":  # which leaves live calls alone when the launcher dies
            signal_when_parent_dies(signal.SIGTERM)
        return int(run(config))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `ivr ... | head`: the reader has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    where = "settings (default: ./config.toml, else that beside the Makefile)"
    common.add_argument("--config", type=Path, help=where)
    common.add_argument("--verbose", "-v", action="store_true", help="say what happens, on standard error")
    return common


def _did_you_mean(wrong: str) -> str:
    close = get_close_matches(wrong, [name for name, command in COMMANDS.items() if command.about], 1)
    return f"; did you mean {close[0]}?" if close else ""


def _parser(chosen: str, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ivr", description="Hotline answers the phone.", formatter_class=_wide)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        if command.about:
            made = commands.add_parser(
                name, parents=[common], help=command.about, description=command.about, formatter_class=_wide
            )
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
