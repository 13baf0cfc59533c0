"""The arguments of `ivr dial`."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ivr.config import Config
from telephony.errors import TelephonyError


class _Turn(argparse.Action):
    """Collects --say, --play, --keys, --silence and --wait in the order given."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        options: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """argparse: one option was read."""
        texts = (values or [""]) if isinstance(values, list) else [values]
        turns = [*(options.turns or []), *((str(option_string).lstrip("-"), text) for text in texts)]
        options.turns = turns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("uri", type=_uri, metavar="SIP-URI", help="whom to call: sip:hotline@127.0.0.1:5060")
    turn = {"action": _Turn, "dest": "turns", "default": []}
    parser.add_argument("--say", type=_text, nargs="+", metavar="TEXT", help="speak, a turn for each text", **turn)  # type: ignore[arg-type]
    parser.add_argument("--play", type=_wav, metavar="WAV", help="play an 8 kHz mono WAV as one turn", **turn)  # type: ignore[arg-type]
    parser.add_argument("--keys", type=_keys, metavar="12#", help="press keys as one turn", **turn)  # type: ignore[arg-type]
    parser.add_argument("--silence", nargs=0, help="stay silent until the far end speaks again", **turn)  # type: ignore[arg-type]
    parser.add_argument("--wait", type=_seconds, metavar="SECONDS", help="stay silent so long", **turn)  # type: ignore[arg-type]
    parser.add_argument("--record", type=_out, metavar="OUT.wav", help="record: left this phone, right the far end")
    parser.add_argument("--voice", default="en-us", help="espeak-ng voice of --say (default: en-us)")
    parser.add_argument(
        "--bind", default="", metavar="ADDRESS", help="this phone's address (default: the one on the way)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(options: argparse.Namespace, _config: Config) -> int:
    """`ivr dial`."""
    from ivr import phone  # noqa: PLC0415 - pjsua2 only when it is used

    steps = [phone.Step(what, value) for what, value in options.turns]
    try:
        bind = options.bind or phone.local_address(options.uri)
    except TelephonyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return phone.main(options.uri, steps, options.record, as_json=options.json, bind=bind, voice_name=options.voice)


def _uri(text: str) -> str:
    uri = text if text.startswith(("sip:", "<sip:")) else f"sip:{text}"
    if not re.fullmatch(r"<?sip:([^@\s]+@)?(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?([;?][^\s>]*)?>?", uri):
        raise argparse.ArgumentTypeError(f"{text!r} is not an address like sip:hotline@127.0.0.1:5060")
    return uri


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("there is nothing to say in an empty text; --silence says nothing")
    return text


def _keys(text: str) -> str:
    if not re.fullmatch(r"[0-9*#A-D]+", text):
        raise argparse.ArgumentTypeError(f"{text!r}: keys are 0-9, * and #")
    return text


def _seconds(text: str) -> str:
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return text


def _wav(text: str) -> str:
    """A file that the phone can play: pjmedia reads WAV of 8 kHz, mono, 16 bits."""
    import soundfile  # noqa: PLC0415 - only when something is played

    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    try:
        found = soundfile.info(text)
    except soundfile.LibsndfileError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if (found.format, found.subtype, found.samplerate, found.channels) != ("WAV", "PCM_16", 8000, 1):
        raise argparse.ArgumentTypeError(
            f"{text} is {found.format} {found.subtype}, {found.samplerate} Hz, {found.channels} channels; "
            f"needed is WAV of 8000 Hz, mono, 16 bits: sox {text} -r 8000 -c 1 -b 16 out.wav"
        )
    return text


def _out(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text} cannot be written")
    return path
