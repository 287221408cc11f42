"""What must be so before a deployment starts: quotas, addresses, machines, rights, and what people do by hand."""
