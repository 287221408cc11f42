"""What each system other than Sensei is made of: its own configuration as a plan of services."""
