#define _GNU_SOURCE
#include "file_delta.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "error.h"
#include "file_deflate.h"
#include "file_error.h"
#include "inflater.h"
#include "patch.h"
#include "section.h"
#include "sorted.h"

/* ---- a payload ------------------------------------------------------------------------ */

static bool take_word(struct cursor *cursor, uint32_t *out)
{
	const uint8_t *bytes;
	if (!take_bytes(cursor, 4, &bytes))
		return false;
	*out = SECTION_TYPE(bytes[0], bytes[1], bytes[2], bytes[3]);
	return true;
}

bool delta_next_patch(struct delta *delta, struct delta_patch *out)
{
	*out = (struct delta_patch){ 0 };
	if (!take_word(&delta->patches, &out->type) || !take_varint(&delta->patches, &out->len))
		return false;
	out->there = out->len;
	out->len -= out->there;
	return !out->there || take_column(&delta->patches, &out->steps);
}

bool delta_take(struct cursor payload, struct delta *out)
{
	uint64_t depth;
	*out = (struct delta){ 0 };
	if (!take_varint(&payload, &depth) || !depth || depth > DELTA_DEPTH_MAX ||
	    !take_varint(&payload, &out->distance) || !take_word(&payload, &out->base_crc) ||
	    !take_varint(&payload, &out->patch_count) || out->patch_count > cursor_left(&payload))
		return false;
	out->depth = (unsigned)depth;
	/* Where they end is only known when all were looked at. */
	struct delta look = { .patches = payload };
	struct delta_patch patch;
	for (uint64_t i = 0; i < out->patch_count; i++)
		if (!delta_next_patch(&look, &patch))
			return false;
	out->patches = cursor_of(payload.at, (size_t)(look.patches.at - payload.at));
	payload = look.patches;
	if (!take_varint(&payload, &out->page_count) || out->page_count > cursor_left(&payload))
		return false;
	out->pages = payload;
	for (uint64_t i = 0; i < out->page_count; i++) {
		struct cursor column;
		if (!take_column(&payload, &column))
			return false;
	}
	return !cursor_left(&payload);
}

/* ---- what was made last --------------------------------------------------------------- */

/* More than one hangs on the same where a chain begins anew, where processes take turns, and in files that want to take
 * long: what had to be made once more is kept as long as there is room. */
enum { STATES = 1024, STATES_BYTES = 16 << 20 };
struct kept_states {
	/* Apart from the items: they are looked through for each link. */
	size_t index[STATES];
	uint64_t used[STATES]; /* when; 0: empty */
	struct {
		uint64_t bytes;
		bool shared; /* it was missed: several hang on it */
		struct payloads payloads;
	} items[STATES];
};
struct delta_states {
	pthread_mutex_t lock;
	struct inflater *inflater; /* lent */
	struct kept_states *kept;  /* NULL: nothing yet, as of most files */
	uint64_t clock, bytes;
};

struct delta_states *delta_states_new(void)
{
	struct delta_states *states = calloc(1, sizeof(*states));
	if (states)
		pthread_mutex_init(&states->lock, NULL);
	return states;
}

void delta_states_free(struct delta_states *states)
{
	if (!states)
		return;
	for (size_t i = 0; states->kept && i < STATES; i++)
		if (states->kept->used[i])
			payloads_free(&states->kept->items[i].payloads);
	free(states->kept);
	inflater_free(states->inflater);
	pthread_mutex_destroy(&states->lock);
	free(states);
}

static struct inflater *lend_inflater(struct delta_states *states)
{
	struct inflater *inflater = NULL;
	if (states) {
		pthread_mutex_lock(&states->lock);
		inflater = states->inflater;
		states->inflater = NULL;
		pthread_mutex_unlock(&states->lock);
	}
	return inflater ? inflater : inflater_new();
}

static void give_back(struct delta_states *states, struct inflater *inflater)
{
	if (states) {
		pthread_mutex_lock(&states->lock);
		struct inflater *other = states->inflater;
		states->inflater = inflater;
		inflater = other;
		pthread_mutex_unlock(&states->lock);
	}
	inflater_free(inflater);
}

