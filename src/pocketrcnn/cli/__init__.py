"""The command line: each command is a function, its parameters are the options, its docstring is the help.

`main.COMMANDS` names them; `options` makes argparse of them. Nothing heavy is imported before a command runs. A command
returns None, or an exit code.
"""
