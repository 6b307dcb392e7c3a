/* identity_columns.h - who a snapshot is of and how it came about, as columns of the tables that have a
 * line for each snapshot.  JSON has it as a record (snapshot_record.h). */
#ifndef VMSNAP_IDENTITY_COLUMNS_H
#define VMSNAP_IDENTITY_COLUMNS_H

#include "row.h"

/* What every such table shows, or may show, is its own: time, pid, parent, name, label, reason. */
enum {
	IDENTITY_TGID,
	IDENTITY_UID,
	IDENTITY_NS_PID,
	IDENTITY_NAMESPACE,
	IDENTITY_START_TIME,
	IDENTITY_EXE,
	IDENTITY_BUILD_ID,
	IDENTITY_CMDLINE,
	IDENTITY_CGROUP,
	IDENTITY_UNIT,
	IDENTITY_CONTAINER,
	IDENTITY_HOST,
	IDENTITY_MACHINE,
	IDENTITY_BOOT_ID,
	IDENTITY_KERNEL,
	IDENTITY_ARCH,
	IDENTITY_PAGE_SIZE,
	IDENTITY_SWAP_IN_USE,
	IDENTITY_FREEZE,
	IDENTITY_INSTANT,
	IDENTITY_PAUSE,
	IDENTITY_TOOL,
	IDENTITY_COLUMNS
};
#define IDENTITY_COLUMN(first, which, heading, type, flags, help)                                                      \
	[(first) + IDENTITY_##which] = { NULL, heading, type, COLUMN_SECONDARY | (flags), help, NULL }
/* For the array of columns, and for their order in the table. */
#define IDENTITY_COLUMNS_OF(first)                                                                                     \
	IDENTITY_COLUMN(first, TGID, "TGID", COLUMN_COUNT, 0, "of the process, if it was read from a thread"),         \
	        IDENTITY_COLUMN(first, UID, "UID", COLUMN_COUNT, 0, "of its effective user"),                          \
	        IDENTITY_COLUMN(first, NS_PID, "NSPID", COLUMN_COUNT, 0, "in its own PID namespace"),                  \
	        IDENTITY_COLUMN(first, NAMESPACE, "PIDNS", COLUMN_COUNT, 0, "its PID namespace"),                      \
	        IDENTITY_COLUMN(first, START_TIME, "START", COLUMN_COUNT, 0, "when it began, clock ticks after boot"), \
	        IDENTITY_COLUMN(first, EXE, "EXE", COLUMN_PATH, 0, "its program"),                                     \
	        IDENTITY_COLUMN(first, BUILD_ID, "BUILDID", COLUMN_BUILD_ID, 0, "of its program"),                     \
	        IDENTITY_COLUMN(first, CMDLINE, "CMDLINE", COLUMN_TEXT, COLUMN_LONG, "its arguments"),                 \
	        IDENTITY_COLUMN(first, CGROUP, "CGROUP", COLUMN_PATH, 0, "its cgroup"),                                \
	        IDENTITY_COLUMN(first, UNIT, "UNIT", COLUMN_NAME, 0, "its systemd unit, if the cgroup names one"),     \
	        IDENTITY_COLUMN(first, CONTAINER, "CONTAINER", COLUMN_NAME, 0, "its container, if that names one"),    \
	        IDENTITY_COLUMN(first, HOST, "HOST", COLUMN_NAME, 0, "the machine's name"),                            \
	        IDENTITY_COLUMN(first, MACHINE, "MACHINE", COLUMN_NAME, 0, "a hash of the machine's id"),              \
	        IDENTITY_COLUMN(first, BOOT_ID, "BOOT", COLUMN_NAME, 0, "the boot's id"),                              \
	        IDENTITY_COLUMN(first, KERNEL, "KERNEL", COLUMN_NAME, 0, "the kernel's release"),                      \
	        IDENTITY_COLUMN(first, ARCH, "ARCH", COLUMN_NAME, 0, "the machine's architecture"),                    \
	        IDENTITY_COLUMN(first, PAGE_SIZE, "PAGESIZE", COLUMN_BYTES, 0, "of its pages; ? if it is assumed"),    \
	        IDENTITY_COLUMN(first, SWAP_IN_USE, "SWAPINUSE", COLUMN_BYTES, 0, "of the whole machine"),             \
	        IDENTITY_COLUMN(first, FREEZE, "FREEZE", COLUMN_WORD, 0, "whether it stood"),                          \
	        IDENTITY_COLUMN(first, INSTANT, "INSTANT", COLUMN_WORD, 0, "whether it is of one instant; ? unknown"), \
	        IDENTITY_COLUMN(first, PAUSE, "PAUSE", COLUMN_DURATION, 0, "how long it stood"),                       \
	        IDENTITY_COLUMN(first, TOOL, "TOOL", COLUMN_NAME, 0, "what wrote the snapshot")
#define IDENTITY_SHOWN(first)                                                                                          \
	(first) + IDENTITY_TGID, (first) + IDENTITY_UID, (first) + IDENTITY_NS_PID, (first) + IDENTITY_NAMESPACE,      \
	        (first) + IDENTITY_START_TIME, (first) + IDENTITY_EXE, (first) + IDENTITY_BUILD_ID,                    \
	        (first) + IDENTITY_CMDLINE, (first) + IDENTITY_CGROUP, (first) + IDENTITY_UNIT,                        \
	        (first) + IDENTITY_CONTAINER, (first) + IDENTITY_HOST, (first) + IDENTITY_MACHINE,                     \
	        (first) + IDENTITY_BOOT_ID, (first) + IDENTITY_KERNEL, (first) + IDENTITY_ARCH,                        \
	        (first) + IDENTITY_PAGE_SIZE, (first) + IDENTITY_SWAP_IN_USE, (first) + IDENTITY_FREEZE,               \
	        (first) + IDENTITY_INSTANT, (first) + IDENTITY_PAUSE, (first) + IDENTITY_TOOL

/* first: where IDENTITY_TGID stands. */
void put_identity_columns(struct row *row, unsigned first, const struct vmsnap *snap);

#endif