/* STATES: it is not there. */
static size_t find_state(const struct delta_states *states, size_t index)
{
	size_t i = states->kept ? 0 : STATES;
	while (i < STATES && (states->kept->index[i] != index || !states->kept->used[i]))
		i++;
	return i;
}

static bool states_take(struct delta_states *states, size_t index, struct payloads *out)
{
	bool found = false;
	if (!states)
		return false;
	pthread_mutex_lock(&states->lock);
	size_t at = find_state(states, index);
	if (at < STATES) {
		found = payloads_copy(out, &states->kept->items[at].payloads);
		states->kept->used[at] = ++states->clock;
	}
	pthread_mutex_unlock(&states->lock);
	return found;
}

static void drop_state(struct delta_states *states, size_t i)
{
	if (!states->kept->used[i])
		return;
	payloads_free(&states->kept->items[i].payloads);
	states->bytes -= states->kept->items[i].bytes;
	states->kept->used[i] = 0;
}

/* An empty place, or that of what was not used for longest. */
static size_t oldest_state(const struct delta_states *states, bool empty_too)
{
	size_t oldest = STATES;
	for (size_t i = 0; i < STATES; i++)
		if ((empty_too || states->kept->used[i]) &&
		    (oldest == STATES || states->kept->used[i] < states->kept->used[oldest]))
			oldest = i;
	return oldest;
}

/* Only a help, and no part of what a snapshot may take: what is larger than all may be is not kept.  base: what it is a
 * difference to, which has mostly served then; SIZE_MAX: it had to be made once more, and others will want it, too. */
static void states_keep(struct delta_states *states, size_t index, size_t base, const struct payloads *payloads)
{
	uint64_t bytes = payloads_size(payloads);
	bool shared = base == SIZE_MAX;
	if (!states || bytes > STATES_BYTES)
		return;
	pthread_mutex_lock(&states->lock);
	states->kept = states->kept ? states->kept : calloc(1, sizeof(*states->kept));
	size_t of_base = shared ? STATES : find_state(states, base), before = find_state(states, index);
	bool keep = states->kept;
	if (keep && before < STATES)
		drop_state(states, before);
	if (keep && of_base < STATES && !states->kept->items[of_base].shared)
		drop_state(states, of_base);
	while (keep && states->bytes + bytes > STATES_BYTES)
		drop_state(states, oldest_state(states, false));
	if (keep) {
		size_t place = oldest_state(states, true);
		drop_state(states, place);
		if (payloads_copy(&states->kept->items[place].payloads, payloads)) {
			states->kept->index[place] = index;
			states->kept->used[place] = ++states->clock;
			states->kept->items[place].shared = shared;
			states->kept->items[place].bytes = bytes;
			states->bytes += bytes;
		}
	}
	pthread_mutex_unlock(&states->lock);
}

/* ---- one link --------------------------------------------------------------------------- */

static int bad(const struct delta_chain *chain, uint64_t offset, const char *what)
{
	return file_bad(chain->source->name, chain->err, VMSNAP_ERR_CORRUPT, offset, "DELT: %s", what);
}

static int charge(struct delta_chain *chain, uint64_t bytes, uint64_t offset)
{
	int rc = work_charge(chain->work, bytes);
	if (rc)
		return file_bad(chain->source->name, chain->err, rc, offset,
		                "the snapshot takes more than %" PRIu64 " bytes of memory", chain->work->limit);
	chain->charged += bytes;
	return VMSNAP_OK;
}

static bool is_read(const struct delta_chain *chain, uint64_t offset, uint64_t len)
{
	uint64_t at = offset - chain->read_at, have = chain->read.len;
	return offset >= chain->read_at && at <= have && len <= have - at;
}

static int read_some(const struct delta_chain *chain, uint64_t offset, void *out, size_t len)
{
	if (!is_read(chain, offset, len))
		return file_source_read(chain->source, offset, out, len, chain->err);
	memcpy(out, chain->read.data + (offset - chain->read_at), len);
	return VMSNAP_OK;
}

/* A small snapshot at once, and with it what lies before, where the one before lies near: the end of a chain is many
 * links away. */
