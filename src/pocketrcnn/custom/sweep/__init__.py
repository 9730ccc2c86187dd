"""`pocketrcnn sweep`: several values of settings, by any number of processes and machines on one folder.

space     what is varied: lists and ranges of values
options   what `sweep` is given
sampling  what the next trial tries; of ranges Optuna chooses
record    what the folder of a sweep holds
working   the trials that lack, one after the other
"""
