"""A folder's pages on the loopback interface.

Only names of pages are answered; no path of a request reaches the file system. A request must name this server as its
host, so that a foreign page whose name resolves to the loopback address (DNS rebinding) reads nothing. Requests to run
a model are ignored if another site's page caused them. The folder is read again for each index, so a reload shows the
results of a check that is still running.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dio_mc.errors import DioError
from dio_mc.html.folder import scan
from dio_mc.html.live import Explorer
from dio_mc.html.pages import INDEX, Page, pages_of

ADDRESS = "127.0.0.1"
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Server(ThreadingHTTPServer):
    """Serves the pages of folder `root`. Models' sources are read below `base`; models that the `explorer` can run are
    live. Port 0 means any free port. Raises `OSError` if the port is taken."""

    daemon_threads = True

    def __init__(self, root: Path, base: Path, port: int = 0, explorer: Explorer | None = None) -> None:
        self.root, self.base, self.explorer = root, base, explorer
        self._pages: dict[str, Page] | None = None
        super().__init__((ADDRESS, port), _Handler)

    def page(self, name: str, query: str = "") -> str | None:
        """A page's text; None if there is none of that name. Raises `ModelError` if the folder no longer exists."""
        if self._pages is None or name == INDEX:
            self._pages = pages_of(scan(self.root), self.base, self.explorer)
        make = self._pages.get(name)
        return make(query) if make is not None else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore browsers that closed the connection during an answer."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """The address of the index."""
        return f"http://{ADDRESS}:{self.server_port}/"

    @property
    def hosts(self) -> frozenset[str]:
        """The host names that a browser on this machine may use."""
        return frozenset({f"{ADDRESS}:{self.server_port}", f"localhost:{self.server_port}"})


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "dio-mc"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the terminal belongs to the user who started the server."""

    def _answer(self, *, body: bool) -> None:
        if self.headers.get("Host", "").lower() not in self.server.hosts:
            self._send(HTTPStatus.MISDIRECTED_REQUEST, "This server answers on its own address only.\n", body)
            return
        address = urlsplit(self.path)
        name = unquote(address.path).removeprefix("/") or INDEX
        try:
            page = self.server.page(name, "" if self._is_from_elsewhere else address.query)
        except DioError as error:
            self._send(HTTPStatus.NOT_FOUND, f"{error}\n", body)
            return
        if page is None:
            self._send(HTTPStatus.NOT_FOUND, "There is no such page.\n", body)
            return
        self._send(HTTPStatus.OK, page, body)

    @property
    def _is_from_elsewhere(self) -> bool:
        """Whether another site's page caused the request."""
        return self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")

    def _send(self, status: HTTPStatus, content: str, body: bool) -> None:
        data = content.encode("utf-8", "replace")
        self.send_response(status)
        kind = "text/html" if status is HTTPStatus.OK else "text/plain"
        for name, value in {**_HEADERS, "Content-Type": f"{kind}; charset=utf-8"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)
