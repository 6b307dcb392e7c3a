# tree.sh - folders with another Debian in them, by debootstrap.  Sourced after lib.sh.

PATH=$PATH:/usr/sbin:/sbin # where debootstrap and chroot are

# Why there can be none here; nothing if there can.
tree_why_not() {
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg
	is_root || { echo "only root can make it"; return; }
	have debootstrap || { echo "there is no debootstrap"; return; }
	have unshare || { echo "there is no unshare"; return; }
	[ -r "$keys" ] || { echo "there is no $keys (package debian-archive-keyring)"; return; }
	[ -n "$(debian_mirror)" ] || { echo "apt knows no mirror of Debian"; return; }
}

# tree_proxy: as variables for env, what apt is to go through.
tree_proxy() {
	local http_proxy= https_proxy=
	eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy 2>/dev/null || true)"
	[ -z "$http_proxy" ] || printf '%s\n' "http_proxy=$http_proxy"
	[ -z "$https_proxy" ] || printf '%s\n' "https_proxy=$https_proxy"
}

# tree_bootstrap SUITE FOLDER [PACKAGE...]
tree_bootstrap() {
	local suite=$1 folder=$2 proxy include=()
	shift 2
	mapfile -t proxy < <(tree_proxy)
	[ $# = 0 ] || include=(--include="$(IFS=,; echo "$*")")
	env "${proxy[@]}" timeout 900 debootstrap --variant=minbase \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg "${include[@]}" "$suite" "$folder" "$(debian_mirror)"
}
