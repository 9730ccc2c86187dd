"""The commands as functions: what `pocketrcnn.train` and its like are, and what the command line calls, too.

Each says what its command says, unless `quiet`; lines go to the logger `pocketrcnn` once that has a level or a handler
(`terminal.to_logger`). Each raises UserError where the command would end with one. No torch when they are imported.

data      check, convert
training  train, resume, evaluate, write_report; the run that they return
sweeping  sweep, and what it returns
detecting  predict, export
in_parts   merge, and predict in parts
predicted  what these have written
explaining  explain
telling   whether anything is said, and to whom
"""
