"""`pulumi up` starts here: the stack's configuration becomes a deployment."""

import pulumi

from components.blueprints import sensei
from components.configuration import read_spec

config = pulumi.Config("skerry")
for key, value in sensei.deploy(read_spec(config), config).items():
    pulumi.export(key, value)
