"""`pulumi up` starts here: the stack's configuration becomes a deployment."""

import pulumi

from components.blueprints import systems
from components.configuration import read_spec

config = pulumi.Config("skerry")
for key, value in systems.deploy(read_spec(config), config).items():
    pulumi.export(key, value)
