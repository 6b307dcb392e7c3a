/* sha256.h - SHA-256 (FIPS 180-4), and what is made with it of a secret (HMAC, RFC 2104). */
#ifndef VMSNAP_SHA256_H
#define VMSNAP_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK = 64 };

void sha256(const uint8_t *bytes, size_t len, uint8_t out[SHA256_BYTES]);
/* Both are short: SHA256_BLOCK bytes at most. */
void hmac_sha256(const uint8_t *key, size_t key_len, const uint8_t *message, size_t len, uint8_t out[SHA256_BYTES]);

#endif
