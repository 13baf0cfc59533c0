"""What can go wrong with recordings.

RecordingError
├── BundleCreateError   recording.not_created   a call's folder cannot be made (no room, no permission)
├── BundleBusyError     recording.busy          another process holds the bundle's lock
├── BundleDamagedError  recording.damaged       a file of the bundle cannot be used; says which and why
└── CallNotFoundError   recording.not_found     no bundle bears this name
"""


class RecordingError(Exception):
    """The root; `code` is for programs, the text for people."""

    code = "recording"


class BundleCreateError(RecordingError):
    """A call's folder cannot be made."""

    code = "recording.not_created"


class BundleBusyError(RecordingError):
    """Another process holds the bundle's lock: the call is up, or it is being repaired or sealed."""

    code = "recording.busy"


class BundleDamagedError(RecordingError):
    """A file of the bundle cannot be used."""

    code = "recording.damaged"


class CallNotFoundError(RecordingError):
    """No bundle bears this name."""

    code = "recording.not_found"
