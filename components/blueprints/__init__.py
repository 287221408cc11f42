"""One module a system: a deployment from its configuration."""
