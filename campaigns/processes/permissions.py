"""Permissions of files, for a process that may pass over them."""

import ctypes
import os

_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
_DROP_FROM_BOUNDS = 24  # PR_CAPBSET_DROP
_CAPABILITY_VERSION = 0x20080522


def bind_permissions() -> None:
    """Let the permissions of files bind this process and those it starts, even for root."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _OVERRIDES:
        libc.prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets) == 0:
        mask = ~sum(1 << capability for capability in _OVERRIDES)
        sets[0], sets[1] = sets[0] & mask, sets[1] & mask
        libc.capset(header, sets)
