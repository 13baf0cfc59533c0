"""The catalogue, and fetching from a local server that cuts, lies and lacks."""

import functools
import hashlib
import http.server
import io
import json
import random
import shutil
import threading
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from ivr import models
from ivr.download import FetchError, Remote, download
from ivr.models import Model, ModelFile, ModelMissing, catalogue, fetch, resolve

CONTENT = bytes(range(256)) * 4000


class Shelf(http.server.BaseHTTPRequestHandler):
    """Serves `files` by path. `cut_after` bytes of each answer, then the connection breaks, `cuts` times."""

    def __init__(self, shelf: "Server", *arguments) -> None:
        self.shelf = shelf
        super().__init__(*arguments)

    def do_GET(self) -> None:
        shelf = self.shelf
        asked = self.headers.get("Range")
        shelf.requests.append((self.path, asked))
        content = shelf.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        if shelf.broken:
            self.send_error(shelf.broken)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and shelf.ranges else 0
        if start >= len(content) > 0:
            self.send_error(416)
            return
        body = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if shelf.cuts and len(body) > shelf.cut_after:
            shelf.cuts -= 1
            body = body[: shelf.cut_after]
        self.wfile.write(body)

    def log_message(self, *arguments) -> None:
        """Nothing: the tests look at `requests`."""


