"""What all commands share: the options for seed, threads and device, and how an error ends a command."""

import errno
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from pharmacell import __version__
from pharmacell.core.errors import InputError
from pharmacell.core.options import option
from pharmacell.core.settings import Run

OUT_OF_MEMORY = 137  # what a kill for memory gives; the pipeline's retry rule asks for more memory on it
UNWRITABLE = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST)
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class OneLineErrors:
    """Ends a click command with one line: exit code 1 for bad input, 137 for lack of memory."""

    name: str | None

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run the command and exit.

        Parameters
        ----------
        *args, **kwargs
            Those of :meth:`click.Command.main`.
        """
        kwargs["standalone_mode"] = False
        try:
            sys.exit(super().main(*args, **kwargs) or 0)  # type: ignore[misc]  # of the click class beside it
        except click.exceptions.Abort:
            fail("stopped by the user", 130)
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            fail(f"{error.format_message()} ('{context.command_path if context else self.name} --help' lists more)", 1)
        except InputError as error:
            fail(str(error), 1)
        except OSError as error:
            if error.errno not in UNWRITABLE:
                raise
            fail(f"{error.filename or 'output folder'}: {error.strerror}; free some space or choose another folder", 1)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            fail(f"out of memory: {(str(error) or 'an allocation failed').splitlines()[0]}", OUT_OF_MEMORY)


class Command(OneLineErrors, click.Command):
    """A step."""


class Group(OneLineErrors, click.Group):
    """A command whose subcommands are the steps."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that host or device memory ran out.

    Parameters
    ----------
    error
        What ended the command.
    """
    if isinstance(error, MemoryError):
        return True
    return any(words in str(error) for words in ("out of memory", "can't allocate memory", "not enough memory"))


def fail(message: str, code: int) -> NoReturn:
    """Print one line to standard error and exit.

    Parameters
    ----------
    message
        What went wrong and what to do; line breaks become spaces.
    code
        Exit status.
    """
    click.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(code)


def set_threads(_context: click.Context, _parameter: click.Parameter, threads: int) -> int:
    """Set the thread count of the numerical libraries; runs before any of them is imported.

    Threads that wait for each other sleep: by OpenMP's default they spin, and where another program has one of the
    cores a step takes three times as long and four times the processor time.

    Parameters
    ----------
    _context, _parameter
        Click's.
    threads
        What the user chose.
    """
    for variable in THREAD_VARIABLES:
        if variable == "NUMBA_NUM_THREADS" and "numba" in sys.modules:
            continue  # numba refuses another count once its threads run: a second command in the same process
        os.environ[variable] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    return threads


def command(name: str) -> Callable:
    """Turn a function into a command with ``--seed``, ``--threads``, ``--device`` and the project's error handling.

    Parameters
    ----------
    name
        The command's name, as in ``bin/<name>.py``.

    Notes
    -----
    The function receives ``seed`` (int), ``threads`` (int, already applied through the environment) and ``device``
    (``auto``, ``cpu`` or ``cuda``) beside its own options. Import heavy libraries inside the function.
    """

    def wrap(function: Callable) -> click.Command:
        shared = (
            click.version_option(__version__, prog_name="pharmacell"),
            option(Run, "device"),
            click.option(
                "--threads",
                type=click.IntRange(min=1),
                default=os.cpu_count(),
                is_eager=True,
                callback=set_threads,
                show_default="all cores",
                help="CPU threads.",
            ),
            option(Run, "seed"),
        )
        for each in shared:
            function = each(function)
        settings = {"show_default": True, "max_content_width": 110}
        return click.command(name, cls=Command, context_settings=settings)(function)

    return wrap
