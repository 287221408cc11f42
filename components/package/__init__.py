"""What other Pulumi languages see of the components: arguments, outputs, and the provider that makes them."""
