"""The command line: each command is `add_NAME`, with its options, and NAME, which does it.

A module of commands ends with `ADD`, its `add_` functions in the order of `--help`. Nothing heavy is imported before
a command runs. A command returns None, or an exit code.

main      the entry point, and how errors leave it
parsing   argparse, with errors of one line that name the nearest word
data      check, convert
detector  train, resume, eval, predict, export
course    reproduce, download, scenes
measure   costs, bench, report
tables    what the measuring commands print
"""
