/* error.h - what went wrong, and the version of the library.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_ERROR_API_H
#define VMSNAP_ERROR_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header; vmsnap_version() is that of the library. */
#define VMSNAP_VERSION_STRING "0.1.0"
const char *vmsnap_version(void);

/* ---- errors ------------------------------------------------------------- */

enum vmsnap_rc {
	VMSNAP_OK = 0,
	VMSNAP_END = 1, /* an iterator has no more */
	VMSNAP_ERR_ARGUMENT = -1,
	VMSNAP_ERR_NO_MEMORY = -2,
	VMSNAP_ERR_SYSTEM = -3,        /* a system call failed: see sys_errno */
	VMSNAP_ERR_PROC = -4,          /* kernel text not understood: position is the line */
	VMSNAP_ERR_NO_PROCESS = -5,    /* no such process */
	VMSNAP_ERR_KERNEL_THREAD = -6, /* has no address space */
	VMSNAP_ERR_ZOMBIE = -7,        /* has no address space any more */
	VMSNAP_ERR_PERMISSION = -8,    /* message says what would help */
	VMSNAP_ERR_EXITED = -9,        /* the target exited meanwhile */
	VMSNAP_ERR_EXECED = -10,       /* the target executed another program meanwhile */
	VMSNAP_ERR_NOT_SNAPSHOT = -11, /* not a vmsnap file */
	VMSNAP_ERR_NEWER = -12,        /* written by a newer vmsnap */
	VMSNAP_ERR_CORRUPT = -13,      /* damaged: position is the offset */
	VMSNAP_ERR_TRUNCATED = -14,    /* ends too early: position is the offset */
	VMSNAP_ERR_TOO_LARGE = -15,    /* over a limit: position is the offset */
	VMSNAP_ERR_NOT_FOUND = -16,    /* no such snapshot, address, … */
	VMSNAP_ERR_CANCELLED = -17,    /* the caller's cancel function said so */
};

const char *vmsnap_rc_name(int rc); /* "no_process"; NULL if there is none such, as for all names */

/* This struct does not grow. */
struct vmsnap_error {
	int code;          /* enum vmsnap_rc */
	int sys_errno;     /* errno, or 0 */
	uint64_t position; /* byte offset in a file, or line of kernel text */
	char message[512]; /* one line, no newline; may hold raw bytes of names */
};

#ifdef __cplusplus
}
#endif
#endif
