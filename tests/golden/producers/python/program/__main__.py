"""Two queues, one of them in a component: what previews of an existing stack are captured from."""

import pulumi
import pulumi_aws as aws


class Box(pulumi.ComponentResource):
    """A queue of its own."""

    def __init__(self, name: str) -> None:
        """Make it."""
        super().__init__("shop:index:Box", name)
        inside = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        self.queue = aws.sqs.Queue("two", delay_seconds=2, opts=inside)
        self.register_outputs({"url": self.queue.url})


one = aws.sqs.Queue("one", delay_seconds=1)
box = Box("box")
aws.sqs.QueuePolicy("policy", queue_url=one.url, policy="{}")
pulumi.export("url", one.url)