static int read_ahead(struct delta_chain *chain, size_t index)
{
	enum { MOST = 16 << 10, NEAR = 4 << 10, LINKS = 16 };
	const struct vmsnap_file_entry *entry = &chain->entries[index];
	uint64_t distance = chain->count ? chain->links[chain->count - 1].delta.distance : 0;
	uint64_t before = distance > NEAR ? 0 : distance * LINKS;
	if (entry->bytes > MOST || is_read(chain, entry->offset, entry->bytes))
		return VMSNAP_OK;
	chain->read_at = entry->offset - (before < entry->offset ? before : 0);
	size_t len = (size_t)(entry->offset + entry->bytes - chain->read_at);
	chain->read.len = 0;
	uint8_t *to = bytes_reserve(&chain->read, len);
	int rc = to ? file_source_read(chain->source, chain->read_at, to, len, chain->err) : fail_no_memory(chain->err);
	chain->read.len = rc ? 0 : len;
	return rc;
}

/* A section's payload, inflated. */
static int read_payload(struct delta_chain *chain, const struct section *section, uint64_t offset,
                        struct inflater *inflater, struct bytes *out)
{
	struct bytes stored = { 0 };
	bool deflated = section->flags & SECTION_DEFLATED;
	int rc = charge(chain, section->raw + (deflated ? section->stored : 0), offset);
	struct bytes *first = deflated ? &stored : out;
	out->len = 0;
	if (!rc &&
	    (section->stored >= SIZE_MAX || section->raw >= SIZE_MAX ||
	     !bytes_reserve(first, (size_t)section->stored + 1) || !bytes_reserve(out, (size_t)section->raw + 1)))
		rc = fail_no_memory(chain->err);
	rc = rc ? rc : read_some(chain, offset + SECTION_HEADER_BYTES, first->data, (size_t)section->stored);
	if (!rc && crc_of(0, first->data, (size_t)section->stored) != section->crc)
		rc = file_bad(chain->source->name, chain->err, VMSNAP_ERR_CORRUPT, offset,
		              "wrong checksum of a section");
	if (!rc && deflated) {
		size_t stored_len = (size_t)section->stored, raw_len = (size_t)section->raw;
		rc = inflater ? inflater_inflate(inflater, stored.data, stored_len, out->data, raw_len)
		              : inflate_payload(stored.data, stored_len, out->data, raw_len, chain->work);
		rc = rc == VMSNAP_ERR_CORRUPT ? bad(chain, offset, "a section that does not inflate")
		     : rc                     ? fail_no_memory(chain->err)
		                              : VMSNAP_OK;
	}
	out->len = rc ? 0 : (size_t)section->raw;
	bytes_free(&stored);
	return rc;
}

struct sections_seen {
	uint32_t count, crc;
	bool delta;
	uint64_t bytes; /* without what pages hold */
	uint64_t pages; /* in sections PAGE, inflated */
	struct section snap;
	uint64_t snap_at;
};

/* What a header says on its own.  Whoever loads that snapshot itself says more of it. */
static bool header_possible(const struct section *section, uint64_t left)
{
	bool deflated = section->flags & SECTION_DEFLATED;
	uint64_t least = section->raw / DEFLATE_RATIO + (section->raw % DEFLATE_RATIO != 0);
	return section->stored <= left && (deflated ? section->stored >= least : section->stored == section->raw);
}

static int take_delta(struct delta_chain *chain, const struct section *section, uint64_t offset,
                      struct inflater *inflater, struct delta_link *link)
{
	link->offset = offset;
	int rc = read_payload(chain, section, offset, inflater, &link->raw);
	if (!rc && !delta_take(cursor_of(link->raw.data, link->raw.len), &link->delta))
		rc = bad(chain, offset, "its columns do not fit");
	return rc;
}

/* One of those of a whole snapshot. */
static int take_payload(struct delta_chain *chain, const struct section *section, uint64_t offset,
                        struct inflater *inflater)
{
	struct bytes *place =
	        payloads_find(&chain->payloads, section->type) ? NULL : payloads_place(&chain->payloads, section->type);
	if (!place)
		return bad(chain, offset, "a section of its base that comes twice");
	return read_payload(chain, section, offset, inflater, place);
}

