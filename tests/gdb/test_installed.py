"""The installed plugin: it finds its library from where it lies, a tree may be moved, and
gdb loads it by itself.  Installs with cmake, so it is not run where there is none."""

import glob
import os
import subprocess
import sys
import unittest

from gdb_session import GDB, ROOT, Gdb, environment, folder, kernel, main, need_namespaces, skip

BUILD = os.environ.get("VMSNAP_BUILD", os.path.dirname(os.environ.get("VMSNAP", "build/vmsnap")))


def install(prefix, **env):
    done = subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **env})
    assert not done.returncode, done.stdout.decode(errors="replace")


class Installed(unittest.TestCase):
    def setUp(self):
        if not os.access(BUILD, os.W_OK):
            skip(self, "installing: the build belongs to someone else")
        self.where = folder(self)

    def check(self, tree, *script):
        """The plugin works, with the library of this tree."""
        gdb = Gdb(self, "gdb_steps", "write", 2, plugin=False, VMSNAP_LIB=None)
        gdb("source " + os.path.join(tree, *script))
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        gdb("vmsnap diff")
        mapped = {vma.name for vma in kernel.maps(gdb.pid) if b"libvmsnap" in vma.name}
        self.assertEqual(len(mapped), 1)
        self.assertTrue(mapped.pop().startswith(os.fsencode(tree) + b"/"))
        for package, place in (("vmsnap", "python"), ("vmsnap_gdb", "gdb")):
            self.assertEqual(gdb.value(f"__import__('{package}').__file__"),
                             f"{tree}/share/vmsnap/{place}/{package}/__init__.py")

    def test_plugin_of_an_installed_tree_and_of_one_that_was_moved(self):
        first, second = os.path.join(self.where, "first"), os.path.join(self.where, "second")
        install(first)
        self.check(first, "share", "vmsnap", "gdb", "vmsnap.py")
        os.rename(first, second)
        self.check(second, "share", "vmsnap", "gdb", "vmsnap.py")
        self.check(second, "etc", "gdb", "gdbinit.d", "vmsnap.py")

    def test_module_where_python_looks_for_it_and_a_link_beside_the_plugin(self):
        """As packages have it: it is the same one, also if a script has used it before."""
        install(self.where)
        beside = os.path.join(self.where, "share", "vmsnap", "python", "vmsnap")
        modules = os.path.join(self.where, "lib", "python3", "modules")
        os.makedirs(modules)
        os.rename(beside, os.path.join(modules, "vmsnap"))
        os.symlink(os.path.relpath(os.path.join(modules, "vmsnap"), os.path.dirname(beside)), beside)
        gdb = Gdb(self, "gdb_steps", "write", 2, plugin=False, VMSNAP_LIB=None, PYTHONPATH=modules)
        gdb("python import vmsnap, vmsnap._lib; vmsnap.used = vmsnap._lib.lib()")
        self.assertEqual(gdb("source " + os.path.join(self.where, "share", "vmsnap", "gdb", "vmsnap.py")), "")
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        self.assertTrue(gdb.value("__import__('vmsnap')._lib.lib() is __import__('vmsnap').used"))

    def test_module_of_an_installed_tree_in_a_plain_python(self):
        first, second = os.path.join(self.where, "first"), os.path.join(self.where, "second")
        install(first)
        for tree in (first, second):
            code = ("import os, vmsnap; print(vmsnap.__file__); vmsnap.capture(os.getpid()); "
                    "print([m.name for m in vmsnap.capture(os.getpid()).mappings if 'libvmsnap' in m.name][0])")
            env = {key: value for key, value in os.environ.items() if key != "VMSNAP_LIB"}
            done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, cwd="/",
                                  env={**env, "PYTHONPATH": f"{tree}/share/vmsnap/python"})
            for line in done.stdout.splitlines():
                self.assertTrue(line.startswith(f"{tree}/"), line)
            if tree == first:
                os.rename(first, second)

    def test_gdb_loads_it_at_its_start(self):
        if not ROOT or not os.path.isdir("/etc/gdb"):
            skip(self, "gdb's own start scripts: not root, or gdb has no /etc/gdb")
        need_namespaces(self, "--mount")
        install("/usr/local", DESTDIR=self.where)
        stub = os.path.join(self.where, "etc", "gdb", "gdbinit.d", "vmsnap.py")
        self.assertEqual(os.listdir(os.path.dirname(stub)), ["vmsnap.py"])
        # In a mount namespace of its own, where the tree lies in its place.
        script = ('mount --bind "$1/etc/gdb" /etc/gdb && mount --bind "$1/usr/local" /usr/local && shift && exec "$@"')
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", self.where, *GDB.split(), "-q", "-batch",
                               "-ex", "vmsnap list", "-ex", "python print(__import__('vmsnap_gdb').__file__)"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              env=environment(VMSNAP_LIB=None, HOME=self.where), timeout=300)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"No snapshots", done.stdout)
        self.assertIn(b"/usr/local/share/vmsnap/gdb/vmsnap_gdb/__init__.py", done.stdout)

    def test_what_is_installed_is_what_is_there(self):
        install(self.where)
        for name, below in (("gdb", ""), ("python", "vmsnap")):
            source = os.path.join(os.environ["VMSNAP_SOURCE"], name)
            wanted = {os.path.relpath(path, source)
                      for path in glob.glob(os.path.join(source, below, "**", "*.py"), recursive=True)}
            wanted.discard("generate.py")  # makes a part of it, from the source
            there = os.path.join(self.where, "share", "vmsnap", name)
            found = {os.path.relpath(path, there) for path in glob.glob(f"{there}/**/*.py", recursive=True)}
            self.assertEqual(found, wanted)


if __name__ == "__main__":
    main()
