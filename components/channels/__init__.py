"""What joins the tiers: pub/sub, workflows, rpc, object store."""
