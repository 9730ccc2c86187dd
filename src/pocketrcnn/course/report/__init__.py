"""The report of `reproduce`: one HTML file made from `results.json` alone.

records     results.json as typed objects
page        the page: its sections in order
comparison  the published numbers beside ours
experiment  the section of one experiment
networks    B4: the base networks side by side
gallery     F1 and the detections, as pictures
closing     errata, definitions, how to reproduce
curves      curves to charts and words
tables      tables that sections share
charts      charts that only this report has
metrics     names, units and published values of metrics
text/       the sentences
"""
