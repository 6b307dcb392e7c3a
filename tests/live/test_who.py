"""Who maps a frame, a page or a file, held against programs that know it and against /proc/kpagecount."""

import ctypes
import mmap
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import documents
import kernel
import support
from kernel import PAGE
from support import NOBODY, Target, ask, capture, me, need_frames, need_namespaces, need_others, number, run, skip, world

CODE = 4  # VMSNAP_PERM_EXEC


def frame_at(pid, address):
    return kernel.entries(pid, [(address, address + PAGE)])[address] & kernel.FRAME


class Family:
    """The program `mappers` and its children."""

    def __init__(self, test, user=None):
        self.target = Target(test, "mappers", user=user)
        self.pid = self.target.pid
        words = [line.split() for line in self.target.lines]
        self.children = [int(word[2]) for word in words if word[0] == "child"]
        (self.companion,) = [int(word[1]) for word in words if word[0] == "companion"]
        (self.ring,) = [int(word[1]) for word in words if word[0] == "ring"]

    def start(self, name):
        return self.target.ranges[name][0]


def by_pid(answer, pids):
    """{pid: what is told of it}, of these."""
    return {each["pid"]: each for each in answer["processes"] if each["pid"] in pids}


def addresses(process):
    return [number(place["start"]) for place in process["places"]]


