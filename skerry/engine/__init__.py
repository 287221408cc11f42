"""The embedded engine: runs a Pulumi Python program in process and yields its resource graph."""
