"""The server: on the loopback interface, for this machine's browser, with the folder's pages and nothing else."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from dio_mc.cli import cli
from dio_mc.html.folder import scan
from dio_mc.html.pages import pages_of
from dio_mc.html.serve import Server

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    shutil.copytree(SEED, tmp_path / "served" / "Ext3")
    (tmp_path / "secret.html").write_text("secret")
    with Server(tmp_path / "served", ROOT) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(server: Server, path: str, host: str | None = None, method: str = "GET") -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", f"127.0.0.1:{server.server_port}" if host is None else host)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}
    finally:
        connection.close()


def test_the_pages_are_served(server: Server) -> None:
    pages = pages_of(scan(server.root), ROOT)
    assert set(pages) == {"index.html", *(f"Ext3/{p.stem}.html" for p in SEED.glob("*.json"))}
    for name, make in pages.items():
        status, text, headers = ask(server, f"/{name}")
        assert (status, text) == (200, make(""))
        assert headers["content-type"] == "text/html; charset=utf-8"
    assert ask(server, "/")[1] == pages["index.html"]("")
    assert ask(server, "/?x=1#y")[0] == 200


def test_it_listens_on_the_loopback_interface_alone(server: Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_port}/"


@pytest.mark.parametrize(
    "path",
    ["/../secret.html", "/%2e%2e/secret.html", "/..%2fsecret.html", "/Ext3/../../secret.html", "//etc/passwd", "/Ext3/",
     "/Ext3/no_stale_exposure.json", "/Ext3/no_stale_exposure.dot", "/\x01", "/Ext3%00", "/" + "a" * 5000],
)  # fmt: skip
def test_nothing_else_is_answered(server: Server, path: str) -> None:
    status, text, _ = ask(server, path.replace("\x01", "%01"))
    assert (status, text) == (404, "There is no such page.\n")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "[::1]:{port}"]
)
def test_a_request_for_another_host_is_turned_away(server: Server, host: str) -> None:
    status, text, _ = ask(server, "/", host.format(port=server.server_port))
    assert (status, text) == (421, "This server answers on its own address only.\n")


def test_a_request_without_a_host_is_turned_away(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.0 421 ")


def test_localhost_is_this_machine_too(server: Server) -> None:
    assert ask(server, "/", f"LOCALHOST:{server.server_port}")[0] == 200


def test_other_methods_do_nothing(server: Server) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(server, "/", method=method)[0] == 501
    status, text, headers = ask(server, "/", method="HEAD")
    assert (status, text) == (200, "")
    assert int(headers["content-length"]) == len(ask(server, "/")[1].encode())


def test_no_other_page_may_frame_read_or_keep_them(server: Server) -> None:
    headers = ask(server, "/")[2]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_what_is_new_in_the_folder_shows_on_reload(server: Server) -> None:
    assert ask(server, "/new.html")[0] == 404
    shutil.copy(SEED / "no_stale_exposure.json", server.root / "new.json")
    assert 'href="new.html"' in ask(server, "/")[1]
    assert ask(server, "/new.html")[0] == 200
    shutil.rmtree(server.root)
    status, text, _ = ask(server, "/")
    assert status == 404
    assert "no such folder" in text


def test_a_browser_that_goes_away_is_no_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It stops a page that loads, and nothing is said of it; the next one is answered."""
    shutil.copytree(SEED, tmp_path / "Ext3")
    with Server(tmp_path, ROOT) as server:
        server.daemon_threads = False  # so that closing waits for the answers
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.server_port)) as client:
                client.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert ask(server, "/")[0] == 200
        server.shutdown()
        thread.join()
    assert capfd.readouterr().err == ""


def test_another_error_of_an_answer_is_told(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    server.root = None  # type: ignore[assignment]  # a fault of ours
    with pytest.raises(http.client.RemoteDisconnected):
        ask(server, "/")
    assert "Exception occurred during processing of request" in capfd.readouterr().err


def test_a_taken_port_is_said(server: Server) -> None:
    result = CliRunner().invoke(cli, ["browse", str(server.root), "--no-open", "--port", str(server.server_port)])
    assert f"error DIO222: cannot serve on port {server.server_port}: Address already in use" in str(result.exception)


def test_the_command_serves_until_it_is_interrupted() -> None:
    command = [sys.executable, "-m", "dio_mc", "browse", "--no-open"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            first = process.stdout.readline()
            port = int(first.split(":")[2].split("/")[0])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert first.endswith("/  (Ctrl-C ends)\n")
