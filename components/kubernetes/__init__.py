"""What every cluster has: pools, workloads, policies, operators."""
