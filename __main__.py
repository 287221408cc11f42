"""`pulumi up` starts here: the stack's configuration becomes a deployment."""

import pulumi

from components.blueprints import sensei
from skerry.config.load import load_spec
from skerry.config.spec import CONFIG_KEY

config = pulumi.Config("skerry")
spec = load_spec(config.get_object(CONFIG_KEY.partition(":")[2]), f"config of stack {pulumi.get_stack()}")
for key, value in sensei.deploy(spec, config).items():
    pulumi.export(key, value)
