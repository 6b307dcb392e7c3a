/* faults_bpf.h - page faults of one process by a program of the kernel's own (BPF) at the tracepoint, which writes what
 * vmsnap blame wants to know of each into a ring: what perf_event_open(2) takes is held against it. Needs root, and no
 * tracefs. */
#ifndef VMSNAP_FAULTS_BPF_H
#define VMSNAP_FAULTS_BPF_H

#include <sys/types.h>

struct faults_bpf {
	int map, link;
	unsigned long *taken; /* the reader's page of the ring, and from the next page on what the kernel writes */
	const unsigned long *written;
};
struct fault_told {
	unsigned long address, error, ids, time, instruction;
};

int faults_bpf_open(struct faults_bpf *bpf, pid_t pid); /* -1 with errno */
unsigned faults_bpf_take(struct faults_bpf *bpf);       /* returns the bytes of a record, 0: there was none */
void faults_bpf_close(struct faults_bpf *bpf);

#endif
