"""What a worker of the pool gives up before it sees a query: the network, files, other programs, core dumps. Linux only.

Two independent ways to the same end, because neither is allowed everywhere: a network namespace of its own, and a filter on system calls
(seccomp). A store on the disk opens its files as it needs them, so there files are left to Landlock (Linux 5.13), which knows folders. What took effect is
reported, not assumed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # on every architecture
_ASK_VERSION, _PATH_BENEATH, _READ_FILE, _TRUNCATE = 1, 1, 1 << 2, 1 << 14

# Audit architecture and system call numbers, from linux/audit.h and the kernel's tables.
_CALLS = {
    "x86_64": (0xC000003E, {"sockets": (41, 42, 49, 50), "files": (2, 85, 257, 437), "programs": (56, 57, 58, 59, 101, 322, 435)}),
    "aarch64": (0xC00000B7, {"sockets": (198, 200, 201, 203), "files": (56, 437), "programs": (117, 220, 221, 281, 435)}),
}


def die_with_parent(parent: int, signum: int = signal.SIGKILL) -> None:
    """Has the kernel send this process a signal when its parent ends, and ends at once if it already has."""
    _libc.prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def no_core() -> None:
    """Leaves no dump of this process's memory if it ends by a fault."""
    # 1, not 0: where dumps are piped to a program, the kernel ignores 0 and takes 1 for "none".
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def isolate(store: Path | None = None) -> dict[str, bool]:
    """Gives up network, files and programs for the rest of this thread's life; says what of it the machine allowed.

    The files of a ``store`` may still be read.
    """
    no_core()
    namespace = _libc.unshare(_CLONE_NEWNET) == 0 or _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0
    confined = store is not None and _read_only_below(store)
    filtered = _filter_calls(("sockets", "programs") if store else ("sockets", "files", "programs"))
    return {"network_namespace": namespace, "call_filter": filtered, "no_network": namespace or filtered, "no_files": confined if store else filtered}


def _read_only_below(folder: Path) -> bool:
    """Makes opening files fail with EACCES but for reading those below a folder, and cutting any short (Linux 6.2); whether the kernel can do that.

    Landlock (landlock(7)): a set of what is forbidden, with one rule that allows some of it again.
    """
    version = _libc.syscall(_LANDLOCK_CREATE, None, 0, _ASK_VERSION)
    forbidden = ctypes.c_uint64((1 << 13) - 1 | (_TRUNCATE if version >= 3 else 0))  # what there was in its first version, and what opens nothing
    if (rules := _libc.syscall(_LANDLOCK_CREATE, ctypes.byref(forbidden), ctypes.sizeof(forbidden), 0)) < 0:
        return False
    below = os.open(folder, os.O_PATH)
    try:
        rule = struct.pack("=Qi", _READ_FILE, below)
        if _libc.syscall(_LANDLOCK_ADD, rules, _PATH_BENEATH, rule, 0) != 0 or _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
        return _libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    finally:
        os.close(below)
        os.close(rules)


def _filter_calls(groups: tuple[str, ...]) -> bool:
    """Makes these groups of system calls fail with EPERM: opening sockets or files, starting programs; whether the kernel accepted it.

    Seccomp in filter mode (seccomp(2)): a small BPF program that looks at the architecture and the number of each system call.
    """
    if platform.machine() not in _CALLS:
        return False
    architecture, calls = _CALLS[platform.machine()]
    denied = [number for group in groups for number in calls[group]]
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050000 | 1, 0x80000000
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, kill), (load, 0, 0, 0)]
    # x32 calls have bit 30 set and would slip past the numbers below.
    program += [(at_least, 0, 1, 0x40000000), (answer, 0, 0, kill)]
    program += [(equal, len(denied) - i, 0, number) for i, number in enumerate(denied)]
    program += [(answer, 0, 0, allow), (answer, 0, 0, refuse)]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return _libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(Program(len(program), ctypes.addressof(buffer))), 0, 0) == 0


def limit_memory(extra: int) -> None:
    """Lets this process's address space grow by so many bytes beyond what it is now."""
    now = address_space(os.getpid())
    resource.setrlimit(resource.RLIMIT_AS, (now + extra, now + extra))


def address_space(pid: int) -> int:
    """The bytes of address space that a process has taken; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def private_bytes(pid: int) -> int:
    """The memory of a process that it shares with nobody; 0 when it is gone or not ours to see."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith(("Private_Dirty", "Private_Clean"))) * 1024
    except OSError:
        return 0
