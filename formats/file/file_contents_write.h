/* file_contents_write.h - what pages hold, as sections of a file: each distinct page once in a stream, of one
 * that changed a little only the difference. */
#ifndef VMSNAP_FILE_CONTENTS_WRITE_H
#define VMSNAP_FILE_CONTENTS_WRITE_H

#include "file_deflate.h"

/* Of one stream that is being written, or added to. */
struct contents_writer;
struct contents_writer *contents_writer_new(void); /* NULL: no memory */
void contents_writer_free(struct contents_writer *writer);
/* The file that is added to; its last stream goes on.  Borrowed. */
int contents_writer_continue(struct contents_writer *writer, struct vmsnap_file *file, struct work *work,
                             struct vmsnap_error *err);

/* A payload that is not in memory as a whole: it is asked for twice. */
struct section_parts {
	const struct bytes *before, *behind;
	size_t between; /* so many bytes, which come in parts: */
	void (*next)(void *ctx, size_t at, uint8_t *to, size_t len);
	size_t granule; /* of which each part has a whole number */
	void *ctx;
};

/* Who writes sections. */
struct section_put {
	/* deflated: NULL if it would not become smaller. */
	int (*put)(void *ctx, uint32_t type, const struct payload *payload, const struct bytes *deflated);
	/* As it is. */
	int (*put_parts)(void *ctx, uint32_t type, const struct section_parts *parts);
	/* Deflates it before. */
	int (*put_small)(void *ctx, uint32_t type, struct payload *payload);
	void *ctx;
};
/* Those of the snapshot whose SNAP begins at an offset of the file, in which all distances are. */
int contents_writer_put(struct contents_writer *writer, const struct vmsnap *snap, uint64_t offset,
                        const struct section_put *put, struct vmsnap_error *err);

#endif