static int take_snap(struct delta_chain *chain, const struct sections_seen *seen, struct inflater *inflater)
{
	struct bytes finding = { 0 },
	             *rest = chain->have_payloads ? NULL : payloads_place(&chain->payloads, SECTION_SNAP);
	int rc = read_payload(chain, &seen->snap, seen->snap_at, inflater, &chain->base_snap);
	if (rc || !rest)
		return rc;
	rest->len = 0;
	bool good = snap_split(cursor_of(chain->base_snap.data, chain->base_snap.len), &finding, rest);
	bytes_free(&finding);
	return good ? VMSNAP_OK : bad(chain, seen->snap_at, "the SNAP of its base is none");
}

static int take_section(struct delta_chain *chain, const struct section *section, uint64_t offset,
                        struct inflater *inflater, struct delta_link *link, struct sections_seen *seen)
{
	bool contents = section->type == SECTION_HASH || section->type == SECTION_CONT;
	bool once = chain->once(section->type), delta = section->type == SECTION_DELT;
	seen->bytes += contents ? 0 : SECTION_HEADER_BYTES + section->stored;
	seen->pages += section->type == SECTION_PAGE ? section->raw : 0;
	if (section->flags & ~SECTION_FLAGS || section->reserved)
		return file_bad(chain->source->name, chain->err, VMSNAP_ERR_NEWER, offset,
		                "a section with unknown flags");
	if (section->flags & SECTION_REQUIRED && !once && !contents && !delta && section->type != SECTION_PAGE)
		return file_bad(chain->source->name, chain->err, VMSNAP_ERR_NEWER, offset,
		                "a required section of unknown type");
	if (delta && seen->count != 2)
		return bad(chain, offset, "it comes second, and once");
	if (seen->delta && (once || section->type == SECTION_PAGE))
		return bad(chain, offset, "a section that should be in it");
	if (section->type == SECTION_SNAP) {
		seen->snap = *section;
		seen->snap_at = offset;
		return VMSNAP_OK;
	}
	seen->delta |= delta;
	if (delta)
		return take_delta(chain, section, offset, inflater, link);
	int rc = !seen->delta && seen->count == 2 ? take_snap(chain, seen, inflater) : VMSNAP_OK;
	if (rc || seen->delta || !once || chain->have_payloads)
		return rc;
	return take_payload(chain, section, offset, inflater);
}

static int check_end(const struct delta_chain *chain, size_t index, const struct sections_seen *seen)
{
	uint8_t bytes[END_BYTES];
	struct section_end end;
	uint64_t at = chain->entries[index].offset + chain->entries[index].bytes - END_BYTES;
	int rc = read_some(chain, at, bytes, sizeof(bytes));
	if (rc)
		return rc;
	if (!end_read(bytes, &end) || end.sections != seen->count || end.crc != seen->crc)
		return file_bad(chain->source->name, chain->err, VMSNAP_ERR_CORRUPT, at,
		                "an END that does not fit its snapshot");
	return VMSNAP_OK;
}

/* All headers of a snapshot; the DELT of a difference, else the payloads of what is whole. */
static int read_link(struct delta_chain *chain, size_t index, struct inflater *inflater, struct delta_link *link,
                     struct sections_seen *seen)
{
	int rc = read_ahead(chain, index);
	uint64_t at = chain->entries[index].offset, end = at + chain->entries[index].bytes - END_BYTES;
	*seen = (struct sections_seen){ 0 };
	link->index = index;
	while (!rc && at < end) {
		uint8_t bytes[SECTION_HEADER_BYTES];
		struct section section;
		rc = end - at < sizeof(bytes) ? bad(chain, at, "a section that reaches beyond its snapshot")
		                              : read_some(chain, at, bytes, sizeof(bytes));
		if (!rc && (!section_read(bytes, &section) || !header_possible(&section, end - at - sizeof(bytes)) ||
		            (section.type == SECTION_SNAP) != !seen->count))
			rc = bad(chain, at, "expected the header of a section");
		if (rc)
			break;
		seen->count++;
		seen->crc = crc_of(seen->crc, bytes, sizeof(bytes));
		rc = take_section(chain, &section, at, inflater, link, seen);
		if (!rc && work_step(chain->work))
			rc = work_fail(chain->work, VMSNAP_ERR_CANCELLED, chain->err);
		at += sizeof(bytes) + section.stored;
	}
	return rc ? rc : check_end(chain, index, seen);
}

