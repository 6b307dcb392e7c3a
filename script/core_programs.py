"""Programs whose cores script/cores makes: real ones, and of our own in C, C++ and Rust; and what makes each of them change what it
holds."""

import os
import socket
import subprocess

# Name: command.  Where standard input can make them change, they read it.
REAL = {
    "redis-server": ["redis-server", "--port", "0", "--unixsocket", "{folder}/s", "--save", ""],
    "python3": ["/usr/bin/python3", "-c", "import sys\nheld = [bytes([i % 256]) * 100 for i in range(10000)]\nsys.stdin.readline()\n"
                                          "held = [len(one) * 1.5 for one in held]\nsys.stdin.readline()"],
    "python3-threads": ["/usr/bin/python3", "-c", "import json, ssl, threading, time\n"
                                                  "threading.Thread(target=time.sleep, args=(1000,)).start()"],
    "postgres": ["postgres", "-D", "{data}", "-k", "{data}", "-c", "listen_addresses="],
    "node": ["node", "-e", "let held = []; process.stdin.on('data', () => { held.push(new Array(100000).fill(held.length)); });"],
    "nginx": ["nginx", "-p", "{folder}", "-c", "{folder}/nginx.conf"],
    "perl": ["perl", "-e", "my %h = map { $_ => 1 } 1..100000; <STDIN>; $h{$_} *= 2 for 1..50000; <STDIN>"],
    "ruby": ["ruby", "-e", "held = (1..100000).map(&:to_s); gets; held.map!(&:reverse); gets"],
    "php": ["php", "-r", "$held = range(1, 100000); fgets(STDIN); $held = array_reverse($held); fgets(STDIN);"],
    "gdb": ["gdb", "-q"], "cmake": ["cmake", "-E", "sleep", "1000"], "rg": ["rg", "word", "-"],
    "hyperfine": ["hyperfine", "sleep 1000"], "batcat": ["batcat", "--paging=never", "-"],
    "sqlite3": ["sqlite3", "-interactive"], "vim": ["vim", "-es"], "tmux": ["tmux", "-S", "{folder}/s", "-D"],
    "bash": ["bash", "-c", "for i in {1..1000}; do a[i]=$i; done; read x; for i in {1..500}; do a[i]=-$i; done; read x"],
    "zsh": ["zsh", "-fc", "read x; a=({1..1000}); read x"], "fish": ["fish", "-c", "read x; set a (seq 1000); read x"],
    "dash": ["dash", "-c", "read x; y=$x$x; read x"], "gawk": ["gawk", "{ held[NR] = $0; print }"],
    "tail": ["tail", "-f", "/dev/null"], "sleep": ["sleep", "1000"], "cat": ["cat"],
}
NGINX = "daemon off; master_process off; error_log stderr; pid p; events {} http { access_log off; server { listen unix:s; } }"
WORDS = {"sqlite3": b"create table t (x); insert into t values (1);\n", "gdb": b"print 1+1\n", "vim": b"let x = range(1000)\n"}
ASKED = {"redis-server": ("s", b"SET one two\r\nLPUSH many 1 2 3 4\r\n"), "nginx": ("s", b"GET / HTTP/1.0\r\n\r\n")}

# Each says a word before and after it has changed some of its variables, and waits for a character.
C = """#include <stdio.h>
struct point { int x; double y; char name[8]; struct point *next; };
int counter = 1, same = 7, table[8] = { 1, 2 };
unsigned char small = 200;
long big = -5;
double ratio = .5;
static short hidden = 3;
enum color { RED, GREEN } color;
_Bool flag;
struct point other = { 3, 4, "there", NULL }, home = { 1, 2.5, "here", NULL };
int main(void)
{
	puts("ready"), fflush(stdout), getchar();
	counter = 2, table[5] = 9, small++, big *= 2, ratio /= 4, hidden = -hidden, color = GREEN, flag = 1, home.x = 5;
	home.next = &other;
	puts("later"), fflush(stdout), getchar();
	return same;
}
"""
CXX = """#include <cstdio>
#include <string>
namespace app {
int counter = 1;
struct Shape { int sides; float area; };
struct Square : Shape { bool filled; } square{ { 4, 1.5f }, false };
template <class T> struct Held { static T value; };
template <class T> T Held<T>::value = 3;
namespace { long hidden = 11; }
}
struct Thing { static int count; };
int Thing::count = 1;
std::string text = "short";
int main()
{
	std::puts("ready"), std::fflush(stdout), std::getchar();
	app::counter = 2, app::square.sides = 5, app::square.filled = true, app::Held<int>::value = 4, app::hidden = 12;
	Thing::count = 9, text = "other";
	std::puts("later"), std::fflush(stdout), std::getchar();
	return app::Held<int>::value;
}
"""
RUST = """use std::io::{Read, Write};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::SeqCst};
static COUNTER: AtomicU32 = AtomicU32::new(1);
static SAME: AtomicU32 = AtomicU32::new(7);
mod inner {
    pub static BIG: super::AtomicI64 = super::AtomicI64::new(-5);
    pub static mut TABLE: [u16; 4] = [1, 2, 3, 4];
}
fn wait(word: &str) {
    println!("{}", word);
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read(&mut [0u8; 1]).unwrap();
}
fn main() {
    wait("ready");
    COUNTER.store(2, SeqCst);
    inner::BIG.store(-10, SeqCst);
    unsafe { inner::TABLE[2] = 9; }
    wait("later");
    std::process::exit(SAME.load(SeqCst) as i32);
}
"""
OWN = {"own-c": ("own.c", C, ["gcc", "-g", "-O0"]), "own-c++": ("own.cc", CXX, ["g++", "-g", "-O0"]),
       "own-rust": ("own.rs", RUST, ["rustc", "-g", "-C", "codegen-units=1"])}


def prepared(name, folder):
    """The command of a program, for this folder."""
    if name in OWN:
        source, text, compiler = OWN[name]
        with open(os.path.join(folder, source), "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run([*compiler, source, "-o", "own"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        return [os.path.join(folder, "own")]
    if name == "nginx":
        with open(os.path.join(folder, "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(NGINX)
    data = os.path.join(folder, "data")
    command = [word.replace("{folder}", folder).replace("{data}", data) for word in REAL[name]]
    if name != "postgres":
        return command
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    os.chmod(folder, 0o777)
    subprocess.run([*as_nobody, "initdb", "-A", "trust", "-D", data], check=True, cwd="/", stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return [*as_nobody, *command]


def change(name, process, folder):
    """Has a real program do something; whatever that changes is compared."""
    if name == "postgres":
        subprocess.run(["psql", "-h", os.path.join(folder, "data"), "-U", "nobody", "postgres", "-c", "select 1"], cwd="/", check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    elif name in ASKED:
        path, words = ASKED[name]
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(os.path.join(folder, path))
            link.sendall(words)
            link.recv(1000)
    else:
        process.stdin.write(WORDS.get(name, b"word\n"))
        process.stdin.flush()
