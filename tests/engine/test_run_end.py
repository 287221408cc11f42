"""Programs that do not end are cut and named, and a run leaves process and SDK as they were."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
import pytest
from pulumi.runtime import resource as sdk_resource
from pulumi.runtime import rpc as sdk_rpc
from pulumi.runtime import stack as sdk_stack

from skerry.engine.run import run_program
from skerry.errors import ConfigError, ProgramError

MakeProject = Callable[..., Path]

HANGS = {
    "a future as an input": (
        'import asyncio\nThing("t", {"ok": 1, "x": asyncio.get_running_loop().create_future()})\n',
        "it waits for a value that sim:core:Thing 't' of __main__.py:{second}, input x needs",
    ),
    "many that wait for the first": (
        "import asyncio\nlast = Thing('first', {'x': asyncio.get_running_loop().create_future()})\n"
        "for n in range(9):\n    last = Thing(f'n{n}', {'x': last.made})\n",
        "it waits for a value that sim:core:Thing 'first' of __main__.py:{second}, input x, sim:core:Thing 'n0' of",
    ),
    "an await of the program": (
        "import asyncio\nasync def wait():\n    await asyncio.Event().wait()\nThing('t', {'x': wait()})\n",
        "it waits for an await at __main__.py:{third} in wait and a value that sim:core:Thing 't' of "
        "__main__.py:{fourth}, input x needs\n    await asyncio.Event().wait()",
    ),
    "an output that is never resolved": (
        "import asyncio\nOutput.from_input(asyncio.get_running_loop().create_future())\n",
        "it waits for an output that is never resolved",
    ),
    "a wait inside a plain call": (
        "import asyncio\nfrom pulumi.runtime.sync_await import _sync_await\n_sync_await(asyncio.Event().wait())\n",
        "the program did not end within 0.3 s",
    ),
    "a call that blocks": (
        "import time\ntime.sleep(60)\n",
        "it waits for a loop or a blocking call at __main__.py:{second}\n    time.sleep(60)",
    ),
    "a loop without end": ("while True:\n    pass\n", "the program did not end within 0.3 s; it waits for a loop or"),
}


@pytest.mark.parametrize(("program", "message"), list(HANGS.values()), ids=list(HANGS))
def test_a_program_that_does_not_end_is_cut_and_named(
    make_project: MakeProject, first_line: int, program: str, message: str
) -> None:
    with pytest.raises(ProgramError) as caught:
        run_program(make_project(program), "dev", timeout_s=0.3)
    assert message.format(second=first_line + 1, third=first_line + 2, fourth=first_line + 3) in str(caught.value)


def test_a_program_in_another_thread_is_cut_too(make_project: MakeProject) -> None:
    program = make_project("while True:\n    pass\n")
    with ThreadPoolExecutor(1) as pool, pytest.raises(ProgramError, match="did not end within"):
        pool.submit(run_program, program, "dev", timeout_s=0.3).result(20)


def test_an_interrupt_of_the_user_is_passed_on(make_project: MakeProject) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_program(make_project("raise KeyboardInterrupt\n"), "dev")


def test_a_run_after_a_failed_one_is_whole(make_project: MakeProject) -> None:
    failing = make_project('Thing("a")\nraise ValueError("x")\n', folder="failing")
    hanging = make_project(HANGS["a future as an input"][0], folder="hanging")
    good = make_project('Thing("a")\npulumi.export("x", 1)\n', folder="good")
    for program in (failing, hanging):
        with pytest.raises(ProgramError):
            run_program(program, "dev", timeout_s=0.3)
    graph = run_program(good, "dev")
    assert [resource.name for resource in graph.resources] == ["demo-dev", "a"]
    assert graph.stack_outputs("dev") == {"x": 1}


def test_an_exit_without_a_code_keeps_what_was_registered(make_project: MakeProject) -> None:
    graph = run_program(make_project('Thing("a")\nimport sys\nsys.exit(0)\n'), "dev")
    assert [resource.name for resource in graph.resources] == ["demo-dev", "a"]


def test_the_program_writes_to_stderr_only(
    make_project: MakeProject, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    program = 'print("said")\npulumi.log.info("noted")\npulumi.log.warn("warned", Thing("t"))\n'
    with caplog.at_level(logging.DEBUG):
        run_program(make_project(program), "dev")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["said", "info: noted", "warning: warned"]


def test_the_process_is_left_as_it_was(make_project: MakeProject) -> None:
    before = (list(sys.path), list(sys.argv), sys.modules["__main__"], Path.cwd(), sys.stdout)
    run_program(make_project('import helper_of_this_test\nThing("a")\n', files={"helper_of_this_test.py": ""}), "dev")
    assert before == (list(sys.path), list(sys.argv), sys.modules["__main__"], Path.cwd(), sys.stdout)


def test_the_sdk_is_left_as_it_was(make_project: MakeProject) -> None:
    owners = (pulumi.Config, pulumi.Output, pulumi.StackReference, sdk_resource, sdk_rpc, sdk_stack)
    before = [dict(vars(owner)) for owner in owners]
    run_program(make_project('Thing("a")\npulumi.StackReference("x")\n'), "dev")
    with pytest.raises(ProgramError):
        run_program(make_project("raise ValueError\n", folder="failing"), "dev")
    for owner, known in zip(owners, before, strict=True):
        assert {name for name, value in known.items() if vars(owner)[name] is not value} == set()
    assert pulumi.runtime.settings.get_root_resource() is None


def test_two_programs_do_not_share_modules_of_one_name(make_project: MakeProject) -> None:
    main = "import parts\nfrom parts import deep\nThing(parts.NAME + deep.NAME)\n"
    folders = {
        name: make_project(
            main, folder=name, files={"parts/__init__.py": f"NAME = '{name}'\n", "parts/deep.py": f"NAME = '-{name}'\n"}
        )
        for name in ("one", "two")
    }
    names = [run_program(folders[name], "dev").resources[1].name for name in ("one", "two", "one")]
    assert names == ["one-one", "two-two", "one-one"]


def test_modules_of_a_program_stay_loaded(make_project: MakeProject) -> None:
    program = make_project("import counted\nThing(str(counted.LOADED))\n", files={"counted.py": "LOADED = object()\n"})
    first, second = (run_program(program, "dev").resources[1].name for _ in range(2))
    assert first == second


def test_a_stack_that_does_not_exist_is_a_config_error(make_project: MakeProject) -> None:
    with pytest.raises(ConfigError):
        run_program(make_project(""), "prod")
