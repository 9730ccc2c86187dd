"""How a network learns, and the folder that it leaves.

loop          the training loop
optim         Muon, schedules, averaged weights
group         the processes that train together, as the loop sees them: here one
ranks         several: data parallel, by torch.distributed
joining       how they come together, and end
launch        what torchrun tells a process
phases        training in phases: which parts learn, on which regions
finite        numbers that are not finite: noticed before they reach the weights
state         what changes during training; what a checkpoint holds
fit           a run from beginning to end: resuming, evaluations, checkpoints around the loop
clock         as many iterations as the minutes allow
progress      the live line on the terminal, of a run or of a set
watchers      who hears of evaluations: a program's callback, TensorBoard
signals       Ctrl-C and SIGTERM, noted
run           the folder of a run
forms         what the files of a run hold, checked when they are read
config_file   a configuration as YAML, and back
limits        how large numbers of a configuration can be
schema1       what schema 1 called settings and metrics
checkpoint    tensors in files: atomic, verified, never a pickle
device        device, precision, memory
machine       versions and hardware
threads       how many threads of the processor
measured      what was measured once on this machine, and is kept
side_by_side  a set of runs, several at a time where that is faster
processes     child processes of one thread each
shares        what an iteration spends its time on
timing        two pieces of work timed in turn
"""
