"""Story 2: the report of the course of 2017, reproduced.

experiments  networks, recipes, experiments, published numbers, as data
options      the options of `reproduce`
reproduce    `pocketrcnn reproduce`: train, compare, report
results      finished runs to results.json
pictures     crops and detections for the report
data/        CIFAR-10 and the scenes made of it
report/      results.json to report.html
bench        an iteration against a matrix product
"""