class Frames(unittest.TestCase):
    def setUp(self):
        need_frames(self)
        self.family = Family(self)

    def frame(self, *words):
        answer = ask(self, "who", *words)
        self.assertEqual((answer["schema"], answer["kind"], answer["live"]), ("vmsnap.who/1", "frame", True))
        return answer

    @support.unmoved
    def test_a_page_is_told_with_all_that_have_it(self):
        family, page = self.family, self.family.start("page")
        answer = self.frame(family.pid, hex(page))
        having = {family.pid, *family.children[1:]}
        self.assertEqual({each["pid"] for each in answer["processes"]}, having | {family.companion})
        for each in answer["processes"]:
            self.assertEqual(addresses(each), [page])
            self.assertEqual(each["places"][0]["perms"], "rw-p")
            self.assertFalse(each["self"] or each["other_file"])
        # One of these two has the other's memory, and counts once.
        told = by_pid(answer, {family.pid, family.companion})
        self.assertEqual(sorted(each["memory_of"] or 0 for each in told.values()),
                         [0, min(family.pid, family.companion)])
        self.assertEqual(answer["found"], len(having))
        self.assertEqual(number(answer["pfn"]), frame_at(family.pid, page))
        self.assertEqual(number(answer["physical"]), frame_at(family.pid, page) * PAGE)
        self.assertIn("anonymous", answer["flags"])

    @support.unmoved
    def test_what_the_kernel_counts_is_what_was_found(self):
        if not kernel.counts_each_page():
            skip(self, "this kernel counts only averages")
        for name, count in (("page", 4), ("first", 4)):
            answer = self.frame(self.family.pid, hex(self.family.start(name)))
            self.assertEqual((answer["found"], answer["counted"], answer["counted_before"]), (count,) * 3, name)
            frame = number(answer["pfn"])
            self.assertEqual(kernel.page_counts({frame}), {frame: count})
            text = run("who", f"pfn:{frame:x}").out.decode()
            self.assertIn(f"mapped    {count} found, the kernel counts {count}\n", text)

    @support.unmoved
    def test_a_frame_and_an_address_in_it_are_the_same(self):
        family, page = self.family, self.family.start("page")
        frame = frame_at(family.pid, page)
        answers = [self.frame(word) for word in (f"pfn:{frame:x}", f"pfn:0x{frame:X}", f"phys:{frame * PAGE + 5:x}")]
        for answer in answers:
            self.assertEqual(number(answer["pfn"]), frame)
            self.assertEqual(answer["processes"], answers[0]["processes"])

    def test_who_wrote_has_a_page_of_its_own(self):
        family, page = self.family, self.family.start("page")
        answer = self.frame(family.children[0], hex(page))
        self.assertEqual([each["pid"] for each in answer["processes"]], [family.children[0]])
        flags = answer["processes"][0]["places"][0]["flags"]
        self.assertEqual(set(flags) - {"soft_dirty"}, {"exclusive"}, "soft-dirty is what the kernel can tell")

    def test_one_that_maps_it_twice_is_told_twice(self):
        family = self.family
        answer = self.frame(family.pid, hex(family.start("first") + 7))
        told = by_pid(answer, {family.pid, family.companion, *family.children})
        self.assertEqual(set(told), {family.pid, family.companion, *family.children[1:3]})
        self.assertEqual(sorted(addresses(told[family.pid])), sorted([family.start("first"), family.start("second")]))
        self.assertEqual(told[family.pid]["places"][0]["name"], "/memfd:ring (deleted)")
        self.assertEqual([len(told[pid]["places"]) for pid in family.children[1:3]], [1, 1])
        self.assertEqual(answer["found"], 4)

    def test_a_name_says_what_lies_there(self):
        family, page = self.family, self.family.start("patched")
        answer = self.frame(family.children[3], hex(page))
        (process,) = answer["processes"]
        names = process["places"][0]["names"]
        self.assertTrue(names)
        self.assertLessEqual(len(names), process["places"][0]["names_total"])
        self.assertEqual(ask(self, "who", family.children[3], hex(page), "--no-names")["processes"][0]["places"][0]["names"],
                         [])

    @support.unmoved
    def test_the_zero_page_is_told_in_ranges(self):
        target = Target(self, "pages", "zero")
        (start, end) = next(iter(target.ranges.values()))
        frame = frame_at(target.pid, start)
        answer = self.frame(f"pfn:{frame:x}")
        places = by_pid(answer, {target.pid})[target.pid]["places"]
        covered = sum(number(place["end"]) - number(place["start"]) for place in places)
        found = kernel.entries(target.pid, [(vma.start, vma.end) for vma in kernel.maps(target.pid) if vma.end < 1 << 47])
        self.assertEqual(covered // PAGE, sum(entry & kernel.PRESENT != 0 and entry & kernel.FRAME == frame
                                              for entry in found.values()))
        self.assertLess(len(places), end - start)
        self.assertIn("zero_page", answer["flags"])

    def test_what_is_no_frame_is_said(self):
        self.assertIn("no frame 0xffffffffffff", run("who", "pfn:ffffffffffff").err)
        for words, said in ((("pfn:", ), "is not an address"), (("phys:xyz",), "is not an address"),
                            ((self.family.pid, "xyz"), "is not an address"), ((self.family.pid,), "an address is missing"),
                            (("/dev/null",), "not a regular file"), (("/",), "not a regular file"),
                            ((self.family.pid, "1000"), "absent"), ((1, 2, 3), "one word too many")):
            done = run("who", *words)
            self.assertEqual((done.status, done.out), (2, b""), words)
            self.assertIn(said, done.err)

    def test_without_what_the_kernel_counts_it_is_unknown(self):
        need_namespaces(self, "--mount")
        words = "mount --bind /dev/null /proc/kpagecount && mount --bind /dev/null /proc/kpageflags && exec \"$@\""
        page = hex(self.family.start("page"))
        command = ["unshare", "--mount", "sh", "-c", words, "sh", world().vmsnap, "who", str(self.family.pid), page]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=world().env)
        if b"mount" in done.stderr:
            skip(self, f"files of /proc cannot be hidden here: {done.stderr.decode().strip()}")
        self.assertIn(b"4 found; what the kernel counts is not known", done.stdout, done.stderr)

    @support.unmoved
    def test_a_process_that_cannot_be_seen_is_missing_from_the_kernels_count(self):
        """In a /proc of another PID namespace there is nobody else; the kernel counts all the same."""
        need_namespaces(self, "--mount", "--pid", "--fork")
        frame = frame_at(self.family.pid, self.family.start("page"))
        command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", 'mount -t proc proc /proc && exec "$@"', "sh",
                   world().vmsnap, "who", f"pfn:{frame:x}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=world().env)
        if b"mount" in done.stderr:
            skip(self, f"no /proc of another namespace here: {done.stderr.decode().strip()}")
        self.assertIn(b"mapped    0 found, the kernel counts 4: 4 not seen from here", done.stdout, done.stderr)


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=world().home(me()))

    def file(self, name=b"data", pages=4):
        path = os.path.join(os.fsencode(self.folder), name)
        with open(path, "wb") as file:
            file.write(b"x" * pages * PAGE)
        return path

    def mapped(self, path, pages=4, flags=mmap.MAP_PRIVATE):
        """Mapped by this process, which counts as anybody else; its first page is there."""
        with open(path, "r+b") as file:
            memory = mmap.mmap(file.fileno(), pages * PAGE, flags=flags)
        self.addCleanup(memory.close)
        memory[0]  # noqa: B018
        return memory

    def of_file(self, path):
        answer = ask(self, "who", path)
        self.assertEqual(answer["kind"], "file")
        return answer

    def own(self, answer):
        return by_pid(answer, {os.getpid()}).get(os.getpid())

    def test_pages_of_the_cache_and_pages_of_ones_own(self):
        path = os.fsdecode(self.file())
        memory = self.mapped(path)
        memory[PAGE] = 1
        memory[3 * PAGE] = 1
        answer = self.of_file(path)
        told = self.own(answer)
        self.assertEqual((told["mappings"], told["size"], told["copied"], told["copied_code"]),
                         (1, 4 * PAGE, 2 * PAGE, 0))
        # Others of the file may have been mapped around the one that was read.
        self.assertIn(told["resident"], (PAGE, 2 * PAGE))
        (vma,) = [vma for vma in kernel.maps(os.getpid()) if os.fsdecode(vma.name) == path]
        self.assertEqual(int(told["address"], 16), vma.start)
        self.assertEqual(addresses(told), [vma.start + PAGE, vma.start + 3 * PAGE])
        self.assertEqual([place["offset"] for place in told["places"]], [PAGE, 3 * PAGE])
        self.assertEqual(answer["file"]["path"], path)
        self.assertEqual([answer["file"][key] for key in ("by_name", "inode", "bytes")], [False, vma.inode, 4 * PAGE])

    def test_in_snapshots_a_path_is_what_mappings_are_called(self):
        path = os.fsdecode(self.file())
        memory = self.mapped(path)
        taken = capture(self, os.getpid(), "--no-freeze", "--label", "before")
        memory[PAGE] = memory[3 * PAGE] = 1
        run("capture", os.getpid(), "--no-freeze", "-o", taken, "--append", "--label", "after")
        answer = ask(self, "who", path, taken)
        self.assertEqual([answer[key] for key in ("kind", "live", "looked", "unreadable", "found")],
                         ["file", False, 2, 0, 2])
        self.assertEqual([answer["file"][key] for key in ("path", "by_name", "cached")], [path, True, None])
        before, after = answer["processes"]
        (start,) = [vma.start for vma in kernel.maps(os.getpid()) if os.fsdecode(vma.name) == path]
        for each, label, own in ((before, "before", []), (after, "after", [start + PAGE, start + 3 * PAGE])):
            self.assertEqual((each["pid"], each["label"], int(each["address"], 16), each["mappings"], each["size"]),
                             (os.getpid(), label, start, 1, 4 * PAGE))
            self.assertEqual((addresses(each), each["copied"], each["copied_code"]), (own, len(own) * PAGE, 0))
        self.assertIn(after["resident"], (PAGE, 2 * PAGE))
        os.symlink(path, path + ".link")
        self.assertEqual(ask(self, "who", path + ".link", taken)["processes"], answer["processes"])
        self.assertEqual(ask(self, "who", path[:-1], taken)["processes"], [])
        text = run("who", path, taken).out.decode()
        self.assertIn("mappings that are called so\n", text)
        self.assertIn("SNAPSHOT", text)

    def test_the_page_cache_is_told(self):
        path = os.fsdecode(self.file())
        told = self.of_file(path)["file"]
        if told["cached"] is None:
            skip(self, "neither cachestat nor mincore tells here")
        self.assertEqual(told["cached"], 4 * PAGE)
        self.assertIn(told["cached_by"], ("cachestat", "mincore"))
        if told["dirty"] is not None:
            self.assertLessEqual(told["dirty"], 4 * PAGE)

    def test_no_more_is_said_to_be_cached_than_the_file_has(self):
        path = os.fsdecode(self.file())
        with open(path, "ab") as file:
            file.write(b"x")
        told = self.of_file(path)["file"]
        if told["cached"] is None:
            skip(self, "neither cachestat nor mincore tells here")
        self.assertEqual((told["cached"], told["bytes"]), (5 * PAGE, 4 * PAGE + 1))
        self.assertRegex(run("who", "-b", path).out.decode(), rf"(?m)^cached +{4 * PAGE + 1} of {4 * PAGE + 1} ")

    def test_a_deleted_file_and_another_of_its_name(self):
        path = os.fsdecode(self.file())
        self.mapped(path)
        os.unlink(path)
        answer = self.of_file(path)  # there is none
        self.assertEqual((answer["file"]["by_name"], answer["file"]["inode"], answer["found"]), (True, None, 1))
        self.assertFalse(self.own(answer)["other_file"])
        self.file()
        answer = self.of_file(path)  # it is another one
        self.assertEqual((answer["file"]["by_name"], answer["found"]), (False, 0))
        self.assertTrue(self.own(answer)["other_file"])
        self.assertIn("another file of this name", run("who", path).out.decode())

    def test_a_name_that_nobody_knows_is_an_error(self):
        result = run("who", "/no/such/file")
        self.assertEqual(result.status, 2)
        self.assertIn("no such file, and no process maps one of that name", result.err)

    def test_hostile_names_are_written_so_that_they_do_no_harm(self):
        for name in (b"e\x1b[2Jv\ni\"l\\ \xff\x07,", b"x" * 255, b" (deleted)", b"[heap]"):
            path = self.file(name)
            memory = self.mapped(path)
            memory[0] = 1
            answer = self.of_file(path if isinstance(path, str) else os.fsdecode(path))
            self.assertEqual(answer["found"], 1, name)
            text = run("who", os.fsdecode(path)).out
            self.assertEqual(re.findall(rb"[\x00-\x09\x0b-\x1f\x7f\xff]", text), [], name)

    def test_a_link_leads_to_its_file(self):
        path = os.fsdecode(self.file())
        self.mapped(path)
        link = os.path.join(self.folder, "link")
        os.symlink(path, link)
        self.assertEqual(self.of_file(link)["file"]["path"], path)
        self.assertTrue(self.own(self.of_file(link)))

    def test_files_that_cannot_be_mapped_or_hold_nothing(self):
        path = os.fsdecode(self.file(pages=0))
        answer = self.of_file(path)
        self.assertEqual((answer["found"], answer["file"]["bytes"]), (0, 0))
        self.assertEqual(self.of_file("/proc/self/maps")["found"], 0)

    def test_looking_leaves_no_trace_in_the_file(self):
        path = os.fsdecode(self.file())
        os.utime(path, (1, 1))
        self.of_file(path)
        self.assertEqual(os.stat(path).st_atime, 1)

    def test_a_memfd_is_told_by_descriptor_and_by_name(self):
        family = Family(self)
        pids = {family.pid, family.companion, *family.children}
        for word in (f"/proc/{family.pid}/fd/{family.ring}", "/memfd:ring (deleted)"):
            told = by_pid(ask(self, "who", word), pids)
            self.assertEqual(set(told), {family.pid, family.companion, *family.children[1:3]}, word)
            self.assertEqual({pid: each["mappings"] for pid, each in told.items()},
                             {family.pid: 2, family.companion: 2, family.children[1]: 1, family.children[2]: 1})

    def test_shared_memory_of_all_names(self):
        """In /dev/shm, and of System V, which nobody can open."""
        with tempfile.NamedTemporaryFile(prefix="vmsnap-test-", dir="/dev/shm") as file:
            file.write(b"x" * 2 * PAGE)
            file.flush()
            self.mapped(file.name, pages=2, flags=mmap.MAP_SHARED)
            answer = self.of_file(file.name)
            self.assertEqual((answer["file"]["path"], answer["file"]["cached"], answer["found"]),
                             (file.name, 2 * PAGE, 1))
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmat.restype, libc.shmat.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
        libc.shmdt.argtypes = [ctypes.c_void_p]
        segment = libc.shmget(0, PAGE, 0o1600)
        self.assertGreaterEqual(segment, 0, os.strerror(ctypes.get_errno()))
        memory = libc.shmat(segment, None, 0)
        libc.shmctl(segment, 0, None)
        self.addCleanup(libc.shmdt, memory)
        ctypes.memset(memory, 1, 1)
        told = self.own(self.of_file("/SYSV00000000"))
        (vma,) = [vma for vma in kernel.maps(os.getpid()) if vma.start == memory]
        self.assertTrue(vma.name.startswith(b"/SYSV00000000"))
        self.assertEqual((told["mappings"], number(told["address"]), told["resident"]), (1, memory, PAGE))

    def test_a_file_of_huge_pages(self):
        """To look at it is not to map it, and mincore would say that nothing of it is there."""
        free, size = (int(re.search(rf"(?m)^{word}: +(\d+)", open("/proc/meminfo").read())[1])
                      for word in ("HugePages_Free", "Hugepagesize"))
        if free < 2:
            skip(self, "no huge pages are set aside (script/test does)")
        support.mount_kind(self, "hugetlbfs", self.folder)
        path, size = os.path.join(os.fsdecode(self.folder), "data"), size << 10
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
        self.addCleanup(os.close, descriptor)
        os.ftruncate(descriptor, 2 * size)
        memory = mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED)
        self.addCleanup(memory.close)
        memory[0] = 1
        answer = self.of_file(path)
        self.assertEqual([each["pid"] for each in answer["processes"]], [os.getpid()])
        self.assertEqual([answer["file"][key] for key in ("cached", "dirty", "cached_by", "bytes")],
                         [size, None, "stat", 2 * size])
        self.assertEqual(self.own(answer)["resident"], size)

    def test_a_deleted_file_is_found_by_a_link_to_its_folder(self):
        path = os.fsdecode(self.file())
        self.mapped(path)
        os.unlink(path)
        link = tempfile.mkdtemp(dir=world().home(me()))
        os.symlink(self.folder, os.path.join(link, "there"))
        answer = self.of_file(os.path.join(link, "there", os.path.basename(path)))
        self.assertEqual((answer["file"]["path"], answer["found"]), (path, 1))

    def test_what_is_no_path_is_said_as_what_names_look_like(self):
        self.assertIn("as /proc/PID/maps has it (/memfd:ring", run("who", "memfd:ring").err)

    def test_a_patched_library_shows_at_once(self):
        family = Family(self)
        (library,) = {os.fsdecode(vma.name) for vma in kernel.maps(family.children[3])
                      if vma.start <= family.start("patched") < vma.end}
        told = by_pid(ask(self, "who", library), {family.pid, *family.children})
        self.assertEqual({pid: each["copied_code"] for pid, each in told.items() if each["copied_code"]},
                         {family.children[3]: PAGE})
        code = [place for place in told[family.children[3]]["places"] if "x" in place["perms"]]
        self.assertEqual([number(place["start"]) for place in code], [family.start("patched")])
        self.assertTrue(code[0]["names"])
        text = run("who", library).out.decode().partition("code that was written to:\n")[2]
        self.assertRegex(text, rf"(?m)^ *{family.children[3]} +mappers +{family.start('patched'):x} +r-xp ")

    def test_a_file_on_an_overlay_is_found_though_stat_tells_another_device(self):
        if not support.ROOT:
            skip(self, "not root: cannot mount a file system")
        folders = [os.path.join(self.folder, name) for name in ("lower", "upper", "work", "merged")]
        for folder in folders:
            os.mkdir(folder)
        for name in ("kept", "changed"):
            with open(os.path.join(folders[0], name), "wb") as file:
                file.write(b"x" * PAGE)
        options = "lowerdir={},upperdir={},workdir={}".format(*folders)
        base = os.path.join(self.folder)
        done = subprocess.run(["mount", "-t", "overlay", "-o", options, "vmsnap-test", folders[3]], stderr=subprocess.PIPE)
        if done.returncode:
            # The upper one must not lie on some file systems.
            skip(self, f"no overlay can be mounted in {base}: {done.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", folders[3]], stderr=subprocess.DEVNULL, check=False)
        with open(os.path.join(folders[3], "changed"), "ab") as file:
            file.write(b"more")
        for name in ("kept", "changed"):
            path = os.path.join(folders[3], name)
            with open(path, "rb") as file:
                memory = mmap.mmap(file.fileno(), PAGE, prot=mmap.PROT_READ)
            memory[0]  # noqa: B018
            answer = self.of_file(path)
            self.assertTrue(self.own(answer), name)
            self.assertEqual((self.own(answer)["other_file"], answer["file"]["by_name"]), (False, False))
            if answer["file"]["cached"] is not None:
                self.assertGreaterEqual(answer["file"]["cached"], PAGE, name)
            memory.close()


