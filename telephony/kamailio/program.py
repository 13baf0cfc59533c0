"""The installed Kamailio: where it is, whether all of it is there."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from telephony.kamailio.errors import MissingError

PACKAGES = "kamailio kamailio-tls-modules"
_SEARCH = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
_MODULE_FOLDERS = ("lib/*/kamailio/modules", "lib/kamailio/modules", "lib64/kamailio/modules")


@dataclass(frozen=True, slots=True)
class Program:
    """The program and the folder of its modules."""

    binary: Path
    modules: Path

    def check(self, configuration: str) -> None:
        """Raises MissingError where a module that the configuration loads is not installed."""
        wanted = re.findall(r'^loadmodule "([^"]+)"', configuration, re.MULTILINE)
        missing = [name for name in wanted if not (self.modules / name).exists()]
        if missing:
            raise MissingError(f"Kamailio lacks {', '.join(missing)} in {self.modules}: apt install {PACKAGES}")


def find(path: str = _SEARCH) -> Program:
    """Finds Kamailio. Raises MissingError, which says what to install."""
    binary = shutil.which("kamailio") or shutil.which("kamailio", path=path)
    if binary is None:
        raise MissingError(f'[telephony] door = "kamailio", and Kamailio is not installed: apt install {PACKAGES}')
    root = Path(binary).resolve().parent.parent
    for pattern in _MODULE_FOLDERS:
        for folder in sorted(root.glob(pattern)):
            return Program(Path(binary), folder)
    raise MissingError(f"{binary} has no modules below {root}: apt install {PACKAGES}")
