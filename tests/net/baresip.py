"""baresip, a stranger's phone, as a process."""

import subprocess
from pathlib import Path

import numpy as np
import soundfile

from tests.net import sound
from tests.net.hotline import free_port

SAID_HZ = 900


class Baresip:
    """A running baresip whose microphone is a tone, and which writes what it hears into a file.

    `account` is its line in baresip's accounts file; without one it registers nowhere and answers by itself.
    """

    def __init__(
        self, folder: Path, codec: str, *commands: str, said_s: int = 30, said_hz: float = SAID_HZ,
        account: str = "", more: str = "",
    ) -> None:  # fmt: skip
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.port = free_port()
        rate_hz = 16000 if codec.startswith("G722") else 8000
        wave = 0.2 * np.sin(2 * np.pi * said_hz * np.arange(said_s * rate_hz) / rate_hz)
        soundfile.write(folder / "said.wav", wave, rate_hz, "PCM_16")
        modules = ["account.so", "menu.so", "g711.so", "g722.so", "aufile.so", "sndfile.so"]
        lines = [
            f"sip_listen 127.0.0.1:{self.port}", f"audio_source aufile,{folder}/said.wav", "audio_player aufile,",
            "audio_alert aufile,", f"snd_path {folder}", "module_path /usr/lib/baresip/modules", "call_max_calls 4",
            *(f"module{'_app' * (name in ('account.so', 'menu.so'))} {name}" for name in modules),
        ]  # fmt: skip
        (folder / "config").write_text("\n".join([*lines, more]) + "\n")
        account = account or "<sip:bare@127.0.0.1>;regint=0;answermode=auto"
        (folder / "accounts").write_text(f"{account};audio_codecs={codec}\n")
        (folder / "contacts").write_text("")
        asked = [part for command in commands for part in ("-e", command)]
        with (folder / "output").open("w") as output:
            self.process = subprocess.Popen(
                ["baresip", "-4", "-f", str(folder), "-t", "60", *asked],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
            )  # fmt: skip

    def output(self) -> str:
        """What it wrote."""
        return (self.folder / "output").read_text(errors="replace")

    def hang_up(self) -> None:
        """Ends the program, which ends its call."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def heard(self) -> sound.Sound:
        """What it heard, at 8 kHz."""
        (file,) = self.folder.glob("dump-*-dec.wav")
        heard, rate_hz = soundfile.read(file)
        return heard[:: rate_hz // 8000]
