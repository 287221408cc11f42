"""What a platform team runs beside the tiers: a gateway, certificates, secrets from outside, monitoring."""
