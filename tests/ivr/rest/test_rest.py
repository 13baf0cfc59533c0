"""REST over real HTTP: what each role may, what each operation does, how errors are told."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from bench.acdworkers import Workers
from ivr.busaddress import address_finder
from ivr.store.acdtables import audit
from ivr.store.database import Database

pytestmark = [pytest.mark.net, pytest.mark.needs("mosquitto"), pytest.mark.timeout(120)]
NOBODY = "20261121-000000-abcdef"
AGENT, SUPERVISOR, ADMIN = "agent", "supervisor", "admin"
# Method, path, body, the least role, and what it answers when the role is enough.
OPERATIONS = [
    ("GET", "/queues", None, AGENT, 200),
    ("GET", "/agents", None, AGENT, 200),
    ("POST", "/agents/anna/state", {"do": "logout"}, AGENT, 200),
    ("POST", "/agents/bert/state", {"do": "logout"}, SUPERVISOR, 200),
    ("GET", "/waiting", None, SUPERVISOR, 200),
    ("POST", f"/waiting/{NOBODY}/move", {"queue": "support"}, SUPERVISOR, 409),
    ("POST", f"/waiting/{NOBODY}/priority", {"priority": 3}, SUPERVISOR, 409),
    ("GET", "/calls", None, SUPERVISOR, 200),
    ("POST", f"/calls/{NOBODY}/hangup", None, SUPERVISOR, 404),
    ("GET", f"/calls/{NOBODY}/why", None, SUPERVISOR, 404),
    ("POST", f"/calls/{NOBODY}/tap", {"mode": "listen"}, SUPERVISOR, 404),
    ("POST", "/agents", {"name": "anna", "password": "correct horse"}, ADMIN, 409),
    ("DELETE", "/agents/nobody", None, ADMIN, 404),
]


@pytest.fixture
async def workers(hotline) -> AsyncIterator[Workers]:
    async with Workers(address_finder(hotline.config)) as made:
        yield made


def problem(answer: httpx.Response, status: int) -> dict:
    """The problem in an answer, which must have this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["detail"]
    return body


def test_every_operation_is_in_the_table(hotline) -> None:
    paths = httpx.get(f"{hotline.url}/openapi.json", trust_env=False).json()["paths"]
    told = {(method.upper(), path) for path, item in paths.items() for method in item if path != "/health"}
    names = {"anna": "name", "bert": "name", "nobody": "name", NOBODY: "call"}
    listed = {
        (method, "/api/v1" + "/".join(f"{{{names[part]}}}" if part in names else part for part in path.split("/")))
        for method, path, *_ in OPERATIONS
    }
    assert told == listed


def test_the_description_is_whole_and_the_page_shows_every_operation(hotline) -> None:
    text = httpx.get(f"{hotline.url}/openapi.json", trust_env=False).text
    description = json.loads(text)
    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in description["components"]["schemas"]
    page = (Path(__file__).parents[3] / "docs" / "rest.md").read_text(encoding="utf-8")
    for path in description["paths"]:
        shown = (
            path.replace("/api/v1", "$A")
            .replace("{call}", "CALL")
            .replace("{name}/", "anna/")
            .replace("{name}", "carl")
        )
        assert f"{shown}`" in page or f"{shown} " in page, shown


@pytest.mark.parametrize(("method", "path", "body", "least", "status"), OPERATIONS)
async def test_each_role_may_what_it_may(hotline, method, path, body, least, status) -> None:
    roles = [AGENT, SUPERVISOR, ADMIN]
    for role in ["", *roles]:
        async with hotline.client(role) as client:
            answer = await client.request(method, f"/api/v1{path}", json=body)
        if not role:
            assert problem(answer, 401)["code"] == "token.wrong"
            assert answer.headers["www-authenticate"].startswith("Bearer")
        elif roles.index(role) < roles.index(least):
            problem(answer, 403)
        elif status < 400:
            assert answer.status_code == status, answer.text
        else:
            problem(answer, status)


