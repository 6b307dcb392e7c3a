"""The one error of the library, apart so that catching it costs no ctypes."""

# enum vmsnap_rc
ARGUMENT = -1
NO_MEMORY = -2
SYSTEM = -3
NO_PROCESS = -5
ZOMBIE = -7
PERMISSION = -8
EXITED = -9
EXECED = -10
NOT_FOUND = -16
CANCELLED = -17


class VmsnapError(Exception):
    """The library said no.  code is one of the numbers above, sys_errno an errno
    or 0, position an offset or a line; the text is fit for a terminal."""

    def __init__(self, message, code=ARGUMENT, sys_errno=0, position=0):
        super().__init__(message)
        self.code = code
        self.sys_errno = sys_errno
        self.position = position
