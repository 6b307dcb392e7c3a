# machine.sh - what the tests need of the machine, made by root and taken back:
# swap on a zram device of its own, huge pages, merging of equal pages, huge pages
# for shared memory.  Sourced by bash.

machine_undo=()
machine_zram=

# Sets one file to a value and remembers the old one.
machine_set() {
	local file=$1 value=$2 old
	[ -w "$file" ] || return 1
	old=$(cat "$file")
	case $old in *\[*) old=${old#*\[} old=${old%%\]*} ;; esac
	[ "$old" = "$value" ] && return 0
	echo "$value" >"$file" 2>/dev/null || return 1
	machine_undo=("$file" "$old" "${machine_undo[@]}")
}

machine_swap_on() {
	local number
	have mkswap && have swapon || return 1
	[ -e /sys/class/zram-control/hot_add ] || modprobe zram 2>/dev/null || return 1
	# Reading makes a new device, so that nobody else's is touched.
	number=$(cat /sys/class/zram-control/hot_add) || return 1
	machine_zram=$number
	echo 512M >"/sys/block/zram$number/disksize" || return 1
	local tries
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		[ -b "/dev/zram$number" ] && break
		sleep 0.1
	done
	mkswap "/dev/zram$number" >/dev/null && swapon -p 100 "/dev/zram$number"
}

machine_swap_off() {
	[ -n "$machine_zram" ] || return 0
	if grep -q "^/dev/zram$machine_zram " /proc/swaps; then
		swapoff "/dev/zram$machine_zram" || true
	fi
	echo 1 >"/sys/block/zram$machine_zram/reset" 2>/dev/null || true
	echo "$machine_zram" >/sys/class/zram-control/hot_remove 2>/dev/null || true
	machine_zram=
}

machine_prepare() {
	if ! is_root; then
		say "Not root: no swap, huge pages or merged pages are set up for the tests."
		return 0
	fi
	machine_swap_on || say "No swap could be set up."
	local pages
	pages=$(cat /proc/sys/vm/nr_hugepages 2>/dev/null || echo 0)
	[ "$pages" -ge 16 ] || machine_set /proc/sys/vm/nr_hugepages 16 || say "No huge pages could be set aside."
	machine_set /sys/kernel/mm/ksm/pages_to_scan 2000 || true
	machine_set /sys/kernel/mm/ksm/sleep_millisecs 20 || true
	machine_set /sys/kernel/mm/ksm/run 1 || say "Equal pages are not merged here."
	machine_set /sys/kernel/mm/transparent_hugepage/shmem_enabled advise || true
	case $(cat /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null) in
	*'[never]'*) machine_set /sys/kernel/mm/transparent_hugepage/enabled madvise || true ;;
	esac
}

machine_restore() {
	set +e
	while [ ${#machine_undo[@]} -gt 0 ]; do
		echo "${machine_undo[1]}" >"${machine_undo[0]}"
		machine_undo=("${machine_undo[@]:2}")
	done
	machine_swap_off
}
