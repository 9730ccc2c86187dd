"""The one exception that is meant for the person at the keyboard."""


class UserError(ValueError):
    """Something that the user can put right: one line saying what, where, why, and the remedy.

    The command line prints it without a traceback and exits with code 2.
    """
