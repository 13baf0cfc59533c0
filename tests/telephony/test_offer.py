"""Whether an offer has a codec of ours."""

import pytest

from telephony.offer import offers_one_of

HEAD = "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\n"


@pytest.mark.parametrize(
    ("media", "fits"),
    [
        ("m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n", True),
        ("m=audio 4000 RTP/AVP 0\r\n", False),
        ("m=audio 4000 RTP/SAVP 97\r\na=rtpmap:97 pcma/8000\r\n", True),
        ("m=audio 4000/2 RTP/AVP 8\r\n", True),
        ("m=audio 0 RTP/AVP 8\r\n", False),
        ("m=video 4000 RTP/AVP 8\r\n", False),
        ("m=video 4000 RTP/AVP 96\r\nm=audio 4002 RTP/AVP 18 8\r\n", True),
        ("", False),
    ],
)
def test_an_offer_fits_where_a_stream_of_sound_can_be_in_a_codec_of_ours(media: str, fits: bool) -> None:
    assert offers_one_of(HEAD + media, ("PCMA", "G722")) is fits
