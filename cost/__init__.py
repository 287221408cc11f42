"""What a deployment costs: the price book, resource to cost components, the estimate and its report."""
