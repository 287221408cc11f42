"""What a program does to the process that it shares with Skerry: its output and input, its end, what it leaves."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.engine.run import run_program
from skerry.errors import ProgramError

MakeProject = Callable[..., Path]
ROOT = Path(__file__).resolve().parent.parent.parent
ENDINGS = {
    "os._exit at the end of a program": ("import os\nThing('a')\nos._exit(0)\n", "os._exit(0), which ends no program"),
    "os._exit with a code": ("import os\nos._exit(5)\n", "os._exit(5), which ends no program"),
    "a question to the user": ("name = input('name? ')\n", "EOFError"),
    "a thread that never ends": (
        "import threading, time\ndef spin(end=time.monotonic() + 3):\n    while time.monotonic() < end:\n"
        "        time.sleep(0.05)\nthreading.Thread(target=spin, name='spinner').start()\n",
        "it waits for its thread 'spinner' at __main__.py",
    ),
    "an apply deep in components, in an input": (
        "def body(parent):\n"
        "    one = Thing('one', {'made': 'x'}, Opts(parent=parent))\n"
        "    Thing('two', {'made': one.made.apply(lambda made: int(made))}, Opts(parent=parent))\n"
        "Group('top', body=lambda top: Group('inner', opts=Opts(parent=top), body=body))\n",
        "ValueError: invalid literal for int() with base 10: 'x' (while registering sim:core:Thing 'two' of __main__",
    ),
    "an apply in the outputs of a component": (
        "class Deep(pulumi.ComponentResource):\n"
        "    def __init__(self, name):\n"
        "        super().__init__('pkg:index:Deep', name, {})\n"
        "        one = Thing('one', {'made': 'x'}, Opts(parent=self))\n"
        "        self.register_outputs({'count': one.made.apply(lambda made: int(made))})\n"
        "Deep('top')\n",
        "(while registering the outputs of pkg:index:Deep 'top', output 'count')",
    ),
    "an apply in what the stack exports": (
        "pulumi.export('rate', Thing('one', {'made': 0}).made.apply(lambda made: 1 / made))\n",
        "ZeroDivisionError: float division by zero (while registering the outputs of the stack, output 'rate')",
    ),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_a_program_that_ends_badly_is_told_its_line(case: str, make_project: MakeProject) -> None:
    program, message = ENDINGS[case]
    with pytest.raises(ProgramError) as failed:
        run_program(make_project(program), "dev", timeout_s=1 if "thread" in case else 60)
    assert message in str(failed.value)
    assert "__main__.py:" in str(failed.value)
    assert " object at 0x" not in str(failed.value)


def test_the_process_has_its_input_its_output_and_its_exit_back(make_project: MakeProject) -> None:
    before = (sys.stdin, sys.stdout, os._exit, os.fstat(0), os.fstat(1).st_ino)
    with pytest.raises(ProgramError):
        run_program(make_project("import os\nos._exit(1)\n"), "dev")
    assert (sys.stdin, sys.stdout, os._exit, os.fstat(0), os.fstat(1).st_ino) == before


def test_what_a_child_process_prints_is_no_part_of_the_result(
    make_project: MakeProject, capfd: pytest.CaptureFixture[str]
) -> None:
    program = "import os, subprocess\nos.system('echo from a shell')\nsubprocess.run(['echo', 'from a child'])\n"
    run_program(make_project(program), "dev")
    out, err = capfd.readouterr()
    assert out == ""
    assert "from a shell" in err and "from a child" in err


def test_children_of_a_program_live_and_end_as_they_like(make_project: MakeProject) -> None:
    program = """
    import os
    from concurrent.futures import ThreadPoolExecutor

    child = os.fork()
    if child == 0:
        os._exit(7)
    pulumi.export("code", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    pulumi.export("pooled", ThreadPoolExecutor(1).submit(lambda: 3).result())
    """
    graph = run_program(make_project(program), "dev")
    assert graph.stack_outputs("dev") == {"code": 7, "pooled": 3}


def test_threads_that_end_are_waited_for(make_project: MakeProject, tmp_path: Path) -> None:
    program = f"""
    import pathlib, threading, time
    def late():
        time.sleep(0.3)
        pathlib.Path({str(tmp_path / "late")!r}).touch()
    threading.Thread(target=late).start()
    """
    run_program(make_project(program), "dev")
    assert (tmp_path / "late").exists()


LOST = {
    "a task that raised": ("    raise LookupError('hunter2 is no key')", "it failed with LookupError at __main__.py:"),
    "a task that never ends": ("    await asyncio.Event().wait()", "it waits for an await at __main__.py:"),
}


@pytest.mark.parametrize("case", LOST)
def test_a_task_that_nobody_awaits_is_told(
    case: str, make_project: MakeProject, caplog: pytest.LogCaptureFixture
) -> None:
    body, message = LOST[case]
    program = "import asyncio\nasync def work():\n    Thing('made')\n" + body + "\n"
    with caplog.at_level(logging.WARNING):
        graph = run_program(make_project(program + "kept = asyncio.get_event_loop().create_task(work())\n"), "dev")
    assert [resource.name for resource in graph.resources if resource.custom] == ["made"]
    assert message in caplog.text
    assert "hunter2" not in caplog.text.partition("raise")[0], "the message may hold a secret"


def test_a_task_that_is_awaited_is_nobody_s_loss(make_project: MakeProject, caplog: pytest.LogCaptureFixture) -> None:
    program = "async def name():\n    return 'x'\nThing('a', {'made': Output.from_input(name())})\n"
    run_program(make_project(program), "dev")
    assert caplog.text == ""


def test_the_command_ends_though_a_thread_of_the_program_does_not(make_project: MakeProject) -> None:
    program = "import threading, time\nthreading.Thread(target=lambda: time.sleep(600)).start()\n"
    code = "import skerry.engine.run as run, sys; run._TIMEOUT_S = 0.5; from cli.main import main; sys.exit(main())"
    argv = [sys.executable, "-c", code, "preview", "--program", str(make_project(program)), "--stack", "dev"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "it waits for its thread 'Thread-" in done.stderr
