"""The command line: each command is `add_NAME`, with its options, and NAME, which does it.

A module of commands ends with `ADD`, its `add_` functions in the order of `--help`. Nothing heavy is imported before
a command runs. A command returns None, or an exit code.
"""
