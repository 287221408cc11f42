"""What a report looks like: text, JSON, SARIF and JUnit; each a pure function `Report -> str`."""
