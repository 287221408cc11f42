"""The rules, one module a subject; `policies.rules.catalogue` lists them all."""
