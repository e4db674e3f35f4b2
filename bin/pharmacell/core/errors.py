"""The one exception that means: the user's input cannot be used."""


class InputError(Exception):
    """Unusable input.

    The message is one line that says which file, which row or column, what is wrong and what to do. Commands print it
    after ``error:`` and exit with code 1, without a traceback.
    """