class Guide(unittest.TestCase):
    """docs/who.md shows what happens, but for numbers, paths and who else there is."""

    def setUp(self):
        need_frames(self)
        self.family = Family(self)
        self.pids = dict(zip(("4711", "4716", "4712", "4713", "4714", "4715"),
                             map(str, (self.family.pid, self.family.companion, *self.family.children))))

    def shown(self, text):
        """Lines with what differs from run to run made alike, and without other processes than ours."""
        found = []
        for line in text.splitlines():
            words = line.split()
            if words and words[0].isdigit():
                if words[0] not in self.pids and words[0] not in self.pids.values():
                    continue
                line = " ".join(self.pids.get(word, word) for word in words)
            line = re.sub(r"\S*(libc\S*\.so\S*|…\S*)", "libc", line)
            line = re.sub(r"(looked +at) .*", r"\1", line)
            line = re.sub(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\(\S+, inode \d+\)|: uptodate.*|: referenced.*", "#", line)
            found.append(re.sub(r"\s+", " ", line).strip())
        return [line for line in found if line]

    @support.unmoved
    def test_its_commands_print_what_it_says(self):
        if not kernel.counts_each_page():
            skip(self, "this kernel counts only averages")
        texts = re.findall(r"(?s)\$ vmsnap (who [^\n]*)\n(.*?)\n```", documents.read("docs", "who.md"))
        self.assertEqual(len(texts), 3)
        places = {"7f0012345000": f"{self.family.start('page'):x}", "LIBC": self.library()}
        for call, expected in texts:
            words = re.sub(r"4711", str(self.family.pid), call).replace("fd/3", f"fd/{self.family.ring}").split()
            # Which flags a frame has is the kernel's to say, and with many of them the line is folded.
            text = run(*(places.get(word, word) for word in words), "-w", "0").out.decode()
            # Numbers of processes may be in another order.
            told, wanted = self.shown(text), self.shown(expected)
            if "LIBC" in call:
                told = told[told.index("code that was written to:"):]
                wanted[-1], told[-1] = (line.rsplit(" ", 1)[0] for line in (wanted[-1], told[-1]))
            if "fd/" in call and "cached" in text and "dirty" not in text:
                skip(self, "cachestat does not tell here")
            self.assertEqual(sorted(told), sorted(wanted), call)

    def library(self):
        (library,) = {os.fsdecode(vma.name) for vma in kernel.maps(self.family.pid)
                      if vma.start <= self.family.start("patched") < vma.end}
        return library


class WithoutPrivilege(unittest.TestCase):
    def setUp(self):
        need_others(self)
        self.family = Family(self, user=NOBODY)

    def test_frames_are_root_s(self):
        for words in (("pfn:1",), ("phys:1000",), (self.family.pid, hex(self.family.start("page")))):
            done = run("who", *words, user=NOBODY)
            self.assertEqual(done.status, 2)
            self.assertIn("frames are known only to who has CAP_SYS_ADMIN: run as root", done.err)

    def test_of_a_page_of_a_file_its_place_there_is_told(self):
        family, page = self.family, self.family.start("patched")
        answer = ask(self, "who", family.pid, hex(page), user=NOBODY)
        self.assertEqual((answer["kind"], answer["frames_known"], answer["file"]["bytes"]), ("file", False, PAGE))
        told = by_pid(answer, {family.pid, *family.children})
        self.assertEqual(set(told), {family.pid, *family.children})
        self.assertEqual({pid: each["copied_code"] for pid, each in told.items() if each["copied_code"]},
                         {family.children[3]: PAGE})
        text = run("who", family.pid, hex(page), user=NOBODY).out.decode()
        self.assertIn("frames are not known here (root would)", text)

    def test_only_its_own_processes_are_told_of_a_file(self):
        (library,) = {os.fsdecode(vma.name) for vma in kernel.maps(self.family.pid)
                      if vma.start <= self.family.start("patched") < vma.end}
        answer = ask(self, "who", library, user=NOBODY)
        self.assertGreater(answer["unreadable"], 0)
        told = {each["pid"] for each in answer["processes"]}
        self.assertLessEqual({self.family.pid, *self.family.children}, told)
        self.assertNotIn(os.getpid(), told)
        self.assertIn("cannot be read (root may)", run("who", library, user=NOBODY).out.decode())

    def test_a_file_that_may_not_be_read_is_told_by_name(self):
        folder = tempfile.mkdtemp(dir=world().home(NOBODY))
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "secret")
        shutil.copy("/bin/true", path)
        os.chmod(path, 0o600)
        answer = ask(self, "who", path, user=NOBODY)
        self.assertEqual((answer["file"]["by_name"], answer["file"]["cached"], answer["found"]), (True, None, 0))

    def test_snapshots_without_frames_are_counted(self):
        path = capture(self, self.family.pid, user=NOBODY)
        done = run("who", path, hex(self.family.start("page")), user=NOBODY)
        self.assertEqual(done.status, 2)
        self.assertIn("does not know in which frames", done.err)
        answer = ask(self, "who", "pfn:1", path, user=NOBODY)
        self.assertEqual((answer["looked"], answer["unreadable"], answer["processes"]), (1, 1, []))


