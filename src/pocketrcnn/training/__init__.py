"""How a network learns, and the folder that it leaves.

loop         the training loop
optim        Muon, schedules, averaged weights
state        what changes during training; what a checkpoint holds
fit          a run from beginning to end: resuming, evaluations, checkpoints around the loop
clock        as many iterations as the minutes allow
progress     the live line on the terminal
signals      Ctrl-C and SIGTERM, noted
run          the folder of a run
config_file  a configuration as YAML, and back
checkpoint   tensors in files: atomic, verified, never a pickle
files        files that are there whole or not at all
device       device, number format, memory
machine      versions and hardware
timing       two pieces of work timed in turn
"""
