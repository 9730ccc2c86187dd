"""Story 2: the report of the course of 2017, reproduced.

experiments   networks, recipes, experiments, published numbers, as data
observations  the report's claims A1 to A7: arms and comparisons, as data
only          what `--only` names
options       the options of `reproduce`
plan          which runs are needed, where they live
reproduce     `pocketrcnn reproduce`: train, compare, report
students      the results.json of many students, for `pocketrcnn report class/*`
results       finished runs to results.json
decided       which observations the finished runs decide
observed      an observation with its arms, for results.json
quantities    what is measured of a run for an observation
verdicts      the rule: confirmed, refuted, undecided
shown         results on the terminal
pictures      crops and detections for the report
data/         CIFAR-10 and the scenes made of it
report/       results.json to report.html
bench         times: an iteration against a matrix product, networks against each other
"""
