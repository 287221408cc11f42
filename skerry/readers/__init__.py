"""Reads what the Pulumi command prints into the resource graph, so that every reader works for any Pulumi program."""
