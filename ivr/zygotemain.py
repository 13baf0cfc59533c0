"""The zygote's process: loads what every call needs, then forks workers (see `ivr.zygote`)."""

import functools
import logging
import os

from ivr.config import Config
from ivr.preload import preload
from ivr.process import say_ready
from ivr.slots import Slots
from ivr.worker import work
from ivr.zygote import Zygote

log = logging.getLogger(__name__)


def main(config: Config) -> int:
    """Serves until SIGTERM."""
    launcher = os.getppid()
    preloaded = preload(config)
    telephony = config.telephony
    slots = Slots(config.run_folder / "slots", telephony.rtp_ports, telephony.max_calls)
    if slots.count < telephony.max_calls:
        log.warning(
            "telephony.rtp_ports has room for %d calls, telephony.max_calls wants %d", slots.count, telephony.max_calls
        )
    zygote = Zygote(
        slots,
        telephony.idle_workers,
        functools.partial(work, config, preloaded),
        lambda: say_ready("zygote", idle=telephony.idle_workers, flows=preloaded.flows.names()),
        launcher,
    )
    zygote.run()
    return 0
