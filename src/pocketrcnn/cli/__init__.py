"""The command line: each command is a function, its parameters are the options, its docstring is the help.

`main.COMMANDS` names them; `options` makes argparse of them. Nothing heavy is imported before a command runs. A command
returns None, or an exit code.

main      the entry point, and how errors leave it
options   functions and dataclasses to argparse
parsing   argparse, with errors of one line that name the nearest word
data      check, convert
detector  train, resume, sweep, eval, predict, export
course    reproduce, download, scenes
measure   costs, bench, report
tables    what the measuring commands print
"""
