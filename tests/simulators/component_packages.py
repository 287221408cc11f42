"""Component packages in local folders, as texts of files: one of hosted classes, one with a provider of its own."""

from __future__ import annotations

from typing import Final

PROJECT: Final = (
    "name: demo\nruntime: {name: python, options: {virtualenv: .venv}}\nstackConfigDir: stacks\n"
    "packages: {parts: ./parts, own: ./own}\n"
)
_PLUGIN: Final = "runtime: {name: python, options: {virtualenv: ../.venv}}\n"

FILES: Final = {
    "parts/PulumiPlugin.yaml": _PLUGIN + "name: parts\n",
    "parts/__main__.py": """
from pulumi.provider.experimental import component_provider_host

from shelf import Box, Shelf

if __name__ == "__main__":
    component_provider_host(name="parts", components=[Shelf, Box])
""",
    "parts/shelf.py": """
from typing import Optional, TypedDict

import pulumi


class Thing(pulumi.CustomResource):
    made: pulumi.Output[str]

    def __init__(self, name, props, opts=None):
        super().__init__("sim:core:Thing", name, {"made": None, **props}, opts)


class ShelfArgs(TypedDict):
    width: pulumi.Input[int]
    label: Optional[pulumi.Input[str]]


class Shelf(pulumi.ComponentResource):
    board: pulumi.Output[str]
    width: pulumi.Output[int]

    def __init__(self, name: str, args: ShelfArgs, opts: Optional[pulumi.ResourceOptions] = None):
        super().__init__("parts:index:Shelf", name, {}, opts)
        import late_import

        props = {"width": args["width"], "label": args.get("label"), "late": late_import.LATE}
        board = Thing(f"{name}-board", props, pulumi.ResourceOptions(parent=self))
        self.board = board.made
        self.width = pulumi.Output.from_input(args["width"])
        self.register_outputs({"board": self.board, "width": self.width})


class BoxArgs(TypedDict):
    n: pulumi.Input[int]


class Box(pulumi.ComponentResource):
    def __init__(self, name: str, args: BoxArgs, opts: Optional[pulumi.ResourceOptions] = None):
        super().__init__("parts:index:Box", name, {}, opts)
        raise ValueError("no wood")
""",
    "parts/late_import.py": "LATE = 'yes'\n",
    "own/PulumiPlugin.yaml": _PLUGIN + "name: own\n",
    "own/__main__.py": """
import sys

import pulumi
import pulumi.provider as provider


class Lamp(pulumi.ComponentResource):
    def __init__(self, name, inputs, opts=None):
        super().__init__("own:index:Lamp", name, {}, opts)
        self.watts = pulumi.Output.from_input(inputs["watts"])
        self.register_outputs({"watts": self.watts})


class Own(provider.Provider):
    def __init__(self):
        super().__init__("1.0.0")

    def construct(self, name, resource_type, inputs, options=None):
        lamp = Lamp(name, inputs, options)
        return provider.ConstructResult(urn=lamp.urn, state={"watts": lamp.watts})

    def call(self, token, args):
        watts = pulumi.Output.from_input(args["more"]).apply(lambda more: more + 1)
        return provider.CallResult(outputs={"sum": watts, "token": token})


if __name__ == "__main__":
    provider.main(Own(), sys.argv[1:])
""",
}

PROGRAM: Final = """
class Shelf(pulumi.ComponentResource):
    board: pulumi.Output[str]
    width: pulumi.Output[int]

    def __init__(self, name, props, opts=None):
        super().__init__("parts:index:Shelf", name, {"board": None, **props}, opts, remote=True)


class Lamp(pulumi.ComponentResource):
    watts: pulumi.Output[int]

    def __init__(self, name, props, opts=None):
        super().__init__("own:index:Lamp", name, {"watts": None, **props}, opts, remote=True)

    def brighter(self, more):
        return pulumi.runtime.call("own:index:Lamp/brighter", {"__self__": self, "more": more}, self)


provider = Provider("p")
a = Thing("a")
shelf = Shelf("s", {"width": 3, "label": Output.secret("l")},
              Opts(providers=[provider], protect=True, aliases=[Alias(name="was")]))
deep = Shelf("u", {"width": 4, "label": a.made}, Opts(parent=Group("g"), depends_on=[a]))
lamp = Lamp("lamp", {"watts": 40})
Thing("t", {"board": shelf.board, "width": shelf.width, "deep": deep.board, "watts": lamp.watts,
            "sum": lamp.brighter(2).apply(lambda found: found["sum"])})
pulumi.export("width", shelf.width)
"""
"""To be put behind the prelude of tests/engine/conftest.py."""
