"""The typed configuration of a deployment: its model, its checks and its JSON Schema."""
