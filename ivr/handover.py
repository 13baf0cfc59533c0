"""From pjsua2's threads to the event loop: one function, used by the worker and by the test phone."""

import asyncio
import contextlib
from collections.abc import Callable


def into_loop(loop: asyncio.AbstractEventLoop, handler: Callable[..., object]) -> Callable[..., None]:
    """A function for pjsua2's threads that has the loop call `handler` soon.

    It raises nothing: an exception in a pjsua2 callback stops a call's media, and after the loop's end nobody listens.
    """

    def emit(*arguments: object) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(handler, *arguments)

    return emit
