"""Promises of reliability, each put to the test by one command: `python -m campaigns ROW`. Not installed.

__main__  the command line
campaign  what a campaign is: seeded trials, counted; failures are kept
rows      the campaigns by name
"""
