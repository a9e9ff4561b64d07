"""The dashboard in a browser: who gets in."""

from __future__ import annotations

import socket

import pytest
from aiohttp import web as http
from aiohttp.test_utils import TestClient, TestServer

from tests.running import Cli
from tui_trainer.cli import web
from tui_trainer.text import InputError


def test_it_listens_on_this_machine_unless_told_twice(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[str, int]] = []
    monkeypatch.setattr(web, "find_spec", lambda _: object())
    monkeypatch.setattr(web, "serve", lambda host, port: served.append((host, port)))
    web.web()
    with pytest.raises(InputError, match="--allow-others") as refusal:
        web.web(host="0.0.0.0")
    assert len(refusal.value.problems) == 1
    web.web(host="0.0.0.0", allow_others=True)
    assert served == [("localhost", 8000), ("0.0.0.0", 8000)]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'tui-trainer\[web\]'"):
        web.web()


def test_a_port_that_is_taken_is_named(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = cli.process_result("web", "--host", "127.0.0.1", "--port", str(port))
    assert (status, err) == (2, f"--port {port}: cannot be listened on: Address already in use\n")


async def test_only_the_key_opens_and_no_page_of_another_site() -> None:
    async def page(_: http.Request) -> http.Response:
        return http.Response(text="dashboard")

    app = http.Application(middlewares=[web.guard("secret", "http://localhost:8000")])
    app.router.add_get("/", page)
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/")).status == 403
        assert (await client.get("/?key=guess")).status == 403
        assert (await client.get("/?key=secret", headers={"Origin": "http://elsewhere"})).status == 403
        assert await (await client.get("/?key=secret")).text() == "dashboard"  # the redirect carries the cookie
        assert await (await client.get("/")).text() == "dashboard"
        assert (await client.get("/", headers={"Origin": "http://elsewhere"})).status == 403