/* ---- the chain ---------------------------------------------------------------------------- */

/* The snapshot so many bytes before another; SIZE_MAX: none begins there, or not in its stream. */
static size_t snapshot_before(const struct delta_chain *chain, size_t index, uint64_t distance)
{
	const struct vmsnap_file_entry *entries = chain->entries;
	uint64_t offset = entries[index].offset;
	if (!distance || distance > offset)
		return SIZE_MAX;
	offset -= distance;
	size_t low = SORTED_ABOVE(struct vmsnap_file_entry, offset, entries, chain->entry_count, offset - !!offset);
	return low < index && entries[low].offset == offset ? low : SIZE_MAX;
}

static int check_base_crc(const struct delta_chain *chain, const struct delta_link *link, size_t base)
{
	uint8_t bytes[END_BYTES];
	struct section_end end;
	uint64_t at = chain->entries[base].offset + chain->entries[base].bytes - END_BYTES;
	int rc = read_some(chain, at, bytes, sizeof(bytes));
	if (rc)
		return rc;
	return end_read(bytes, &end) && end.crc == link->delta.base_crc
	               ? VMSNAP_OK
	               : bad(chain, link->offset, "it is a difference to another snapshot than the one that is there");
}

void delta_chain_tell(const struct delta_chain *chain, size_t failed, int rc)
{
	if (!chain->err || rc == VMSNAP_ERR_CANCELLED || rc == VMSNAP_ERR_NO_MEMORY)
		return;
	struct vmsnap_error below = *chain->err;
	const char *name = chain->source->name, *what = below.message;
	size_t len = strnlen(name, 160);
	what += !strncmp(what, name, len) && !strncmp(what + len, ": ", 2) ? len + 2 : 0;
	snprintf(chain->err->message, sizeof(chain->err->message), "%.160s: snapshot %zu hangs on snapshot %zu: %.300s",
	         name, chain->links[0].index + 1, failed + 1, what);
}

static struct delta_link *add_link(struct delta_chain *chain)
{
	struct delta_link *links = realloc(chain->links, (chain->count + 1) * sizeof(*links));
	if (!links) {
		fail_no_memory(chain->err);
		return NULL;
	}
	chain->links = links;
	links[chain->count] = (struct delta_link){ 0 };
	return &links[chain->count];
}

/* The link at chain->base, and what it is a difference to; VMSNAP_END: it is none, but whole. */
static int step_down(struct delta_chain *chain, struct inflater *inflater)
{
	struct sections_seen seen;
	struct delta_link *link = add_link(chain);
	if (!link)
		return VMSNAP_ERR_NO_MEMORY;
	size_t at = chain->base;
	chain->file_bytes += chain->entries[at].bytes;
	if (chain->usual_memory)
		chain->work->limit = chain->usual_memory(chain->file_bytes);
	int rc = read_link(chain, at, inflater, link, &seen);
	if (rc || !seen.delta) {
		bytes_free(&link->raw);
		chain->whole = !rc;
		chain->whole_bytes = seen.bytes;
		chain->whole_pages = seen.pages;
		if (!rc && chain->count && link[-1].delta.depth != 1)
			return bad(chain, link[-1].offset, "it says that it is further from a whole one than it is");
		return rc ? rc : VMSNAP_END;
	}
	chain->bytes += seen.bytes;
	if (chain->count++ && link->delta.depth + 1 != link[-1].delta.depth)
		return bad(chain, link->offset, "it is not one nearer to a whole one than what differs from it");
	chain->base = snapshot_before(chain, at, link->delta.distance);
	if (chain->base == SIZE_MAX)
		return bad(chain, link->offset, "the snapshot that it differs from is not there");
	return check_base_crc(chain, link, chain->base);
}

static int find_links(struct delta_chain *chain, struct inflater *inflater, bool (*known)(void *ctx, size_t index),
                      void *ctx)
{
	int rc = VMSNAP_OK;
	while (!rc) {
		if (chain->count && !chain->have_payloads) {
			chain->have_payloads = states_take(chain->states, chain->base, &chain->payloads);
			chain->from = chain->count;
		}
		if (chain->have_payloads && (!known || known(ctx, chain->base)))
			return VMSNAP_OK;
		bool below = chain->count;
		size_t at = chain->base;
		rc = step_down(chain, inflater);
		if (rc && rc != VMSNAP_END && below)
			delta_chain_tell(chain, at, rc);
	}
	if (!chain->have_payloads)
		chain->from = chain->count;
	return rc == VMSNAP_END ? VMSNAP_OK : rc;
}

