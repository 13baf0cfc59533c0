"""The arguments of `ivr dial`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ivr.config import Config


class _Turn(argparse.Action):
    """Collects --say, --play, --keys and --wait in the order given."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        options: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """argparse: one option was read."""
        texts = values if isinstance(values, list) else [values]
        turns = [*(options.turns or []), *((str(option_string).lstrip("-"), text) for text in texts)]
        options.turns = turns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("uri", help="sip:hotline@127.0.0.1:5060")
    turn = {"action": _Turn, "dest": "turns", "default": []}
    parser.add_argument("--say", nargs="+", metavar="TEXT", help="speak, a turn for each text", **turn)  # type: ignore[arg-type]
    parser.add_argument("--play", metavar="WAV", help="play an 8 kHz mono WAV as one turn", **turn)  # type: ignore[arg-type]
    parser.add_argument("--keys", metavar="12#", help="press keys as one turn", **turn)  # type: ignore[arg-type]
    parser.add_argument("--wait", metavar="SECONDS", help="stay silent", **turn)  # type: ignore[arg-type]
    parser.add_argument("--record", type=Path, metavar="OUT.wav", help="record: left this phone, right the far end")
    parser.add_argument("--voice", default="en-us", help="espeak-ng voice of --say (default: en-us)")
    parser.add_argument("--bind", default="", help="this phone's address (default: what reaches the far end)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(options: argparse.Namespace, _config: Config) -> int:
    """`ivr dial`."""
    from ivr import phone  # noqa: PLC0415 - pjsua2 only when it is used

    steps = [phone.Step(what, value) for what, value in options.turns]
    bind = options.bind or phone.local_address(options.uri)
    return phone.main(options.uri, steps, options.record, as_json=options.json, bind=bind, voice_name=options.voice)
