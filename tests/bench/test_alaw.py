import numpy as np

from bench import alaw
from telephony import audio


def test_known_codes_of_g711():
    # ITU-T G.711 table 1a, even bits inverted: the ends of the scale and both zeros
    assert alaw.encode(np.array([0, -1, 32767, -32768, 8, -9], np.int16)) == bytes([0xD5, 0x55, 0xAA, 0x2A, 0xD5, 0x55])


def test_each_code_survives_a_round_trip():
    codes = bytes(range(256))
    assert alaw.encode(alaw.decode(codes)) == codes


def test_quantisation_error_is_within_half_a_step():
    pcm = np.arange(-32768, 32768, 7).astype(np.int16)
    error = np.abs(alaw.decode(alaw.encode(pcm)).astype(int) - pcm.astype(int))
    assert np.all(error <= np.maximum(8, np.abs(pcm.astype(int)) / 31))


def test_loud_is_a_prompt_and_not_a_quiet_line():
    assert alaw.is_loud(alaw.encode(audio.tone(440, 8000, 20, -30)))
    assert not alaw.is_loud(alaw.encode(audio.tone(440, 8000, 20, -50)))
    assert not alaw.is_loud(bytes([alaw.SILENCE]) * 160)
