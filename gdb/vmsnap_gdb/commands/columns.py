"""Made by gdb/generate.py from what the library says: run it again when a table has changed."""

# By command: (name, whether it is shown unless asked for, what it means), table by table.
COLUMNS = {
    "show": (
        (
            ("START", True, "where the mapping begins"),
            ("END", False, "where it ends"),
            ("SIZE", True, "of the mapping"),
            ("PERM", True, "rwx, and p for private or s for shared"),
            ("RESIDENT", True, "present pages"),
            ("SWAPPED", True, "pages in swap"),
            ("EXCL", True, "present pages mapped here only"),
            ("ZERO", True, "pages that are the zero page"),
            ("FILE", False, "pages of files or shared memory"),
            ("HUGE", False, "pages in huge ones"),
            ("GUARD", False, "guard pages"),
            ("EXCL?", False, "pages of which it is not known whether they are"),
            ("SWAPPED?", False, "pages that look swapped, and may not be"),
            ("OFFSET", False, "where in the file it begins"),
            ("DEV", False, "the file's device"),
            ("INODE", False, "the file's inode"),
            ("BUILDID", False, "of the file"),
            ("LABEL", False, "what memory without a name is known to be"),
            ("MAPPING", True, "the file, or what it is called or known to be"),
        ),
    ),
    "pages": (
        (
            ("START", True, "where the run begins"),
            ("END", False, "where it ends"),
            ("PAGES", True, "how many pages it has"),
            ("SIZE", False, "the same in bytes"),
            ("STATE", True, "present, swapped, guard or marker; swapped? if that is not known"),
            ("PFN/SWAP", True, "frame of the first page, or area and slot in swap"),
            ("FLAGS", True, "file, exclusive, soft_dirty, uffd_wp, guard, zero, huge"),
            ("PERM", False, "rwx, and p for private or s for shared"),
            ("OFFSET", False, "where in the file the mapping begins"),
            ("DEV", False, "the file's device"),
            ("INODE", False, "the file's inode"),
            ("BUILDID", False, "of the file"),
            ("MAPPING", True, "the file, or what it is called"),
        ),
    ),
    "diff": (
        (
            ("START", True, "where the mapping begins"),
            ("END", False, "where it ends"),
            ("SIZE", True, "its size"),
            ("PERM", True, "rwx, and p for private or s for shared"),
            ("PAGES", True, "a picture of where something happened"),
            ("COPIED", True, "pages that were shared at A and got another frame"),
            ("%", True, "copied, of what was shared at A"),
            ("NEW", True, "pages that appeared"),
            ("GONE", True, "pages that vanished"),
            ("OTHER", True, "pages that changed otherwise"),
            ("CHANGE", True, "of the mapping itself"),
            ("OFFSET", False, "where in the file the mapping begins"),
            ("DEV", False, "the file's device"),
            ("INODE", False, "the file's inode"),
            ("BUILDID", False, "of the file"),
            ("MAPPING", True, "the file, or what it is called"),
        ),
    ),
    "cow": (
        (
            ("START", True, "where the range begins"),
            ("PARENT", False, "where the parent has it, if elsewhere"),
            ("END", False, "where it ends"),
            ("PAGES", True, "how many pages it has"),
            ("SIZE", False, "the same as PAGES, in bytes"),
            ("VERDICT", True, "who copied them, if anybody did"),
            ("INFERRED", True, "inferred, or nothing"),
            ("TOUCHED", True, "what a debugger wrote there"),
            ("NAMES", True, "the best names on the pages"),
            ("PERM", False, "rwx, and p for private or s for shared"),
            ("OFFSET", False, "where in the file the mapping begins"),
            ("DEV", False, "the file's device"),
            ("INODE", False, "the file's inode"),
            ("BUILDID", False, "of the file"),
            ("MAPPING", True, "the file, or what it is called"),
        ),
    ),
    "status": (
        (
            ("KEY", True, "of the line"),
            ("VALUE", True, "its value, of one snapshot"),
        ),
        (
            ("KEY", True, "of the line"),
            ("A", True, "its value in A"),
            ("B", True, "its value in B"),
            ("CHANGE", True, "by how much, or new, gone, changed"),
        ),
    ),
    "list": (
        (
            ("NAME", True, "what it is called here"),
            ("TAKEN", True, "when"),
            ("PID", True, "of the process"),
            ("PPID", False, "of its parent"),
            ("COMM", True, "the process's name"),
            ("RESIDENT", True, "bytes that are present"),
            ("SWAPPED", False, "bytes that are in swap"),
            ("MAPPINGS", False, "how many there are"),
            ("THREADS", False, "how many there are"),
            ("LABEL", False, "as given at the capture"),
            ("TGID", False, "of the process, if it was read from a thread"),
            ("UID", False, "of its effective user"),
            ("NSPID", False, "in its own PID namespace"),
            ("PIDNS", False, "its PID namespace"),
            ("START", False, "when it began, clock ticks after boot"),
            ("EXE", False, "its program"),
            ("BUILDID", False, "of its program"),
            ("CMDLINE", False, "its arguments"),
            ("CGROUP", False, "its cgroup"),
            ("UNIT", False, "its systemd unit, if the cgroup names one"),
            ("CONTAINER", False, "its container, if that names one"),
            ("HOST", False, "the machine's name"),
            ("MACHINE", False, "a hash of the machine's id"),
            ("BOOT", False, "the boot's id"),
            ("KERNEL", False, "the kernel's release"),
            ("ARCH", False, "the machine's architecture"),
            ("PAGESIZE", False, "of its pages; ? if it is assumed"),
            ("SWAPINUSE", False, "of the whole machine"),
            ("FREEZE", False, "whether it stood"),
            ("INSTANT", False, "whether it is of one instant; ? unknown"),
            ("PAUSE", False, "how long it stood"),
            ("TOOL", False, "what wrote the snapshot"),
            ("WHY", True, "why it was taken"),
        ),
    ),
}


def help_text(command):
    """"" if it prints no table."""
    tables = COLUMNS.get(command, ())
    text = "\nColumns; those with + are printed if asked for:\n" if tables else ""
    for index, table in enumerate(tables):
        text += "or, of two snapshots:\n" if index else ""
        text += "".join(f" {' ' if usual else '+'}{name.ljust(9)} {help}\n" for name, usual, help in table)
    return text
