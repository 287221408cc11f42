"""The cognitive, execution and meta tiers."""
