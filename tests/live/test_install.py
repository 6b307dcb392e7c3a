"""An installed tree works where it was put and where it is moved to: the command, the
library for pkg-config and for CMake, the documents."""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import support
from support import VMSNAP

SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.dirname(os.path.abspath(VMSNAP))

PROGRAM = r"""
#include <stdio.h>
#include <unistd.h>
#include <vmsnap.h>

int main(void)
{
	struct vmsnap *snap;
	struct vmsnap_error err;
	if (vmsnap_capture(getpid(), NULL, &snap, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 2;
	}
	printf("%s\n", vmsnap_version());
	vmsnap_unref(snap);
	return 0;
}
"""

PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(vmsnap REQUIRED)
add_executable(user user.c)
target_link_libraries(user PRIVATE vmsnap::vmsnap)
"""


def cache():
    """What the build was configured with."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        return dict(re.findall(r"(?m)^([\w-]+):\w+=(.*)$", file.read()))


def source_version():
    with open(os.path.join(SOURCE, "CMakeLists.txt"), encoding="utf-8") as file:
        return re.search(r"project\(vmsnap VERSION ([\d.]+)", file.read())[1]


def call(*argv, **options):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=300, check=False, **options)
    if done.returncode:
        raise AssertionError(f"{' '.join(argv)} ended with {done.returncode}: {done.stdout}")
    return done.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cache = cache()
        if not os.access(cls.cache["CMAKE_COMMAND"], os.X_OK):
            raise unittest.SkipTest("CMake, which built it, is not on this machine")
        cls.version = source_version()
        cls.folder = tempfile.mkdtemp(prefix="vmsnap-install-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        first, cls.prefix = os.path.join(cls.folder, "first"), os.path.join(cls.folder, "moved")
        call(cls.cache["CMAKE_COMMAND"], "--install", BUILD, "--prefix", first)
        # Nothing in the tree may know where it was installed first.
        os.rename(first, cls.prefix)
        cls.libdir = os.path.join(cls.prefix, cls.cache["CMAKE_INSTALL_LIBDIR"])
        # A sanitized library asks its programs to be sanitized: only its files are looked at.
        cls.sanitized = bool(cls.cache.get("VMSNAP_SANITIZE"))

    def setUp(self):
        self.work = tempfile.mkdtemp(dir=self.folder)
        self.env = {**os.environ, "PKG_CONFIG_PATH": os.path.join(self.libdir, "pkgconfig")}
        self.env.pop("LD_LIBRARY_PATH", None)

    def assertInstalled(self, *path):
        path = os.path.join(self.prefix, *path)
        self.assertTrue(os.path.isfile(path) and os.path.getsize(path), f"{path} is missing or empty")
        return path

    def program(self):
        path = os.path.join(self.work, "user.c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        return path

    def pkg_config(self, *argv):
        return call("pkg-config", *argv, "vmsnap", env=self.env).split()

    def test_command_runs_with_the_installed_library(self):
        command = self.assertInstalled("bin", "vmsnap")
        # For /usr the loader's own folders must do.
        for_usr = self.cache["CMAKE_INSTALL_PREFIX"] == "/usr"
        self.assertEqual("RUNPATH" in call("readelf", "-d", command), not for_usr)
        if for_usr:
            self.env["LD_LIBRARY_PATH"] = self.libdir
        self.assertIn(self.version, call(command, "--version", env=self.env))
        loaded = re.search(r"libvmsnap\.so\S* => (\S+)", call("ldd", command, env=self.env))
        self.assertIsNotNone(loaded)
        self.assertEqual(os.path.dirname(os.path.realpath(loaded[1])), os.path.realpath(self.libdir))

    def test_pkg_config_names_the_folders_where_the_tree_lies(self):
        self.assertEqual(self.pkg_config("--modversion"), [self.version])
        for variable, file in (("includedir", "vmsnap.h"), ("libdir", "libvmsnap.so")):
            folder = os.path.realpath(self.pkg_config(f"--variable={variable}")[0])
            self.assertTrue(folder.startswith(os.path.realpath(self.prefix) + os.sep), folder)
            self.assertTrue(os.path.exists(os.path.join(folder, file)), f"{folder} has no {file}")

    def test_pkg_config_needs_nothing_of_what_the_library_is_made_of(self):
        self.env["PKG_CONFIG_LIBDIR"] = self.env.pop("PKG_CONFIG_PATH")
        self.assertIn("-lvmsnap", self.pkg_config("--cflags", "--libs"))

    def test_program_built_with_pkg_config_runs(self):
        source, out = self.program(), os.path.join(self.work, "user")
        flags = self.pkg_config("--cflags", "--libs")
        if self.sanitized:
            return
        call(self.cache["CMAKE_C_COMPILER"], source, *flags, "-Wl,-rpath," + self.libdir, "-o", out)
        self.assertEqual(call(out, env=self.env).strip(), self.version)

    def test_program_built_with_find_package_runs(self):
        self.assertInstalled(self.libdir, "cmake", "vmsnap", "vmsnap-config.cmake")
        self.assertInstalled(self.libdir, "cmake", "vmsnap", "vmsnap-targets.cmake")
        if self.sanitized:
            return
        self.program()
        with open(os.path.join(self.work, "CMakeLists.txt"), "w", encoding="utf-8") as file:
            file.write(PROJECT)
        build = os.path.join(self.work, "build")
        call(self.cache["CMAKE_COMMAND"], "-S", self.work, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
             f"-DCMAKE_C_COMPILER={self.cache['CMAKE_C_COMPILER']}", "-G", self.cache["CMAKE_GENERATOR"], env=self.env)
        call(self.cache["CMAKE_COMMAND"], "--build", build, env=self.env)
        with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as file:
            found = re.search(r"(?m)^vmsnap_DIR:PATH=(.*)$", file.read())[1]
        self.assertEqual(os.path.realpath(found), os.path.realpath(os.path.join(self.libdir, "cmake", "vmsnap")))
        self.assertEqual(call(os.path.join(build, "user"), env=self.env).strip(), self.version)

    def test_headers_are_those_of_the_source(self):
        source = os.path.join(SOURCE, "core", "include")
        names = ["vmsnap.h", *(os.path.join("vmsnap", name) for name in os.listdir(os.path.join(source, "vmsnap")))]
        self.assertGreater(len(names), 6)
        for name in names:
            with open(self.assertInstalled("include", name), "rb") as got, \
                 open(os.path.join(source, name), "rb") as expected:
                self.assertEqual(got.read(), expected.read(), name)

    def test_man_pages_and_completion_are_there(self):
        pages = [name[:-4] for name in os.listdir(os.path.join(SOURCE, "docs", "man")) if name.endswith(".scd")]
        self.assertIn("vmsnap.1", pages)
        if not self.cache["SCDOC"].endswith("-NOTFOUND"):
            for page in pages:
                self.assertInstalled("share", "man", "man" + page[-1], page)
        for name in ("libvmsnap.3", "vmsnap_capture.3", "vmsnap_capture_tree.3", "vmsnap.5"):
            self.assertInstalled("share", "man", "man" + name[-1], name)
        self.assertInstalled("share", "bash-completion", "completions", "vmsnap")
        self.assertInstalled("share", "zsh", "site-functions", "_vmsnap")
        self.assertInstalled("share", "fish", "vendor_completions.d", "vmsnap.fish")

    def test_links_of_the_readme_to_documents_work(self):
        readme = self.assertInstalled("share", "doc", "vmsnap", "README.md")
        with open(readme, encoding="utf-8") as file:
            links = re.findall(r"\]\((docs/[\w./-]+\.md|[A-Z][\w.]+)\)", file.read())
        self.assertIn("docs/verdicts.md", links)
        for link in links:
            self.assertInstalled(os.path.dirname(readme), link)

    def test_links_between_the_documents_work(self):
        """But for those to what is source: headers, and man pages, which are installed as such."""
        folder, seen = os.path.join(self.prefix, "share", "doc", "vmsnap"), 0
        for path in glob.glob(os.path.join(folder, "**", "*.md"), recursive=True):
            with open(path, encoding="utf-8") as file:
                text = re.sub(r"(?ms)^```.*?^```$", "", file.read())
            for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if not re.match(r"https://|(docs/|\.\./)?man\b|\.\./core/include/", link):
                    self.assertTrue(os.path.exists(os.path.join(os.path.dirname(path), link)), f"{path}: {link}")
                    seen += 1
        self.assertGreater(seen, 100)

    def test_the_programs_of_the_documents_compile_as_the_page_says(self):
        doc = os.path.join(self.prefix, "share", "doc", "vmsnap")
        with open(os.path.join(doc, "docs", "install.md"), encoding="utf-8") as file:
            block = re.search(r"(?ms)^```sh\n(for name in [^`]*)^```$", file.read())[1]
        names = re.search(r"for name in ([^;]+);", block)[1].split()
        self.assertGreater(len(names), 5)
        call("sh", "-e", "-c", block.replace("/usr/share/doc/vmsnap", doc), cwd=self.work)
        self.assertEqual(sorted(os.listdir(self.work)), sorted([*names, "gdb_demo_low"]))

    def test_a_lesson_is_gone_through_without_the_source(self):
        lab = self.assertInstalled("share", "doc", "vmsnap", "docs", "labs", "lab")
        self.assertIn("1. Demand paging", call(lab, env=self.env))
        if self.sanitized:
            return
        self.env["PATH"] = os.path.join(self.prefix, "bin") + os.pathsep + self.env["PATH"]
        if self.cache["CMAKE_INSTALL_PREFIX"] == "/usr":
            self.env["LD_LIBRARY_PATH"] = self.libdir
        self.assertRegex(call(lab, "1", "--check", env=self.env, cwd=self.work), r"\n(\d+) of \d+ claims hold here\n$")

    def test_a_lesson_says_what_it_lacks(self):
        lab = self.assertInstalled("share", "doc", "vmsnap", "docs", "labs", "lab")
        done = subprocess.run([lab, "1"], env={**self.env, "CC": "no-such-compiler"}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 77)
        self.assertIn("there is no no-such-compiler, which lessons need", done.stdout)

    def test_release_build_does_not_name_the_source_folder(self):
        """Of two rooms, for all are compiled with the same options; script/package compares whole builds."""
        build = os.path.join(self.work, "release")
        call(self.cache["CMAKE_COMMAND"], "-S", SOURCE, "-B", build, "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
             f"-DCMAKE_C_COMPILER={self.cache['CMAKE_C_COMPILER']}", "-DBUILD_TESTING=OFF", "-G",
             self.cache["CMAKE_GENERATOR"])
        call(self.cache["CMAKE_COMMAND"], "--build", build, "--target", "room_model", "room_proc", "-j", "2")
        objects = glob.glob(os.path.join(build, "core", "CMakeFiles", "room_*.dir", "**", "*.o"), recursive=True)
        self.assertGreater(len(objects), 20)
        code = b""
        for path in objects:
            with open(path, "rb") as file:
                code += file.read()
        self.assertIn(b"core/model", code, "they have debug information")
        self.assertNotIn(os.fsencode(SOURCE) + b"/", code)
        # Only where it is optimised can _FORTIFY_SOURCE be seen.
        symbols = call("readelf", "-W", "--symbols", *objects)
        self.assertRegex(symbols, r"__(mem|str|s?n?printf|vsnprintf|read|pread)\w*_chk\b")


if __name__ == "__main__":
    support.main()
