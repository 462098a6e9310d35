"""What a new child runs just before it becomes the program it was started for.

It gives up root where the program must not have it, and has the kernel signal the program as soon as
the parent is gone. Only in this order: changing the user clears the request for the signal. It is run by
path and isolated (`python -I -S leash.py ...`), so it must not import anything of ours.

Only Linux can tell a child of its parent's end, and leave a right to who gives up root; elsewhere children of
a killed parent run on, and closed directories stay closed to them.
"""

import ctypes
import os
import struct
import sys

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_READ_SEARCH = 2


def become(uid: int, gid: int, *, reach: bool) -> None:
    """Change to this user; with `reach`, keep the right to pass through closed directories.

    That right is what lets a server that refuses root work on files below root's own 0700 home.
    """
    if sys.platform == "linux" and reach:
        ctypes.CDLL(None).prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if sys.platform == "linux" and reach:
        libc = ctypes.CDLL(None)
        low = 1 << _CAP_DAC_READ_SEARCH
        libc.capset(struct.pack("Ii", _CAPABILITY_VERSION_3, 0), struct.pack("6I", low, low, low, 0, 0, 0))
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)


def main(arguments: list[str]) -> None:
    """Prepare this process as the first arguments say, then replace it by the program in the rest."""
    parent, orphan_signal, uid, gid, reach = map(int, arguments[:5])
    program = arguments[5:]
    if uid:
        become(uid, gid, reach=bool(reach))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, orphan_signal, 0, 0, 0)
    if os.getppid() != parent:  # it went before the kernel was asked to watch it
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(sys.argv[1:])
