"""Pulumi components: what a deployment is made of."""
