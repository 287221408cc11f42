"""The load test: it goes up until a service is too slow or wrong, and chooses the least parts that carry the most."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

LOAD = Path(__file__).resolve().parents[2] / "images" / "load-test" / "load.py"


class Site:
    """A service that does one thing at a time, says 500 at /broken, and is slow at /crowded for more than four callers.

    How slow does not hang on how busy the machine is: the crowd waits for longer than a test allows.
    """

    def __init__(self) -> None:
        self.bodies: set[bytes] = set()
        self.inside = 0
        one_at_a_time = threading.Lock()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                site.bodies.add(self.rfile.read(int(self.headers["Content-Length"])))
                site.inside += 1
                if self.path == "/crowded" and site.inside > 4:
                    time.sleep(3)
                with one_at_a_time:
                    time.sleep(0.02)
                site.inside -= 1
                self.send_response(500 if self.path == "/broken" else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    found = Site()
    threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield found
    found.server.shutdown()
    found.server.server_close()


def plan_of(folder: Path, url: str, *, path: str | None = "/work", p95_ms: int = 10_000) -> Path:
    (folder / "speech.wav").write_bytes(b"RIFF")
    target = {"url": url, "path": path, "body": "speech.wav", "contentType": "audio/wav", "p95Ms": p95_ms}
    document = {
        "schema": "skerry.load-plan/1", "targets": {"stt-service": target, "face-recognition-agent": target},
        "concurrency": [1, 8], "stepSeconds": 0.4, "timeoutSeconds": 5, "stop": {"errorPercent": 1},
        "fractions": [{"speech": 10, "vision": 10}, {"speech": 20, "vision": 10}],
    }  # fmt: skip
    found = folder / "plan.json"
    found.write_text(json.dumps(document), encoding="utf-8")
    return found


def run(*arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-I", str(LOAD), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def result_of(plan: Path, out: Path) -> tuple[int, dict[str, Any]]:
    code, _, error = run("run", str(plan), "--fractions", "speech=10,vision=10", "--out", str(out))
    assert out.exists(), error
    return code, json.loads(out.read_text(encoding="utf-8"))


def test_it_goes_up_while_every_service_is_fast_enough(site: Site, tmp_path: Path) -> None:
    code, found = result_of(plan_of(tmp_path, site.url), tmp_path / "result.json")
    assert (code, found["carries"], found["stopped"]) == (0, 8, ["every step held"])
    assert [step["callers"] for step in found["steps"]] == [1, 8]
    assert all(row["requests"] > 0 and row["errors"] == 0 for step in found["steps"] for row in step["targets"])
    assert site.bodies == {b"RIFF"}


def test_a_step_that_is_too_slow_is_the_last_and_does_not_count(site: Site, tmp_path: Path) -> None:
    code, found = result_of(plan_of(tmp_path, site.url, path="/crowded", p95_ms=2000), tmp_path / "result.json")
    assert (code, found["carries"]) == (0, 1)
    assert "p95 is" in found["stopped"][0]
    assert "above 2000" in found["stopped"][0]


def test_errors_end_the_first_step_and_nothing_is_carried(site: Site, tmp_path: Path) -> None:
    code, found = result_of(plan_of(tmp_path, site.url, path="/broken"), tmp_path / "result.json")
    assert (code, found["carries"], len(found["steps"])) == (1, 0, 1)
    assert found["stopped"][0] == "stt-service: 100.0 % errors (it answers 500)"


def test_a_service_that_nobody_described_is_not_asked(site: Site, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, site.url, path=None)
    code, _, error = run("run", str(plan), "--fractions", "speech=10", "--out", str(tmp_path / "result.json"))
    assert (code, "nobody said how stt-service, face-recognition-agent are asked" in error) == (2, True)


WRONG = {"a part above all": "speech=101", "no number": "speech", "no name": "=10"}


@pytest.mark.parametrize("case", WRONG)
def test_parts_must_be_parts(case: str, site: Site, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, site.url)
    code, _, error = run("run", str(plan), "--fractions", WRONG[case], "--out", str(tmp_path / "result.json"))
    assert (code, "write speech=10,vision=10" in error) == (2, True)


def test_the_least_parts_that_carry_the_most_are_chosen(site: Site, tmp_path: Path) -> None:
    results = []
    for at, (speech, carries) in enumerate([(10, 2), (30, 8), (20, 8)]):
        row = {"schema": "skerry.load-result/1", "fractions": {"speech": speech, "vision": 10}, "carries": carries,
               "stopped": ["x"], "steps": []}  # fmt: skip
        results.append(tmp_path / f"{at}.json")
        results[-1].write_text(json.dumps(row), encoding="utf-8")
    code, text, _ = run("choose", str(plan_of(tmp_path, site.url)), *map(str, results))
    found = json.loads(text)
    assert (code, found["chosen"], found["carries"]) == (0, {"speech": 20, "vision": 10}, 8)
    assert found["notTried"] == []
    code, text, _ = run("choose", str(plan_of(tmp_path, site.url)), str(results[0]))
    assert json.loads(text)["notTried"] == [{"speech": 20, "vision": 10}]


def test_memory_that_is_full_ends_a_run(program: Callable[[str], ModuleType]) -> None:
    module = program("load-test/load.py")
    plan = module.Plan((), (1,), 1.0, 1.0, 1.0)
    step = {"targets": [], "gpu": {"usedMib": 24_000, "totalMib": 24_564, "busyPercent": 99}}
    assert module.stops(plan, step) == ["the GPU's memory is full: 24000 of 24564 MiB"]
    assert module.stops(plan, {**step, "gpu": None}) == []
