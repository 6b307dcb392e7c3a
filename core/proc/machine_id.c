#define _GNU_SOURCE
#include "machine_id.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "error.h"
#include "scan.h"
#include "sha256.h"

/* As sd_id128_get_machine_app_specific() makes one: the id itself is not for others to know, and may be
 * what other programs make secrets of. */
static bool hash_of(const char *id, char out[MACHINE_HASH_BYTES])
{
	/* Never another: the same machine has the same hash for ever. */
	static const uint8_t of_vmsnap[16] = { 0xbc, 0x33, 0x73, 0x3d, 0x97, 0x60, 0x23, 0xfb,
		                               0xec, 0xac, 0x20, 0x5b, 0xba, 0x91, 0x05, 0xa7 };
	uint8_t key[16], hash[SHA256_BYTES];
	for (size_t i = 0; i < sizeof(key); i++) {
		int high = hex_digit(id[2 * i]), low = high < 0 ? -1 : hex_digit(id[2 * i + 1]);
		if (low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	hmac_sha256(key, sizeof(key), of_vmsnap, sizeof(of_vmsnap), hash);
	/* A random UUID, says RFC 4122. */
	hash[6] = (hash[6] & 0x0f) | 0x40;
	hash[8] = (hash[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	return true;
}

bool machine_id_hash(char out[MACHINE_HASH_BYTES])
{
	char id[MACHINE_HASH_BYTES] = "";
	CLEANUP_CLOSE int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, id, 32) == 32 && hash_of(id, out);
}
