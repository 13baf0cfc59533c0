"""What an SDP offer (RFC 3264) has to offer to this process. Pure."""

import re
from collections.abc import Collection

_STATIC = {"0": "PCMU", "3": "GSM", "8": "PCMA", "9": "G722"}  # RFC 3551 table 4
_AUDIO = re.compile(r"^m=audio +(\d+)[^ ]* +\S+ +([^\r\n]*)", re.MULTILINE)
_NAMES = re.compile(r"^a=rtpmap:(\d+) +([^/\r\n]+)", re.MULTILINE)


def offers_one_of(sdp: str, codecs: Collection[str]) -> bool:
    """Whether a stream of sound in the offer can be in one of these codecs; a rejected stream (port 0) counts not."""
    names = _STATIC | {number: name.strip() for number, name in _NAMES.findall(sdp)}
    wanted = {codec.lower() for codec in codecs}
    return any(
        names.get(number, "").lower() in wanted
        for port, numbers in _AUDIO.findall(sdp)
        if port != "0"
        for number in numbers.split()
    )
