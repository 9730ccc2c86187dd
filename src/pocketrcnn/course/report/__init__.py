"""The report of `reproduce`: one HTML file made from `results.json` alone; and the page of a class, made from many.

records       results.json as typed objects
page          the page: its sections in order
comparison    the published numbers beside ours
experiment    section of one experiment
networks      section B4: base networks side by side
gallery       crops, and detections of F2, F3 and F4
observations  A1 to A7: verdicts, a section for each
measures      names and units of what observations compare
explained     one sentence on each observation
class_page    the page of a class: each student's number, the report's, the spread
groups        numbers of a class by experiment and settings
closing       errata, definitions, how to reproduce
metrics       names and units of metrics, and the published values
charts        charts of these sections
curves        curves to panels and words
tables        tables that sections share
text/         the sentences of the page
"""