class Snapshots(unittest.TestCase):
    def setUp(self):
        need_frames(self)

    @support.unmoved
    def test_all_snapshots_of_a_file_are_looked_at(self):
        family = Family(self)
        page = family.start("page")
        path = capture(self, family.pid, "--label", "one")
        for pid, label in ((family.children[0], "two"), (family.children[1], "three")):
            run("capture", pid, "-o", path, "--append", "--label", label)
        frame = frame_at(family.pid, page)
        told = [ask(self, "who", path + "@one", hex(page)), ask(self, "who", f"pfn:{frame:x}", path)]
        for answer in told:
            self.assertEqual((answer["live"], number(answer["pfn"]), answer["looked"]), (False, frame, 3))
            self.assertEqual([(each["pid"], each["label"], each["snapshot"], addresses(each))
                              for each in answer["processes"]],
                             [(family.pid, "one", 1, [page]), (family.children[1], "three", 3, [page])])
        (alone,) = ask(self, "who", path + "@two", hex(page))["processes"]
        self.assertEqual((alone["pid"], alone["label"]), (family.children[0], "two"))
        twice = ask(self, "who", f"pfn:{frame:x}", path, path)
        self.assertEqual((twice["looked"], twice["found"]), (6, 4))
        other = path + ".copy"
        shutil.copy(path, other)
        self.addCleanup(os.unlink, other)
        both = ask(self, "who", f"pfn:{frame:x}", path, other)["processes"]
        self.assertEqual([(each["file"], each["file_snapshot"], each["snapshot"]) for each in both],
                         [(path, 1, 1), (path, 3, 3), (other, 1, 4), (other, 3, 6)])
        lines = run("who", f"pfn:{frame:x}", path, other, "-r", "-n", "-o", "FILE,SNAPSHOT").out.decode().splitlines()
        self.assertEqual([line.split() for line in lines], [[path, "1"], [path, "3"], [other, "1"], [other, "3"]])
        self.assertNotIn(b"FILE", run("who", f"pfn:{frame:x}", path).out)

    def test_what_a_file_does_not_have_is_said(self):
        path = capture(self, os.getpid(), "--no-freeze")
        self.assertIn("is absent, or not mapped", run("who", path, "1000").err)
        self.assertIn("No such file", run("who", "pfn:1", path + "x").err)


if __name__ == "__main__":
    support.main()
