"""The commands whose work is in one module each: their options, and the call of that module."""
# ruff: noqa: PLC0415 - one command runs, the others' modules stay unread

import argparse

from ivr.config import Config


def serve(options: argparse.Namespace, config: Config) -> int:
    """`ivr serve`."""
    from ivr.serve import main

    return main(config, options.config.resolve())


def check(options: argparse.Namespace, config: Config) -> int:
    """`ivr check`."""
    from ivr.check import main

    return main(config, options.config.resolve())


def demo(_options: argparse.Namespace, config: Config) -> int:
    """`ivr demo`."""
    from ivr.demo import main

    return main(config)


def models_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr models`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what can be fetched, and what is there")
    listing.add_argument("--json", action="store_true", help="a JSON array instead of a table")
    fetching = actions.add_parser("fetch", help="fetch one; a broken download goes on where it stopped")
    fetching.add_argument("name", metavar="NAME", help="a name of `ivr models list`")
    fetching.add_argument("--mirror", metavar="URL", help="fetch from this address instead")


def models(options: argparse.Namespace, config: Config) -> int:
    """`ivr models list|fetch`."""
    from ivr.models import fetch_command, list_models

    if options.action == "list":
        return list_models(config.models_folder, as_json=options.json)
    return fetch_command(options.name, config.models_folder, mirror=options.mirror)


def transcribe_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr transcribe`."""
    parser.add_argument("recording", metavar="CALL|WAV", help='a call of `ivr calls`, "last", or an audio file')
    parser.add_argument("--model", default="faster-whisper-small", help="a name of `ivr models list`, or a folder")
    parser.add_argument("--language", default="en", help="what is spoken: en, zh, ...")
    parser.add_argument("--json", action="store_true", help="one JSON list instead of lines")


def transcribe(options: argparse.Namespace, config: Config) -> int:
    """`ivr transcribe CALL|WAV`."""
    from ivr.transcribe import main

    return main(config, options.recording, options.model, options.language, as_json=options.json)
