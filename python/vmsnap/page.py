"""A page for a browser that shows a series of snapshots."""

from ctypes import byref

from vmsnap import _header, _lib, given
from vmsnap._lib import lib
from vmsnap.owned import Owned


class Page(Owned):
    """Snapshots are added in the order in which they were taken, those of one instant one after another, and then
    it is saved, once."""

    _free = "vmsnap_html_free"

    def __init__(self, title="", strip=(), start=0, end=0, sysroot=None, contents=False, demangled=True):
        """strip: what is left out, of "pfns", "cmdline", "names", "host", "contents".  end 0: all pages.  contents: the
        bytes that changed, too, and which variables they are.  demangled: as Names.demangled."""
        super().__init__()
        options = _lib.cancellable(_header.HtmlOptions, strip=given.strip(strip), title=given.raw(title, "a title"), start=start, end=end, contents=contents,
                                   raw_symbols=not demangled,
                                   sysroot=None if sysroot is None else given.raw(sysroot, "a folder's name"))
        self._options = options  # its strings are used until the page is saved
        _lib.call_holding_interrupts(lib().vmsnap_html_new, byref(options), byref(self._handle))

    def add(self, snapshot, number):
        """number: what the page calls it by, as FILE@NUMBER."""
        _lib.call_holding_interrupts(lib().vmsnap_html_add, self._handle, snapshot.handle, number)

    def save(self, path):
        """To a file of mode 0600, which takes the place of such a page only."""
        _lib.call_holding_interrupts(lib().vmsnap_html_save, self._handle, given.raw(path, "the file's name"))


def save_page(path, snapshots, **options):
    """Of these snapshots, in the order in which they were taken; options: as for Page."""
    page = Page(**options)
    for number, snapshot in enumerate(snapshots, 1):
        page.add(snapshot, number)
    page.save(path)