int delta_chain_find(struct delta_chain *chain, size_t index, bool (*known)(void *ctx, size_t index), void *ctx)
{
	struct inflater *inflater = lend_inflater(chain->states);
	if (!inflater)
		return fail_no_memory(chain->err);
	chain->base = index;
	int rc = find_links(chain, inflater, known, ctx);
	give_back(chain->states, inflater);
	return rc;
}

/* ---- what is made of it ----------------------------------------------------------------------- */

static int apply(struct delta_chain *chain, const struct delta_link *link, const struct delta_patch *patch,
                 struct bytes *spare)
{
	static const struct bytes nothing;
	if (!chain->once(patch->type))
		return VMSNAP_OK; /* of a later time */
	if (!patch->there) {
		payloads_remove(&chain->payloads, patch->type);
		return VMSNAP_OK;
	}
	int rc = charge(chain, patch->len, link->offset);
	if (rc)
		return rc;
	const struct bytes *base = payloads_find(&chain->payloads, patch->type);
	base = base ? base : &nothing;
	if (!patch_apply(cursor_of(base->data, base->len), patch->steps, patch->len, spare))
		return spare->failed ? fail_no_memory(chain->err)
		                     : bad(chain, link->offset, "a patch that does not fit what it is for");
	struct bytes *place = payloads_place(&chain->payloads, patch->type);
	if (!place)
		return bad(chain, link->offset, "more sections than there are");
	struct bytes made = *spare;
	*spare = *place;
	*place = made;
	work_count(chain->work, (size_t)(patch->len / 1024));
	return work_step(chain->work) ? work_fail(chain->work, VMSNAP_ERR_CANCELLED, chain->err) : VMSNAP_OK;
}

/* What the first link is a difference to, if it was not there yet. */
static void keep_base(const struct delta_chain *chain)
{
	if (!chain->have_payloads || chain->from > 1)
		states_keep(chain->states, delta_chain_base(chain), SIZE_MAX, &chain->payloads);
}

int delta_chain_make(struct delta_chain *chain)
{
	struct bytes spare = { 0 };
	int rc = VMSNAP_OK;
	for (size_t i = chain->from; !rc && i-- > 0;) {
		struct delta left = chain->links[i].delta;
		struct delta_patch patch;
		if (!i)
			keep_base(chain);
		for (uint64_t k = 0; !rc && k < left.patch_count && delta_next_patch(&left, &patch); k++)
			rc = apply(chain, &chain->links[i], &patch, &spare);
	}
	bytes_free(&spare);
	return rc;
}

size_t delta_chain_base(const struct delta_chain *chain)
{
	return chain->count > 1 ? chain->links[1].index : chain->base;
}

void delta_chain_keep(const struct delta_chain *chain)
{
	if (chain->count)
		states_keep(chain->states, chain->links[0].index, delta_chain_base(chain), &chain->payloads);
}

void delta_chain_free(struct delta_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		bytes_free(&chain->links[i].raw);
	free(chain->links);
	payloads_free(&chain->payloads);
	bytes_free(&chain->base_snap);
	bytes_free(&chain->read);
	work_release(chain->work, chain->charged);
	chain->charged = 0;
}

unsigned delta_depth(const struct file_source *source, const struct vmsnap_file_entry *entry,
                     bool (*once)(uint32_t type))
{
	enum { ENOUGH = 64 << 20 }; /* of a DELT that inflates to more nobody needs to know how deep it is */
	struct work work = { .limit = ENOUGH };
	struct delta_link link = { 0 };
	struct sections_seen seen;
	struct delta_chain chain = {
		.source = source, .entries = entry, .entry_count = 1, .once = once, .work = &work, .have_payloads = true
	};
	int rc = read_link(&chain, 0, NULL, &link, &seen);
	unsigned depth = !rc && seen.delta ? link.delta.depth : 0;
	bytes_free(&link.raw);
	delta_chain_free(&chain);
	return depth;
}