class Server:
    """A web server in a thread."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.cut_after, self.cuts = 0, 0
        self.ranges = True
        self.broken = 0
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Shelf, self))
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


def sha256(content: bytes) -> tuple[str, str]:
    return ("sha256", hashlib.sha256(content).hexdigest())


def ignore(*arguments) -> None:
    pass


# The catalogue


def test_the_catalogue_is_whole() -> None:
    known = catalogue()
    needed = {"vosk-model-small-en-us-0.15", "vosk-model-small-cn-0.22", "en_US-lessac-medium", "zh_CN-huayan-medium"}
    assert needed < set(known)
    assert {model.engine for model in known.values()} == {"vosk", "piper", "faster-whisper"}
    for name, model in known.items():
        assert model.base.startswith("https://"), name
        assert model.base.endswith("/"), name
        assert model.archive == (len(model.files) == 1 and model.files[0].path.endswith(".zip")), name
        for file in model.files:
            if file.checksum:
                kind, digest = file.checksum
                assert len(bytes.fromhex(digest)) * 2 == {"sha256": 64, "md5": 32}[kind], name
        if model.engine == "piper":
            assert [file.path for file in model.files] == [f"{name}.onnx", f"{name}.onnx.json"]


def test_only_one_model_is_without_a_checksum_and_it_is_known() -> None:
    assert [name for name, model in catalogue().items() if not model.is_checked] == ["vosk-model-cn-0.22"]


# One file


def test_a_file_is_fetched_and_checked(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    seen = []
    remote = Remote(f"{server.url}/a", len(CONTENT), sha256(CONTENT))
    download(remote, tmp_path / "a", lambda *numbers: seen.append(numbers))
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_connection_that_breaks_is_taken_up_again(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.files["/a"] = CONTENT
    server.cut_after, server.cuts, server.ranges = 300_000, 2, ranges
    download(Remote(f"{server.url}/a", len(CONTENT), sha256(CONTENT)), tmp_path / "a", ignore)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert [asked for _, asked in server.requests][:2] == [None, "bytes=300000-"]
    assert len(server.requests) == 3


def test_an_earlier_try_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    (tmp_path / "a.part").write_bytes(CONTENT[:1000])
    download(Remote(f"{server.url}/a", None, sha256(CONTENT)), tmp_path / "a", ignore)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert server.requests == [("/a", "bytes=1000-")]


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_a_whole_part_is_only_checked(server: Server, tmp_path: Path, size: int | None) -> None:
    server.files["/a"] = CONTENT
    (tmp_path / "a.part").write_bytes(CONTENT)
    download(Remote(f"{server.url}/a", size, sha256(CONTENT)), tmp_path / "a", ignore)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert len(server.requests) == (0 if size else 1)


def test_a_server_that_always_breaks_off_is_given_up(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    server.cut_after, server.cuts = 0, 1000
    with pytest.raises(FetchError, match="broke off again and again"):
        download(Remote(f"{server.url}/a", len(CONTENT)), tmp_path / "a", ignore)
    assert len(server.requests) == 3


def test_wrong_bytes_are_deleted_and_told(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT[:-1] + b"!"
    with pytest.raises(FetchError, match="wrong sha256 checksum"):
        download(Remote(f"{server.url}/a", len(CONTENT), sha256(CONTENT)), tmp_path / "a", ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_size_is_deleted_and_told(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    with pytest.raises(FetchError, match="1024000 bytes came instead of 5"):
        download(Remote(f"{server.url}/a", 5), tmp_path / "a", ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_and_a_missing_server_are_told(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"/nothing: the server answers 404 .*may have moved"):
        download(Remote(f"{server.url}/nothing"), tmp_path / "a", ignore)
    assert len(server.requests) == 1
    server.files["/a"], server.broken = CONTENT, 503
    with pytest.raises(FetchError, match="answers 503"):
        download(Remote(f"{server.url}/a"), tmp_path / "a", ignore)
    with pytest.raises(FetchError, match="cannot be reached"):
        download(Remote("http://127.0.0.1:1/a"), tmp_path / "a", ignore)


def test_a_full_disk_is_told_and_the_part_kept(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    (tmp_path / "a.part").symlink_to("/dev/full")
    with pytest.raises(FetchError, match=r"the disk of .* is full"):
        download(Remote(f"{server.url}/a"), tmp_path / "a", ignore)
    assert (tmp_path / "a.part").is_symlink()


# A model


def zipped(entries: dict[str, bytes], link: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
        if link:
            info = zipfile.ZipInfo(link)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def archive_model(server: Server, content: bytes) -> Model:
    server.files["/models/m1.zip"] = content
    file = ModelFile("m1.zip", len(content), sha256(content))
    return Model("m1", "vosk", "en", "Apache-2.0", "a test", f"{server.url}/models/", True, (file,))


def test_an_archive_becomes_its_folder(server: Server, tmp_path: Path) -> None:
    model = archive_model(server, zipped({"m1/am/final.mdl": b"model", "m1/conf/model.conf": b"c"}))
    place = fetch(model, tmp_path / "models", ignore)
    assert place == tmp_path / "models" / "m1"
    assert (place / "am" / "final.mdl").read_bytes() == b"model"
    assert list((tmp_path / "models").iterdir()) == [place]
    server.files.clear()
    assert fetch(model, tmp_path / "models", ignore) == place


def test_single_files_become_a_folder(server: Server, tmp_path: Path) -> None:
    server.files |= {"/v/x.onnx": CONTENT, "/v/x.onnx.json": b"{}"}
    files = (ModelFile("x.onnx", len(CONTENT), sha256(CONTENT)), ModelFile("x.onnx.json", None, None))
    model = Model("x", "piper", "en", "?", "a test", f"{server.url}/v/", False, files)
    seen = []
    assert fetch(model, tmp_path, lambda *what: seen.append(what)) == tmp_path / "x" / "x.onnx"
    assert {what[0] for what in seen} == {"x.onnx", "x.onnx.json"}
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["x.onnx", "x.onnx.json"]


def test_a_fetch_that_broke_in_the_middle_goes_on(server: Server, tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(100_000)
    model = archive_model(server, zipped({"m1/a": noise}))
    content, server.files = server.files, {}
    with pytest.raises(FetchError):
        fetch(model, tmp_path, ignore)
    part = tmp_path / ".m1.fetching" / "files" / "m1.zip.part"
    part.write_bytes(content["/models/m1.zip"][:100])
    server.files = content
    fetch(model, tmp_path, ignore)
    assert server.requests[-1] == ("/models/m1.zip", "bytes=100-")
    assert (tmp_path / "m1" / "a").read_bytes() == noise


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped({"m1/a": b"", "../evil": b"x"}), r"unsafe entry '\.\./evil'"),
        (zipped({"m1/../../evil": b"x"}), "unsafe entry"),
        (zipped({"/evil": b"x"}), "unsafe entry"),
        (zipped({"m1\\..\\..\\evil": b"x"}), "unsafe entry"),
        (zipped({"other/a": b"x"}), "unsafe entry"),
        (zipped({"m1/a": b""}, link="m1/passwd"), "unsafe entry"),
        (zipped({"m1/zeros": bytes(10_000_000)}), "more than 20 times"),
        (zipped({}), "no folder m1"),
        (b"no zip at all", "not a usable zip archive"),
    ],
)
def test_bad_archives_are_refused(server: Server, tmp_path: Path, content: bytes, message: str) -> None:
    folder = tmp_path / "models"
    with pytest.raises(FetchError, match=message):
        fetch(archive_model(server, content), folder, ignore)
    assert not (folder / "m1").exists()
    assert not (tmp_path / "evil").exists()
    assert not (folder / "evil").exists()
    assert list(folder.rglob("*.zip")) == []


def test_a_disk_too_small_is_told_before_the_download(server: Server, tmp_path: Path, monkeypatch) -> None:
    model = archive_model(server, zipped({"m1/a": b"x"}))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(FetchError, match=r"m1 needs about .* where only 0 MB are free"):
        fetch(model, tmp_path, ignore)
    assert server.requests == []


def test_a_folder_that_cannot_be_written_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(FetchError, match="cannot write below"):
        fetch(archive_model(server, zipped({"m1/a": b"x"})), tmp_path / "models", ignore)


def test_the_same_model_is_not_fetched_twice_at_a_time(server: Server, tmp_path: Path) -> None:
    model = archive_model(server, zipped({"m1/a": b"x"}))

    def again(*what) -> None:
        with pytest.raises(FetchError, match="by another process"):
            fetch(model, tmp_path, ignore)

    fetch(model, tmp_path, again)
    assert len(server.requests) == 1


# Names


def test_names_are_resolved(tmp_path: Path) -> None:
    assert (resolve("starter", tmp_path) / "am" / "final.mdl").is_file()
    with pytest.raises(ModelMissing, match=r"run `ivr models fetch vosk-model-small-cn-0.22`"):
        resolve("vosk-model-small-cn-0.22", tmp_path)
    (tmp_path / "vosk-model-small-cn-0.22").mkdir()
    assert resolve("vosk-model-small-cn-0.22", tmp_path) == tmp_path / "vosk-model-small-cn-0.22"
    (tmp_path / "own").mkdir()
    assert resolve("own", tmp_path / "models", tmp_path) == tmp_path / "own"
    assert resolve(str(tmp_path / "own"), tmp_path / "models") == tmp_path / "own"
    with pytest.raises(ModelMissing, match=r"did you mean vosk-model-small-en-us-0.15\?"):
        resolve("vosk-model-small-en-us", tmp_path)


def test_a_fetched_voice_is_its_onnx_file(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        resolve("en_US-lessac-medium", tmp_path)
    file = tmp_path / "en_US-lessac-medium" / "en_US-lessac-medium.onnx"
    file.parent.mkdir()
    file.write_bytes(b"")
    assert resolve("en_US-lessac-medium", tmp_path) == file


# The commands


@pytest.fixture
def shop(server: Server, monkeypatch, tmp_path: Path) -> Server:
    """A catalogue of two models at hosts that only the mirror knows."""
    content = zipped({"m1/a": b"x"})
    server.files = {"/mirror/models.example/m1.zip": content, "/mirror/models.example/m2.zip": zipped({"m2/a": b"y"})}
    entry = 'engine = "vosk"\nlanguage = "en"\nlicence = "MIT"\nabout = "a test"\nbase = "https://models.example/"\n'
    toml = tmp_path / "catalogue.toml"
    toml.write_text(
        f'["m1"]\n{entry}archive = true\nfiles = [{{ path = "m1.zip", size = {len(content)}, sha256 = '
        f'"{sha256(content)[1]}" }}]\n["m2"]\n{entry}archive = true\nfiles = [{{ path = "m2.zip" }}]\n'
    )
    monkeypatch.setattr(models, "catalogue", functools.partial(catalogue, toml))
    return server


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def test_fetch_command_says_how_to_use_the_model(shop: Server, tmp_path: Path) -> None:
    out = console()
    assert models.fetch_command("m1", tmp_path / "models", mirror=f"{shop.url}/mirror", console=out) == 0
    assert 'set [asr.models] en = "m1"' in out.file.getvalue()
    assert (tmp_path / "models" / "m1" / "a").read_bytes() == b"x"


def test_fetch_command_says_when_nothing_can_be_checked(shop: Server, tmp_path: Path) -> None:
    out = console()
    assert models.fetch_command("m2", tmp_path / "models", mirror=f"{shop.url}/mirror/", console=out) == 0
    assert "nobody publishes a checksum of m2" in out.file.getvalue()


def test_fetch_command_fails_with_words(shop: Server, tmp_path: Path) -> None:
    out = console()
    assert models.fetch_command("m3", tmp_path, console=out) == 2
    assert "no model 'm3' in the catalogue" in out.file.getvalue()
    shop.files.clear()
    assert models.fetch_command("m1", tmp_path, mirror=f"{shop.url}/mirror", console=out) == 1
    assert "404" in out.file.getvalue()


def test_list_shows_what_is_fetched_and_what_cannot_be_checked(shop: Server, tmp_path: Path) -> None:
    (tmp_path / "m1").mkdir()
    out = console()
    assert models.list_models(tmp_path, console=out) == 0
    lines = {line.split()[0]: line for line in out.file.getvalue().splitlines()}
    assert len(lines) == 2, "a line for each, however narrow the terminal is"
    assert "fetched" in lines["m1"]
    assert "no checksum" not in lines["m1"]
    assert "no checksum is published" in lines["m2"]
    assert "fetched" not in lines["m2"]
    out = console()
    assert models.list_models(tmp_path, as_json=True, console=out) == 0
    assert [(row["name"], row["fetched"], row["checked"]) for row in json.loads(out.file.getvalue())] == [
        ("m1", True, True),
        ("m2", False, False),
    ]
