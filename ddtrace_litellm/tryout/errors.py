"""The error that a tryout ends in."""


class TryoutError(Exception):
    """The program could not be run or watched. The message is one sentence for the user.

    Args:
        message: what is wrong, with the value that is wrong.
        status: the exit status that says so: 2 for a wrong command line or a missing package, 126 and 127 for the
            program as a shell uses them, 1 for the rest.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
