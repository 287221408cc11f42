"""The health probe: what answers is up, what does not says why, and no secret of an address is shown."""

from __future__ import annotations

import ast
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from airgap_bundle.rehearsal_registry import Store
from tests.simulators.registry_debian import free_port
from tests.simulators.registry_faults import TlsRegistry

PROBE = Path(__file__).resolve().parents[2] / "images" / "health-probe" / "probe.py"


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A server that answers with the status that the path names, and with none for /silent."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].strip("/")
            if path == "silent":
                time.sleep(1.5)
                return
            if path == "garbage":
                self.wfile.write(b"\x00\xff nonsense\r\n\r\n")
                return
            body = {"object": b'{"status": "healthy"}', "list": b"[1]", "deep": b"[" * 100_000}.get(path, b"")
            self.send_response(200 if body else int(path or "200"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(*arguments: str) -> tuple[int, list[dict[str, object]], str]:
    done = subprocess.run(
        [sys.executable, "-I", str(PROBE), *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


ANSWERS = {"http://{}/": "", "http://{}/204": "", "http://{}/302": "", "tcp://{}": "",
           "http://{}/503": "it answers 503", "http://{}/404": "it answers 404",
           "http://{}/silent": "no answer for 0.5 s"}  # fmt: skip


@pytest.mark.parametrize("target", ANSWERS)
def test_what_answers_is_up(target: str, site: str) -> None:
    code, results, _ = run("--timeout", "0.5", target.format(site))
    assert (code, [(one["up"], one.get("reason", "")) for one in results]) == (
        int(bool(ANSWERS[target])),
        [(not ANSWERS[target], ANSWERS[target])],
    )


JSON = {"an object": ("object", True), "a list": ("list", False), "nothing": ("200", False), "endless": ("deep", False)}


@pytest.mark.parametrize("case", JSON)
def test_where_asked_only_a_json_object_is_an_answer(case: str, site: str) -> None:
    path, up = JSON[case]
    code, results, _ = run("--json", f"http://{site}/{path}")
    assert (code, results[0].get("reason", "")) == (int(not up), "" if up else "its answer is no JSON object")
    assert run(f"http://{site}/{path}")[0] == 0


def test_one_that_is_down_decides_and_all_are_told(site: str) -> None:
    code, results, _ = run(f"http://{site}/", f"tcp://127.0.0.1:{free_port()}", f"http://{site}/garbage")
    assert (code, [one["up"] for one in results]) == (1, [True, False, False])
    assert all(one["reason"] for one in results[1:])


def test_nothing_secret_of_an_address_is_shown(site: str) -> None:
    code, results, error = run(f"http://user:geheim@{site}/200?token=geheim", "http://user:geheim@127.0.0.1:x/")
    assert (code, results) == (2, [])
    assert "geheim" not in error
    _, results, _ = run(f"http://user:geheim@{site}/200?token=geheim")
    assert "geheim" not in json.dumps(results)


WRONG = {
    "another scheme": (["ftp://x/"], "is no target"),
    "no scheme": (["example.org"], "is no target"),
    "tcp without a port": (["tcp://x"], "is no target"),
    "a port that is none": (["tcp://x:99999"], "has a port that is none"),
    "no time": (["--timeout", "0", "tcp://x:1"], "seconds above 0"),
    "certificates that are not there": (["--ca-file", "/nowhere", "tcp://x:1"], "cannot be read as certificates"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_exit_code_2(case: str) -> None:
    arguments, message = WRONG[case]
    code, results, error = run(*arguments)
    assert (code, results) == (2, [])
    assert message in error


def test_a_certificate_is_checked_and_its_days_are_counted(tmp_path: Path) -> None:
    with TlsRegistry(Store(), tmp_path) as registry:
        target = f"https://{registry.address}/v2/"
        code, (trusted,), _ = run("--ca-file", str(registry.ca_file), target)
        assert (code, trusted["up"]) == (0, True)
        assert 0 < float(str(trusted["certificate_days"])) < 1
        code, (ending,), _ = run("--ca-file", str(registry.ca_file), "--min-days", "7", target)
        assert (code, ending["up"]) == (1, False)
        assert str(ending["reason"]).startswith("its certificate ends in 0.0 days")
        code, (stranger,), _ = run(target)
    assert code == 1
    assert str(stranger["reason"]).startswith("its certificate is not trusted: ")


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_it_watches_and_serves_until_it_is_ended(site: str) -> None:
    port, gone = free_port(), free_port()
    command = [sys.executable, "-I", str(PROBE), "--bind", "127.0.0.1", "--listen", str(port), "--every", "0.2"]
    with subprocess.Popen([*command, f"http://{site}/", f"tcp://127.0.0.1:{gone}"]) as process:
        try:
            end = time.monotonic() + 15
            while time.monotonic() < end:
                try:
                    if "up{" in get(port, "/metrics")[1]:
                        break
                except OSError:
                    pass
                time.sleep(0.05)
            assert get(port, "/health") == (200, "ok\n")
            status, text = get(port, "/ready")
            assert (status, text.startswith(f"tcp://127.0.0.1:{gone}: ")) == (503, True)
            page = get(port, "/metrics")[1]
            assert f'skerry_probe_up{{target="http://{site}/"}} 1\n' in page
            assert f'skerry_probe_up{{target="tcp://127.0.0.1:{gone}"}} 0\n' in page
            assert get(port, "/else")[0] == 404
            with socket.create_server(("127.0.0.1", gone)):
                end = time.monotonic() + 15
                while get(port, "/ready")[0] != 200 and time.monotonic() < end:
                    time.sleep(0.05)
                assert get(port, "/ready") == (200, "ok\n")
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


def test_a_label_of_a_metric_cannot_be_broken_out_of(program: Callable[[str], ModuleType]) -> None:
    module = program("health-probe/probe.py")
    page = module.metrics([module.Result('http://a/"} 1\nfake 1\\', True, 0.1)])
    assert 'skerry_probe_up{target="http://a/\\"} 1\\nfake 1\\\\"} 1' in page
    assert "\nfake" not in page


@pytest.mark.parametrize("path", ["health-probe/probe.py", "load-test/load.py", "stand-in/service.py"])
def test_a_program_needs_the_standard_library_alone(path: str) -> None:
    tree = ast.parse((PROBE.parents[1] / path).read_text(encoding="utf-8"))
    roots = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    roots |= {f"{node.module}".split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert roots <= set(sys.stdlib_module_names)


def test_the_programs_are_typed(tmp_path: Path) -> None:
    files = [str(PROBE), *(str(PROBE.parents[1] / one) for one in ("stand-in/service.py", "load-test/load.py"))]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.11", "--cache-dir", str(tmp_path), *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "Success: no issues found in 3 source files\n")
