/* file_snap_keys.h - the fields of SNAP (docs/format.md, section 4.1), once for
 * the reader and the writer. */
#ifndef VMSNAP_FILE_SNAP_KEYS_H
#define VMSNAP_FILE_SNAP_KEYS_H

#include "vmsnap.h"

enum snap_key {
	SNAP_PAGE_SIZE = 1,
	SNAP_PID,
	SNAP_TGID,
	SNAP_PPID,
	SNAP_UID,
	SNAP_NS_PID,
	SNAP_PID_NAMESPACE,
	SNAP_START_TIME,
	SNAP_TAKEN,
	SNAP_MONOTONIC,
	SNAP_PAUSE,
	SNAP_FREEZE,
	SNAP_CONSISTENT,
	SNAP_KNOWN,
	SNAP_BOOT_ID,
	SNAP_HOST,
	SNAP_KERNEL,
	SNAP_ARCH,
	SNAP_COMM,
	SNAP_EXE,
	SNAP_LABEL,
	SNAP_TOOL,
	SNAP_CMDLINE,
	SNAP_EXE_BUILD_ID,
	SNAP_REASON,
	SNAP_UNUSED, /* an old test file has it: it is skipped, for ever */
	SNAP_MISSED,
	SNAP_FAULTS,
	SNAP_CGROUP = 29,
	SNAP_MACHINE_HASH = 30,
	SNAP_PAGE_SIZE_ASSUMED = 31,
	SNAP_SWAP_IN_USE = 32,
	SNAP_SMAPS_TEXTS = 33,
	SNAP_START_CODE = 34,
	SNAP_START_STACK = 35,
	SNAP_ARG_START = 36,
	SNAP_MEMORY_WITH = 37,
	SNAP_BOOTTIME = 40,
	SNAP_PAGE_MOVES = 41,
	SNAP_ZERO_PFN = 42,
	SNAP_BUILD_IDS_PROVED = 43,
	SNAP_EXCLUSIVE_HUGE = 44,
	SNAP_WRITTEN_SINCE = 45,
	SNAP_WRITTEN = 46,
	SNAP_CONTENTS = 47,
	SNAP_CONTENTS_BYTES = 48,
	SNAP_KPAGE_READ = 49,
	SNAP_SOURCE = 50,
	SNAP_STATES_UNKNOWN = 51,
	SNAP_SIGNAL = 52,
	SNAP_KNOWN_UNTIL = 55,
	SNAP_EXECUTED = 56,
	SNAP_KEYS, /* at most 64 */
};

/* How a key's value is written; those of later times have no form. */
enum snap_form { SNAP_FORM_NONE, SNAP_FORM_NUMBER, SNAP_FORM_BYTES };
enum snap_form snap_form(uint64_t key);

/* Where in the model a key's value goes; NULL if it is none of that form. */
uint32_t *snap_number_32(struct vmsnap_info *info, uint64_t key);
uint64_t *snap_number_64(struct vmsnap_info *info, uint64_t key);
const char **snap_string(struct vmsnap_info *info, uint64_t key);
uint64_t snap_number_max(uint64_t key);

/* Whether it is in the SNAP of a snapshot that is stored as a difference: who it is of, when it was taken, and
 * what it is called.  All others are then in its DELT. */
bool snap_key_finds(uint64_t key);

struct vmsnap_known snap_known_of(uint64_t bits);
uint64_t snap_known_bits(const struct vmsnap_known *known);

#endif
