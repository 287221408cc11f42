"""Network, cluster and managed services on AWS."""
