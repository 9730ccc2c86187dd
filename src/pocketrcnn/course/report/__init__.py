"""The report of `reproduce`: one HTML file made from `results.json` alone.

records     results.json as typed objects
page        the page: its sections in order
comparison  the published numbers beside ours
networks    sections B1 to B4
detectors   sections R1 to F4
closing     errata, definitions, how to reproduce
curves      curves to panels and words
tables      tables that sections share
"""
