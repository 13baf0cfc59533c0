"""What the tests of speaking share."""

from pathlib import Path

import pytest

PIPER_VOICE = Path(__file__).parents[3] / "shared/models/piper-test-voice/en_US-ivrtest-low.onnx"


@pytest.fixture(scope="session")
def piper_voice() -> Path:
    if not PIPER_VOICE.exists():
        pytest.skip("the piper test voice is not beside this checkout (../shared/models/piper-test-voice)")
    return PIPER_VOICE
