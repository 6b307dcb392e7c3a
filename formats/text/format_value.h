/* format_value.h - how numbers, times and permissions are put into words, always in
 * the same way and whatever the locale. */
#ifndef VMSNAP_FORMAT_VALUE_H
#define VMSNAP_FORMAT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "vmsnap.h"

/* Short texts by value, so that one can stand in an argument list. */
struct word {
	char text[48];
};
/* Digits without a terminator, most significant first; returns how many.  Much of
 * what is printed is numbers, and printf takes its time. */
size_t write_decimal(char *out, uint64_t number);
size_t write_hex(char *out, uint64_t number);
/* Two digits for each byte. */
enum { BUILD_ID_MAX = 64 };
size_t write_digits(char *out, const uint8_t *bytes, size_t len);

/* "0", "512", "4.00K", "504K", "2.50M": three digits.  With style.bytes "4096". */
struct word word_size(const struct vmsnap_style *style, uint64_t bytes);
/* The same, or "?" if it is not known. */
struct word word_size_or_unknown(const struct vmsnap_style *style, uint64_t bytes, bool known);
/* "at least 4.00K" where more may not be known; "?" if none is. */
struct word word_size_least(const struct vmsnap_style *style, uint64_t bytes, uint64_t unknown);
/* "+4.00K", "-4.00K"; "" for 0 */
struct word word_delta(const struct vmsnap_style *style, bool less, uint64_t bytes);
struct word word_number(uint64_t number);
struct word word_hex(uint64_t number);     /* "0x1f" */
struct word word_address(uint64_t number); /* "7f1a40000000" */
/* part of whole in percent: "0.4%", "31.8%", "100%"; "" if whole is 0. */
struct word word_percent(uint64_t part, uint64_t whole);
struct word word_perms(const struct vmsnap_vma *vma);  /* "rw-p" */
struct word word_perm_bits(uint32_t perms);            /* "rw-", without sharing */
struct word word_device(const struct vmsnap_vma *vma); /* "08:01" */
/* ns since 1970: "2026-01-31T12:00:00.000000001Z", "2026-01-31 13:00:00.000 +0100". */
struct word word_time_utc(int64_t ns);
struct word word_time_local(int64_t ns);
struct word word_time_brief(int64_t ns); /* the same to the second, without the zone */
/* "812 ns", "20.5 us", "1.23 ms", "2.00 s" */
struct word word_duration(uint64_t ns);
const char *word_plural(uint64_t count); /* "" or "s" */

#endif
