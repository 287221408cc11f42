"""Resource graphs from what the Pulumi command writes: a preview's document and an exported state."""
