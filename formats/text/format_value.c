#define _GNU_SOURCE
#include "format_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Three digits of part/unit.  In whole numbers: printf's %f would follow the
 * locale's decimal point. */
static int three_digits(char *out, size_t room, uint64_t value, uint64_t unit)
{
	unsigned __int128 hundredths = ((unsigned __int128)value * 100 + unit / 2) / unit;
	uint64_t h = (uint64_t)hundredths;
	if (h < 1000)
		return snprintf(out, room, "%" PRIu64 ".%02u", h / 100, (unsigned)(h % 100));
	unsigned __int128 tenths = ((unsigned __int128)value * 10 + unit / 2) / unit;
	uint64_t t = (uint64_t)tenths;
	if (t < 1000)
		return snprintf(out, room, "%" PRIu64 ".%u", t / 10, (unsigned)(t % 10));
	return snprintf(out, room, "%" PRIu64, value / unit + (value % unit >= unit / 2));
}

struct word word_size(const struct vmsnap_style *style, uint64_t bytes)
{
	if (style->bytes || bytes < 1024)
		return word_number(bytes);
	struct word word;
	unsigned shift = 10, letter = 0;
	/* 1023.5K and above would be written with four digits: the next unit. */
	while (letter < 5 && (bytes >> shift) >= 1000 && (bytes >> (shift - 1)) + 1 >= 2048) {
		shift += 10;
		letter++;
	}
	int len = three_digits(word.text, sizeof(word.text) - 1, bytes, UINT64_C(1) << shift);
	word.text[len] = "KMGTPE"[letter];
	word.text[len + 1] = '\0';
	return word;
}

struct word word_size_or_unknown(const struct vmsnap_style *style, uint64_t bytes, bool known)
{
	return known ? word_size(style, bytes) : (struct word){ "?" };
}

struct word word_size_least(const struct vmsnap_style *style, uint64_t bytes, uint64_t unknown)
{
	struct word size = word_size_or_unknown(style, bytes, bytes || !unknown), word = { "" };
	snprintf(word.text, sizeof(word.text), "%s%.38s", bytes && unknown ? "at least " : "", size.text);
	return word;
}

struct word word_delta(const struct vmsnap_style *style, bool less, uint64_t bytes)
{
	struct word word = { "" };
	if (!bytes)
		return word;
	struct word size = word_size(style, bytes);
	snprintf(word.text, sizeof(word.text), "%c%.40s", less ? '-' : '+', size.text);
	return word;
}

size_t write_decimal(char *out, uint64_t number)
{
	char digits[20];
	size_t count = 0;
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	for (size_t i = 0; i < count; i++)
		out[i] = digits[count - 1 - i];
	return count;
}

size_t write_hex(char *out, uint64_t number)
{
	size_t count = number ? (size_t)(67 - __builtin_clzll(number)) / 4 : 1;
	for (size_t i = count; i-- > 0; number >>= 4)
		out[i] = "0123456789abcdef"[number & 15];
	return count;
}

size_t write_digits(char *out, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	return 2 * len;
}

struct word word_number(uint64_t number)
{
	struct word word;
	word.text[write_decimal(word.text, number)] = '\0';
	return word;
}

struct word word_hex(uint64_t number)
{
	struct word word = { "0x" };
	word.text[2 + write_hex(word.text + 2, number)] = '\0';
	return word;
}

/* At least eight digits, so that small addresses line up. */
struct word word_address(uint64_t number)
{
	struct word word = { "0000000" };
	size_t zeros = number >> 28 ? 0 : number ? (size_t)__builtin_clz((uint32_t)number) / 4 : 7;
	word.text[zeros + write_hex(word.text + zeros, number)] = '\0';
	return word;
}

struct word word_percent(uint64_t part, uint64_t whole)
{
	if (!whole)
		return (struct word){ "" };
	struct word word;
	uint64_t tenths = (uint64_t)(((unsigned __int128)part * 1000 + whole / 2) / whole);
	if (tenths >= 1000)
		snprintf(word.text, sizeof(word.text), "%" PRIu64 "%%", tenths / 10);
	else
		snprintf(word.text, sizeof(word.text), "%" PRIu64 ".%u%%", tenths / 10, (unsigned)(tenths % 10));
	return word;
}

struct word word_perm_bits(uint32_t perms)
{
	struct word word = { "---" };
	if (perms & VMSNAP_PERM_READ)
		word.text[0] = 'r';
	if (perms & VMSNAP_PERM_WRITE)
		word.text[1] = 'w';
	if (perms & VMSNAP_PERM_EXEC)
		word.text[2] = 'x';
	return word;
}

struct word word_perms(const struct vmsnap_vma *vma)
{
	struct word word = word_perm_bits(vma->perms);
	word.text[3] = vma->unknown & VMSNAP_VMA_UNKNOWN_SHARED ? '?' : vma->perms & VMSNAP_PERM_SHARED ? 's' : 'p';
	if (vma->unknown & VMSNAP_VMA_UNKNOWN_PERMS)
		memset(word.text, '?', 4);
	word.text[4] = '\0';
	return word;
}

struct word word_device(const struct vmsnap_vma *vma)
{
	struct word word;
	snprintf(word.text, sizeof(word.text), "%02" PRIx32 ":%02" PRIx32, vma->dev_major, vma->dev_minor);
	return word;
}

static unsigned split_time(int64_t ns, time_t *seconds)
{
	int64_t whole = ns / 1000000000, rest = ns % 1000000000;
	if (rest < 0) {
		whole--;
		rest += 1000000000;
	}
	*seconds = (time_t)whole;
	return (unsigned)rest;
}

struct word word_time_utc(int64_t ns)
{
	struct word word = { "" };
	time_t seconds;
	struct tm parts;
	unsigned rest = split_time(ns, &seconds);
	if (!gmtime_r(&seconds, &parts))
		return word;
	size_t len = strftime(word.text, sizeof(word.text), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(word.text + len, sizeof(word.text) - len, ".%09uZ", rest);
	return word;
}

struct word word_time_brief(int64_t ns)
{
	struct word word = { "" };
	time_t seconds;
	struct tm parts;
	split_time(ns, &seconds);
	if (localtime_r(&seconds, &parts))
		strftime(word.text, sizeof(word.text), "%Y-%m-%d %H:%M:%S", &parts);
	return word;
}

struct word word_time_local(int64_t ns)
{
	struct word word = { "" };
	time_t seconds;
	struct tm parts;
	char zone[8];
	unsigned rest = split_time(ns, &seconds);
	if (!localtime_r(&seconds, &parts))
		return word;
	size_t len = strftime(word.text, sizeof(word.text), "%Y-%m-%d %H:%M:%S", &parts);
	strftime(zone, sizeof(zone), "%z", &parts);
	snprintf(word.text + len, sizeof(word.text) - len, ".%03u %s", rest / 1000000, zone);
	return word;
}

struct word word_duration(uint64_t ns)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" } };
	struct word word;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns < units[i].unit)
			continue;
		int len = three_digits(word.text, sizeof(word.text), ns, units[i].unit);
		snprintf(word.text + len, sizeof(word.text) - (size_t)len, " %s", units[i].name);
		return word;
	}
	snprintf(word.text, sizeof(word.text), "%" PRIu64 " ns", ns);
	return word;
}

const char *word_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}
