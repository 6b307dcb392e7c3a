/* service.h - what the path of a cgroup names: a unit of systemd, a container.  Pure. */
#ifndef VMSNAP_SERVICE_H
#define VMSNAP_SERVICE_H

#include "snapshot.h"
#include "work.h"

struct name_in_path {
	const char *at;
	size_t len; /* 0: none */
};
/* The innermost "NAME.service", or ".scope", …: not slices, which hold them. */
struct name_in_path service_unit(const char *cgroup);
/* The innermost container: what docker, podman, containerd and cri-o call one (64 digits), or the name
 * that LXC gave it. */
struct name_in_path service_container(const char *cgroup);

/* Fills info.unit and info.container.  Gives the codes of work.h. */
int service_fill(struct vmsnap *snap, struct work *work);

#endif
