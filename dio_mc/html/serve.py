"""A folder's pages on the loopback interface.

Only names of pages are answered; no path of a request ever reaches the file system. A request must name this server as
its host, so that a page elsewhere whose name was pointed at the loopback address (DNS rebinding) reads nothing; what
a page elsewhere asks of a model is ignored. The folder is read anew for each index, so that a check that runs meanwhile
shows up on reload.
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
    """Serves the pages of folder `root`; models' sources are read below `base`, what the `explorer` can run is live.
    Port 0 is any free one. Raises `OSError` when the port is taken."""

    daemon_threads = True

    def __init__(self, root: Path, base: Path, port: int = 0, explorer: Explorer | None = None) -> None:
        self.root, self.base, self.explorer = root, base, explorer
        self._pages: dict[str, Page] | None = None
        super().__init__((ADDRESS, port), _Handler)

    def page(self, name: str, query: str = "") -> str | None:
        """A page's text; None when there is none of that name. Raises `ModelError` when the folder is gone."""
        if self._pages is None or name == INDEX:
            self._pages = pages_of(scan(self.root), self.base, self.explorer)
        make = self._pages.get(name)
        return make(query) if make is not None else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away while it was answered is not an error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where the index is."""
        return f"http://{ADDRESS}:{self.server_port}/"

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which a browser on this machine may ask."""
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
        """Nothing: the terminal belongs to the person who started this."""

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
        """Whether another site's page made the browser ask."""
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
