# lib.sh - what the scripts share.  Sourced by bash; knows where the project is.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

# Debian's mirror, as apt has it; nothing if it has none.
debian_mirror() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' \
		2>/dev/null | head -n 1 || true)
	[ -n "$uri" ] || uri=$(sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb \(\[.*\] \)\?\([^ ]*\) .* main.*/\2/p' \
		/etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
	printf '%s\n' "$uri"
}

# build PRESET [TARGET]: configures once, then builds what changed.  A build folder
# that was made for another place or by another generator is made afresh.
build() {
	local preset=$1 folder=$root/build/$1 log
	shift
	if [ -e "$folder/CMakeCache.txt" ] &&
		! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
		rm -rf "$folder"
	fi
	mkdir -p "$folder"
	log=$folder/build.log
	: >"$log"
	if [ ! -e "$folder/build.ninja" ] && [ ! -e "$folder/Makefile" ]; then
		(cd "$root" && cmake --preset "$preset") >>"$log" 2>&1 || { cat "$log" >&2; die "cannot configure $preset"; }
	fi
	cmake --build "$folder" --parallel "$(nproc)" ${1:+--target "$@"} >>"$log" 2>&1 ||
		{ tail -n 60 "$log" >&2; die "cannot build $preset"; }
}
