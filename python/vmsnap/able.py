"""What this kernel, this machine and this user let vmsnap know."""

import collections
from ctypes import byref, c_void_p, sizeof

from vmsnap import _header, _lib
from vmsnap._lib import lib
from vmsnap.text import PLAIN, printed

# able: "yes", "partly" or "no"; reason and help: "" if there is none.
Ability = collections.namedtuple("Ability", "name able gives reason help")


class Abilities(dict):
    """{"pfn": Ability, …}, each tried out on this process."""

    def __init__(self, style=PLAIN):
        super().__init__()
        handle = c_void_p()
        lib().vmsnap_abilities_new(byref(handle))
        try:
            found = _lib.struct(_header.Ability)
            for index in range(lib().vmsnap_abilities_count(handle)):
                lib().vmsnap_ability_sized(handle, index, byref(found), sizeof(found))
                able = lib().vmsnap_able_name(found.able).decode()
                words = (getattr(found, key).decode() for key in ("gives", "reason", "help"))
                self[found.name.decode()] = Ability(found.name.decode(), able, *words)
            self._text = printed(lib().vmsnap_print_abilities, handle, style=style)
        finally:
            lib().vmsnap_abilities_free(handle)

    def text(self):
        """What `vmsnap --version --long` prints."""
        return self._text


def abilities(style=PLAIN):
    return Abilities(style)