async def test_a_caller_is_seen_moved_and_brought_to_an_agent(hotline, workers: Workers) -> None:
    async with hotline.client(SUPERVISOR) as client:
        call = await workers.join("cards", skills={}, priority=1)
        (line,) = (await client.get("/api/v1/waiting")).json()
        assert (line["call_id"], line["queue"], line["position"], line["caller"]) == (call.call_id, "cards", 1, "1001")

        place = await client.post(f"/api/v1/waiting/{call.call_id}/move", json={"queue": "support"})
        assert place.json()["position"] == 1
        await workers.until(lambda: call.queue == "support")
        (line,) = (await client.get("/api/v1/waiting")).json()
        assert line["queue"] == "support"
        assert abs(line["joined"] - call.joined) < 0.01
        raised = await client.post(f"/api/v1/waiting/{call.call_id}/priority", json={"priority": 7})
        assert raised.status_code == 200
        assert (await client.get("/api/v1/waiting")).json()[0]["priority"] == 7
        nowhere = await client.post(f"/api/v1/waiting/{call.call_id}/move", json={"queue": "nope"})
        assert problem(nowhere, 422)["code"] == "queue.unknown"
        await client.post(f"/api/v1/waiting/{call.call_id}/move", json={"queue": "cards"})

        login = await client.post("/api/v1/agents/anna/state", json={"do": "login"})
        assert login.json()["state"] in {"ready", "ringing"}
        await workers.until(lambda: call.agent == "anna")
        cards, _ = await seen(client, "/queues", lambda found: found[0]["now"]["answered"] == 1)
        assert (cards["now"]["queue"], cards["now"]["busy"], cards["now"]["waiting"]) == ("cards", 1, 0)
        assert cards["settings"]["strategy"] == "longest-idle"
        (decision,) = (await client.get(f"/api/v1/calls/{call.call_id}/why")).json()
        assert decision["offers"] == ["anna"]
        assert {each["agent"]: each["rung"] for each in decision["candidates"]} == {"anna": True, "bert": False}

        await workers.hang_up(call)
        await seen(client, "/agents", lambda found: found[0]["agent"] == "anna" and found[0]["state"] == "wrap_up")
        async with hotline.client(AGENT) as own:
            done = await own.post("/api/v1/agents/anna/state", json={"do": "wrapped_up", "disposition": "sold"})
            assert done.json()["state"] == "ready"
            paused = await own.post("/api/v1/agents/anna/state", json={"do": "pause", "reason": "lunch"})
            assert paused.json() == {"state": "paused", "reason": "lunch", "call_id": None}
        unfit = await client.post("/api/v1/agents/bert/state", json={"do": "wrapped_up"})
        assert problem(unfit, 409)["code"] == "agent.refused"
        unknown = await client.post("/api/v1/agents/zoe/state", json={"do": "ready"})
        assert problem(unknown, 404)["code"] == "agent.unknown"
    assert workers.wrong == []
    kept = await records(hotline)
    assert ("token the-supervisor", "move", call.call_id) in kept
    assert ("token the-supervisor", "login", "") in kept


async def test_accounts_are_made_and_removed(hotline) -> None:
    async with hotline.client(ADMIN) as client:
        new = {"name": "carl", "password": "battery staple", "queues": {"support": 2}, "skills": {"loans": 3}}
        assert (await client.post("/api/v1/agents", json=new)).status_code == 201
        carl = next(each for each in (await client.get("/api/v1/agents")).json() if each["agent"] == "carl")
        assert (carl["state"], carl["queues"], carl["skills"]) == ("offline", {"support": 2}, {"loans": 3})
        assert (await client.delete("/api/v1/agents/carl")).status_code == 204
        for wrong, place in (
            ({**new, "password": "short"}, "at least 8"),
            ({**new, "name": "a b"}, "a name is"),
            ({**new, "queues": {"nope": 0}}, "nope"),
            ({**new, "skills": {"loans": 11}}, "loans"),
            ({**new, "colour": "red"}, "colour"),
        ):
            assert place in problem(await client.post("/api/v1/agents", json=wrong), 422)["detail"]


async def test_what_is_no_operation_is_told_as_a_problem_too(hotline) -> None:
    async with hotline.client(ADMIN) as client:
        problem(await client.get("/api/v1/nothing"), 404)
        problem(await client.put("/api/v1/queues"), 405)
        problem(await client.post("/api/v1/agents", content=b"{"), 422)
        for large in (b"x" * 100_000, chunks()):
            problem(await client.post("/api/v1/agents", content=large), 413)
        for call in ("..", "%23", "call%2F+", "20261121-000000-ABCDEF"):
            assert (await client.get(f"/api/v1/calls/{call}/why")).status_code in {404, 422}
    async with hotline.client() as nobody:
        for path in ("/docs", "/redoc"):
            assert (await nobody.get(path)).status_code == 404


async def test_a_revoked_token_and_guesses_are_refused_while_known_ones_go_on(hotline) -> None:
    secret = (await asyncio.to_thread(hotline.ivr, "token", "add", "guest", "--role", SUPERVISOR)).strip()
    async with hotline.client() as client, hotline.client(ADMIN) as known:
        mine = {"Authorization": f"Bearer {secret}"}
        assert (await client.get("/api/v1/queues", headers=mine)).status_code == 200
        await asyncio.to_thread(hotline.ivr, "token", "revoke", "guest")
        problem(await client.get("/api/v1/queues", headers=mine), 401)
        assert (await known.get("/api/v1/queues")).status_code == 200
        for number in range(20):
            answer = await client.get("/api/v1/queues", headers={"Authorization": f"Bearer guess{number}"})
            if answer.status_code == 429:
                break
            problem(answer, 401)
        assert problem(answer, 429)["code"] == "token.too_many"
        assert int(answer.headers["retry-after"]) <= 60
        assert (await known.get("/api/v1/queues")).status_code == 200


async def seen(client: httpx.AsyncClient, path: str, condition: Callable[[list], bool]) -> list:
    """What the path answers once the condition holds."""
    async with asyncio.timeout(30):
        while not condition(found := (await client.get(f"/api/v1{path}")).json()):  # noqa: ASYNC110 - polls HTTP
            await asyncio.sleep(0.05)
    return found


async def records(hotline) -> list[tuple[str, str, str]]:
    """Who did what to which call, as kept."""
    database = Database(hotline.config.store_url)
    async with database.reading() as connection:
        rows = await connection.execute(audit.select())
        found = [(row.who, row.what, row.call_id) for row in rows]
    await database.close()
    return found


async def chunks() -> AsyncIterator[bytes]:
    """A body of unknown length."""
    for _ in range(100):
        yield b"x" * 1000
