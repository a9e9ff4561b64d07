"""The dashboard in a browser, through textual-serve."""

from __future__ import annotations

import hmac
import os
import secrets
import shlex
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from tui_trainer.cli.dashboard import data_root, runs_root
from tui_trainer.text import InputError

if TYPE_CHECKING:
    from aiohttp import web as http
    from aiohttp.typedefs import Handler, Middleware

LOOPBACK = ("localhost", "127.0.0.1", "::1")
COOKIE = "tui-trainer"


def web(
    host: Annotated[str, typer.Option(help="the address to listen on")] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535, help="the port to listen on")] = 8000,
    allow_others: Annotated[bool, typer.Option("--allow-others", help="listen beyond this machine")] = False,
) -> None:
    """Open the dashboard in a browser.

    Only this machine, and whoever has the key that is printed, gets in: they can train, delete and read what you can.
    """
    if host not in LOOPBACK and not allow_others:
        raise InputError(
            f"--host {host}: whoever reaches this port and has the key could train, delete and read as you, and "
            "nothing is encrypted; better a tunnel, ssh -L 8000:localhost:8000 MACHINE; else add --allow-others"
        )
    if find_spec("textual_serve") is None:
        raise InputError("web: textual-serve is not installed; run: pip install 'tui-trainer[web]'")
    serve(host, port)


def serve(host: str, port: int) -> None:
    """Until ctrl+c."""
    from textual_serve.server import Server

    key = secrets.token_urlsafe(16)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    class Guarded(Server):
        """textual-serve's server; it lets in only who once came with the key."""

        async def _make_app(self) -> http.Application:
            app = await super()._make_app()
            app.middlewares.append(guard(key, address))
            return app

        async def on_startup(self, app: http.Application) -> None:
            print(f"{address}/?key={key}\nctrl+c ends it; trainings go on", flush=True)

    command = [sys.executable, "-m", "tui_trainer", "--runs", str(runs_root()), "--data", str(data_root())]
    try:
        Guarded(shlex.join(command), host, port, "tui-trainer", public_url=address).serve()
    except OSError as error:
        raise InputError(f"--port {port}: cannot be listened on: {os.strerror(error.errno or 0)}") from None


def guard(key: str, address: str) -> Middleware:
    """Answers 403 to whoever has neither the key nor its cookie, and to pages of other sites.

    A page that is open in the same browser could else reach a server on this machine.
    """
    from aiohttp import web as http

    @http.middleware
    async def check(request: http.Request, handler: Handler) -> http.StreamResponse:
        if request.headers.get("Origin", address) != address:
            raise http.HTTPForbidden(text="the dashboard answers no page of another site")
        if hmac.compare_digest(request.query.get("key", "").encode(), key.encode()):
            entered = http.HTTPFound("/")
            entered.set_cookie(COOKIE, key, httponly=True, samesite="Strict")
            raise entered
        if not hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), key.encode()):
            raise http.HTTPForbidden(text="open the address that tui-trainer web has printed, with its key")
        return await handler(request)

    return check
