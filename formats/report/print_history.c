/* print_history.c - how the page of one address went through snapshots that are in memory:
 * vmsnap_print_history(). */
#include "error.h"
#include "history_rows.h"
#include "text_limit.h"

struct history {
	const struct vmsnap *const *snaps;
	const char *const *names;
	size_t count;
	uint64_t address;
};

static const char *name_of(const struct history *history, size_t index)
{
	const char *name = history->names ? history->names[index] : NULL;
	return name ? name : vmsnap_info(history->snaps[index])->label;
}

static const struct vmsnap *before(const struct history *history, size_t index)
{
	for (size_t i = index; i-- > 0;)
		if (moment_same_number(history->snaps[i], history->snaps[index]))
			return history->snaps[i];
	return NULL;
}

static int put_row(struct row *row, const struct history *history, size_t index, struct vmsnap_error *err)
{
	const struct vmsnap *last = before(history, index);
	struct moment moment;
	moment_look(&moment, history->snaps[index], history->address);
	moment.name = name_of(history, index);
	int rc = last ? moment_compare(&moment, last, row->text, err) : VMSNAP_OK;
	return rc ? rc : put_moment(row, &moment, err);
}

static int history_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct history *history = ctx;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < history->count && !text_unwanted(row->text); i++)
		rc = put_row(row, history, i, err);
	return rc;
}

VMSNAP_API int vmsnap_print_history(const struct vmsnap *const *snaps, const char *const *names, size_t count,
                                    uint64_t address, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct history history = { .snaps = snaps, .names = names, .count = count, .address = address };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit(&text, snaps, count);
	rc = put_history(&text, history_rows, false, &history, address, err);
	return rc ? rc : text_close(&text, err);
}
