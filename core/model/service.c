#include "service.h"

#include <string.h>

enum { CONTAINER_ID_LEN = 64 };

static bool ends_with(struct name_in_path name, const char *end)
{
	size_t len = strlen(end);
	return name.len > len && memcmp(name.at + name.len - len, end, len) == 0;
}

static bool begins_with(struct name_in_path name, const char *start)
{
	size_t len = strlen(start);
	return name.len > len && memcmp(name.at, start, len) == 0;
}

/* The next part of a path; false after the last.  The kernel marks a cgroup that was removed. */
static bool next_part(const char **path, struct name_in_path *part)
{
	static const char mark[] = " (deleted)";
	*path += strspn(*path, "/");
	*part = (struct name_in_path){ *path, strcspn(*path, "/") };
	*path += part->len;
	if (!**path && ends_with(*part, mark))
		part->len -= sizeof(mark) - 1;
	return part->len;
}

struct name_in_path service_unit(const char *cgroup)
{
	static const char *const ends[] = { ".service", ".scope", ".socket", ".mount", ".swap" };
	struct name_in_path part, unit = { 0 };
	while (next_part(&cgroup, &part))
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			if (ends_with(part, ends[i]))
				unit = part;
	return unit;
}

/* "docker-ID.scope", "cri-containerd-ID.scope", "libpod-ID", "ID". */
static struct name_in_path id_in(struct name_in_path part)
{
	static const char scope[] = ".scope";
	if (ends_with(part, scope))
		part.len -= sizeof(scope) - 1;
	if (part.len < CONTAINER_ID_LEN)
		return (struct name_in_path){ 0 };
	struct name_in_path id = { part.at + part.len - CONTAINER_ID_LEN, CONTAINER_ID_LEN };
	for (size_t i = 0; i < id.len; i++)
		if (!strchr("0123456789abcdef", id.at[i]))
			return (struct name_in_path){ 0 };
	size_t before = part.len - id.len;
	/* conmon is who watches over a container. */
	bool other = before && (id.at[-1] != '-' || (before >= 8 && memcmp(id.at - 8, "-conmon-", 8) == 0));
	return other ? (struct name_in_path){ 0 } : id;
}

struct name_in_path service_container(const char *cgroup)
{
	static const char payload[] = "lxc.payload.";
	struct name_in_path part, container = { 0 };
	bool in_lxc = false;
	while (next_part(&cgroup, &part)) {
		struct name_in_path id = id_in(part);
		size_t skip = begins_with(part, payload) ? sizeof(payload) - 1 : 0;
		if (id.len)
			container = id;
		else if (skip || in_lxc)
			container = (struct name_in_path){ part.at + skip, part.len - skip };
		in_lxc = part.len == 3 && memcmp(part.at, "lxc", 3) == 0;
	}
	return container;
}

static int keep(struct vmsnap *snap, struct name_in_path name, struct work *work, const char **out)
{
	if (!name.len)
		return VMSNAP_OK;
	int rc = work_charge(work, name.len + 1);
	if (rc)
		return rc;
	*out = arena_copy(&snap->strings, name.at, name.len);
	return *out ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
}

int service_fill(struct vmsnap *snap, struct work *work)
{
	struct vmsnap_info *info = &snap->info;
	/* Those of the one below. */
	if (snap->base)
		return VMSNAP_OK;
	info->unit = info->container = "";
	int rc = keep(snap, service_unit(info->cgroup), work, &info->unit);
	return rc ? rc : keep(snap, service_container(info->cgroup), work, &info->container);
}
