"""The rules, their runner and their reports: is this deployment allowed?"""
