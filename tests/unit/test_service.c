/* Which service a process belongs to: the text of /proc/PID/cgroup, what its path names, and the
 * hash that stands for the machine's id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cgroup.h"
#include "service.h"
#include "sha256.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *path, *unit, *container;
} paths[] = {
	{ "", "", "" },
	{ "/", "", "" },
	{ "/system.slice", "", "" },
	{ "/system.slice/nginx.service", "nginx.service", "" },
	{ "/system.slice/nginx.service (deleted)", "nginx.service", "" },
	{ "/system.slice/system-postgresql.slice/postgresql@15-main.service", "postgresql@15-main.service", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/emacs.service", "emacs.service", "" },
	{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "" },
	{ "/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID },
	{ "/docker/" ID, "", ID },
	{ "/docker/" ID "/inner", "", ID },
	{ "/system.slice/containerd.service/kubepods-besteffort-pod1.slice:cri-containerd:x", "containerd.service",
	  "" },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7.slice/cri-containerd-" ID ".scope",
	  "cri-containerd-" ID ".scope", ID },
	{ "/kubepods/burstable/pod7/" ID, "", ID },
	{ "/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", ID },
	{ "/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "" },
	{ "/lxc.payload.web/system.slice/cron.service", "cron.service", "web" },
	{ "/lxc/web", "", "web" },
	{ "/../../" ID, "", ID },
	{ "/x" ID, "", "" },            /* no id that somebody wrote behind a '-' */
	{ "/0" ID, "", "" },            /* 65 digits */
	{ "/.service/.scope", "", "" }, /* no name at all */
};

static void path_names_a_unit_and_a_container(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct name_in_path unit = service_unit(paths[i].path), container = service_container(paths[i].path);
		if (unit.len != strlen(paths[i].unit) || memcmp(unit.at ? unit.at : "", paths[i].unit, unit.len) != 0)
			fail_msg("%s: unit %.*s", paths[i].path, (int)unit.len, unit.at);
		if (container.len != strlen(paths[i].container) ||
		    memcmp(container.at ? container.at : "", paths[i].container, container.len) != 0)
			fail_msg("%s: container %.*s", paths[i].path, (int)container.len, container.at);
	}
}

static void expect_path(const char *text, const char *expected)
{
	char copy[512];
	snprintf(copy, sizeof(copy), "%s", text);
	struct proc_text proc = { .text = copy, .len = strlen(copy) };
	struct cursor path = cgroup_path(&proc);
	if ((size_t)(path.end - path.at) != strlen(expected) || memcmp(path.at, expected, strlen(expected)) != 0)
		fail_msg("\"%s\": \"%.*s\"", text, (int)(path.end - path.at), path.at);
}

static void path_is_taken_of_the_hierarchy_that_tells_most(void **state)
{
	(void)state;
	expect_path("0::/system.slice/a.service\n", "/system.slice/a.service");
	expect_path("0::/\n", "/");
	expect_path("12:memory:/docker/x\n1:name=systemd:/user.slice\n0::/\n", "/user.slice");
	expect_path("12:memory:/docker/x\n1:name=systemd:/user.slice\n0::/new\n", "/new");
	expect_path("12:cpu,cpuacct:/a:b\n11:memory:/other\n", "/a:b");
	expect_path("12:cpu:/\n", "/");
	expect_path("0::/no newline", "/no newline");
	expect_path("", "");
	expect_path("garbage\n\n::\n0:\n0::relative\n", "");
}

static void expect_hash(const uint8_t hash[SHA256_BYTES], const char *expected)
{
	char words[2 * SHA256_BYTES + 1];
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(words + 2 * i, 3, "%02x", hash[i]);
	assert_string_equal(words, expected);
}

/* The examples of FIPS 180 and RFC 4231. */
static void hashes_are_those_of_the_standards(void **state)
{
	(void)state;
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	uint8_t hash[SHA256_BYTES];
	sha256((const uint8_t *)"", 0, hash);
	expect_hash(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256((const uint8_t *)"abc", 3, hash);
	expect_hash(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256((const uint8_t *)two_blocks, sizeof(two_blocks) - 1, hash);
	expect_hash(hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	static const char message[] = "what do ya want for nothing?";
	hmac_sha256((const uint8_t *)"Jefe", 4, (const uint8_t *)message, sizeof(message) - 1, hash);
	expect_hash(hash, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_names_a_unit_and_a_container),
		cmocka_unit_test(path_is_taken_of_the_hierarchy_that_tells_most),
		cmocka_unit_test(hashes_are_those_of_the_standards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
