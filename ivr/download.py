"""Downloads one file: goes on where an earlier try stopped, checks what arrived, says plainly what went wrong.

Owns HTTP and the `.part` file; which files make up a model is `ivr.models`' business.
"""

import errno
import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 1 << 18
TIMEOUT_S = 30
# Tries in a row in which not a single byte came.
IDLE_TRIES = 3

Progress = Callable[[int, int | None], None]


class FetchError(Exception):
    """A model cannot be fetched; the text says why and what to do."""

    code = "fetch"


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to be had: `checksum` is ("sha256" or "md5", hexadecimal digest), None where nobody publishes one."""

    url: str
    size_bytes: int | None = None
    checksum: tuple[str, str] | None = None


def download(remote: Remote, target: Path, progress: Progress) -> None:
    """Fetches the file to `target`, by way of `target.part`, from where an earlier try stopped.

    `progress(done_bytes, total_bytes or None)` is called as bytes arrive. Raises FetchError. A part with a wrong
    checksum is deleted; every other part is kept for the next try.
    """
    part = target.with_name(target.name + ".part")
    idle = 0
    while not _is_whole(part, remote.size_bytes):
        before = _size(part)
        try:
            if _receive(remote, part, progress):
                break
        except OSError as error:
            idle = 0 if _size(part) > before else idle + 1
            if idle >= IDLE_TRIES or not _worth_another_try(error):
                raise FetchError(_why(remote.url, error, part)) from error
        except http.client.HTTPException as error:
            idle = 0 if _size(part) > before else idle + 1
            if idle >= IDLE_TRIES:
                raise FetchError(f"{remote.url}: the connection broke off again and again ({error!r})") from error
    _check(remote, part)
    part.replace(target)


def _is_whole(part: Path, size_bytes: int | None) -> bool:
    return size_bytes is not None and _size(part) >= size_bytes


def _receive(remote: Remote, part: Path, progress: Progress) -> bool:
    """Takes what one request gives; true when the server has sent all."""
    have = _size(part)
    headers = {"User-Agent": "hotline", "Accept-Encoding": "identity"}
    request = urllib.request.Request(remote.url, headers=headers)  # noqa: S310 - the catalogue's own addresses
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310 - the catalogue's own addresses
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return True
            raise
    with response:
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT and _begins_at(response, have)
        have = have if goes_on else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else remote.size_bytes
        with part.open("ab" if goes_on else "wb") as file:
            have = _copy(response, file, have, total, progress)
    if total is not None and have < total:
        raise http.client.IncompleteRead(b"", total - have)
    return True


def _begins_at(response: http.client.HTTPResponse, offset: int) -> bool:
    return (response.headers.get("Content-Range") or "").startswith(f"bytes {offset}-")


def _copy(response: BinaryIO, file: BinaryIO, have: int, total: int | None, progress: Progress) -> int:
    while block := response.read(BLOCK_BYTES):
        file.write(block)
        file.flush()
        have += len(block)
        progress(have, total)
    return have


def _check(remote: Remote, part: Path) -> None:
    size = _size(part)
    if remote.size_bytes is not None and size != remote.size_bytes:
        part.unlink(missing_ok=True)
        raise FetchError(f"{remote.url}: {size} bytes came instead of {remote.size_bytes}; deleted them, try again")
    if remote.checksum is None:
        return
    kind, wanted = remote.checksum
    with part.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found != wanted:
        part.unlink()
        raise FetchError(
            f"{remote.url}: wrong {kind} checksum ({found} instead of {wanted}); deleted what came. Try again; if it "
            "stays so, the file was changed at its source or on the way: do not use it"
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _worth_another_try(error: OSError) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR
    return error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EPERM)


def _why(url: str, error: OSError, part: Path) -> str:
    if isinstance(error, urllib.error.HTTPError):
        moved = "; it may have moved" if error.code == http.HTTPStatus.NOT_FOUND else ""
        return f"{url}: the server answers {error.code} {error.reason}{moved}"
    if isinstance(error, urllib.error.URLError):
        return f"{url}: cannot be reached ({error.reason})"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {part.parent} is full; what came so far is kept, free some space and fetch again"
    return f"{url}: {error}"
