"""Modules by need: a program that looks at them, pickles, patches or reloads them sees no difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.simulators.import_runs import in_run, in_runs


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


LOOK = """
        import pulumi_aws.sqs as sqs
        sqs.QueuePolicy
"""
"""The SDK itself hides a subpackage behind a module of its own until a name is asked for."""

SEEN: dict[str, tuple[str, Any]] = {
    "a class is the one of its own module": (
        "import pulumi_aws as aws\nimport pulumi_aws.ec2.vpc as m\nresult = m.Vpc is aws.ec2.Vpc is aws.ec2.vpc.Vpc",
        True,
    ),
    "nested arguments are the same class from everywhere": (
        """
        import pulumi_aws as aws
        from pulumi_aws.ec2 import InstanceRootBlockDeviceArgs as one
        result = one is aws.ec2._inputs.InstanceRootBlockDeviceArgs is aws.ec2.instance.InstanceRootBlockDeviceArgs
        """,
        True,
    ),
    "a function that bears its module's name stays a function": (
        """
        import pulumi_aws as aws
        aws.ec2.Vpc
        import pulumi_aws.ec2.get_ami
        from pulumi_aws.ec2 import get_ami
        module = sys.modules["pulumi_aws.ec2.get_ami"]
        result = [callable(get_ami), aws.ec2.get_ami is get_ami, module.get_ami is get_ami]
        """,
        [True, True, True],
    ),
    "what is not there is missed as always": (
        """
        import pulumi_aws as aws
        try:
            aws.sqs.Quue
        except AttributeError as exc:
            result = [str(exc), hasattr(aws.sqs, "_no"), hasattr(aws.sqs, "__no__")]
        """,
        ["module 'pulumi_aws.sqs' has no attribute 'Quue'", False, False],
    ),
    "an import of what is not there fails": (
        """
        try:
            from pulumi_aws.sqs import Quue
        except ImportError as exc:
            result = str(exc).split(" (")[0]
        """,
        "cannot import name 'Quue' from 'pulumi_aws.sqs'",
    ),
    "a name that a program replaces stays replaced": (
        """
        import pulumi_aws as aws
        aws.sqs.Queue = "mine"
        from pulumi_aws.sqs import Queue
        result = [Queue, aws.sqs.Queue, vars(aws.sqs)["Queue"], aws.sqs.queue.Queue.__name__]
        """,
        ["mine", "mine", "mine", "Queue"],
    ),
    "a name that a program deletes is gone": (
        LOOK
        + """
        del sqs.Queue
        vars(sqs).pop("get_queue")
        result = [hasattr(sqs, "Queue"), "Queue" in dir(sqs), hasattr(sqs, "get_queue"), sqs.queue.Queue.__name__]
        """,
        [False, False, False, "Queue"],
    ),
    "a class that is patched where it is defined stays what it was elsewhere": (
        LOOK
        + """
        from unittest import mock
        import pulumi_aws.ec2._inputs
        import pulumi_aws as aws
        with mock.patch("pulumi_aws.sqs.queue.Queue") as one:
            aws.ec2._inputs.InstanceRootBlockDeviceArgs = 2
            result = [sqs.queue.Queue is one, sqs.Queue is one, aws.ec2.InstanceRootBlockDeviceArgs == 2]
        """,
        [True, False, False],
    ),
    "a patch is taken back": (
        LOOK
        + """
        from unittest import mock
        with mock.patch("pulumi_aws.sqs.Queue") as one, mock.patch.dict(vars(sqs), {"get_queue": 2}):
            result = [sqs.Queue is one, sqs.get_queue]
        result += [sqs.Queue.__name__, sqs.get_queue.__name__]
        """,
        [True, 2, "Queue", "get_queue"],
    ),
    "a module whose missing names a program answers": (
        LOOK + "\n        sqs.__getattr__ = lambda name: name\n        result = [sqs.foo, sqs.Queue.__name__]\n",
        ["foo", "Queue"],
    ),
    "a module of classes that is loaded anew has new classes, and others keep the old ones": (
        """
        import importlib
        import pulumi_aws as aws
        old = aws.ec2._inputs.InstanceRootBlockDeviceArgs
        other = importlib.reload(aws.ec2._inputs).InstanceRootBlockDeviceArgs
        whole = hasattr(aws.ec2._inputs, "VpcIpamOperatingRegionArgs")
        result = [old is other, aws.ec2.InstanceRootBlockDeviceArgs is old, whole]
        """,
        [False, True, True],
    ),
    "a module of a resource that is loaded anew is whole": (
        """
        import importlib
        import pulumi_aws as aws
        old = aws.ec2.Instance
        module = importlib.reload(sys.modules["pulumi_aws.ec2.instance"])
        result = [module.Instance is old, aws.ec2.Instance is old, "VpcIpamOperatingRegionArgs" in dir(module)]
        """,
        [False, True, True],
    ),
    "no module can be pickled or copied, but dill knows them by name": (
        LOOK
        + """
        import copy, pickle, dill
        result = []
        for work in (pickle.dumps, copy.copy, copy.deepcopy):
            try:
                work(sqs)
            except TypeError as exc:
                result.append(str(exc))
        result.append(dill.loads(dill.dumps(sqs)) is sqs)
        def function():
            return sqs.Queue
        result.append(dill.loads(dill.dumps(function, recurse=True))() is sqs.Queue)
        """,
        ["cannot pickle 'module' object"] * 3 + [True, True],
    ),
    "what a star import brings": (
        """
        names = {}
        exec("from pulumi_aws import *", names)
        exec("from pulumi_aws.ec2._inputs import *", names)
        result = [len(names) > 1000, names["get_region"].__module__, "InstanceRootBlockDeviceArgs" in names]
        """,
        [True, "pulumi_aws.get_region", True],
    ),
    "an inspector sees every member": (
        LOOK
        + """
        import inspect
        from unittest import mock
        classes = [name for name, _ in inspect.getmembers(sqs, inspect.isclass)]
        double = mock.create_autospec(sqs)
        result = ["RedrivePolicyArgs" in classes, [name for name in classes if not hasattr(double, name)]]
        """,
        [True, []],
    ),
    "a module is one, and says where it is from": (
        LOOK
        + """
        import inspect, types
        import pulumi_aws.ec2._inputs as inputs
        result = [inspect.ismodule(sqs), repr(sqs).split()[:2], sqs.__spec__.name]
        result += [inspect.getsource(inputs) == open(inputs.__file__).read()]
        result += [inspect.getmodule(inputs.InstanceRootBlockDeviceArgs) is inputs]
        """,
        [True, ["<module", "'pulumi_aws.sqs'"], "pulumi_aws.sqs", True, True],
    ),
    "enumerations can be pickled": (
        """
        import pickle
        import pulumi_aws as aws
        kind = aws.ec2.InstanceType.T3_MICRO
        result = [pickle.loads(pickle.dumps(kind)) is kind]
        """,
        [True],
    ),
    "a module that is loaded anew is whole": (
        """
        import importlib
        import pulumi_aws as aws
        aws.sqs.Queue
        result = importlib.reload(aws.sqs).QueuePolicy.__module__
        """,
        "pulumi_aws.sqs.queue_policy",
    ),
    "the source of a class is its own": (
        """
        import inspect
        import pulumi_aws as aws
        cls = aws.ec2.InstanceRootBlockDeviceArgs
        lines, first = inspect.getsourcelines(cls)
        text = open(inspect.getsourcefile(cls)).read().split("\\n")
        result = [text[first].startswith("class InstanceRootBlockDeviceArgs"), lines[1].strip() == text[first].strip()]
        """,
        [True, True],
    ),
    "the line of a function inside a class is its own": (
        """
        import inspect
        import pulumi_aws as aws
        code = aws.ec2.InstanceRootBlockDeviceArgs.__init__.__code__
        text = open(code.co_filename).read().split("\\n")
        result = text[code.co_firstlineno - 1].strip()
        """,
        "def __init__(__self__, *,",
    ),
    "a class that inherits from a generated one keeps its hints": (
        """
        import typing
        import pulumi
        import pulumi_aws as aws
        class Mine(aws.ec2.Instance):
            pass
        hints = typing.get_type_hints(Mine._internal_init, localns={"Output": pulumi.Output, "T": int})
        result = "pulumi_aws.ec2._inputs.InstanceRootBlockDeviceArgs" in str(hints["root_block_device"])
        """,
        True,
    ),
}


@pytest.fixture(scope="module")
def seen(cache: Path) -> dict[bool, dict[str, Any]]:
    programs = [program for program, _ in SEEN.values()]
    return {eager: dict(zip(SEEN, in_runs(programs, cache, eager=eager), strict=True)) for eager in (False, True)}


@pytest.mark.parametrize("case", SEEN)
@pytest.mark.parametrize("eager", [False, True], ids=["by need", "as always"])
def test_a_program_sees_no_difference(seen: dict[bool, dict[str, Any]], case: str, eager: bool) -> None:
    assert SEEN[case][1] == seen[eager][case]


def test_threads_find_the_same_classes(cache: Path) -> None:
    # The SDK's own way of loading a subpackage fails here.
    program = """
    import threading
    import pulumi_aws.ec2 as ec2
    names, found = ec2._inputs.__all__[::9], []
    def look(start):
        found.extend((name, id(getattr(ec2, name))) for name in names[start:] + names[:start])
        found.append(("all", len(vars(ec2))))
    threads = [threading.Thread(target=look, args=(start * 7,)) for start in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    result = [len(found) == 6 * (len(names) + 1), len(set(found)) == len(names) + 1]
    """
    assert in_run(program, cache) == [True, True]
