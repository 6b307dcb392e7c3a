/* print_abilities.c - what may be known here: vmsnap_print_abilities(). */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "emitter.h"
#include "error.h"
#include "schemas.h"
#include "text_color.h"

enum { ABILITY_NAME, ABILITY_ABLE, ABILITY_GIVES, ABILITY_REASON, ABILITY_HELP };
static const struct column ability_columns[] = {
	[ABILITY_NAME] = { "name", .type = COLUMN_WORD },   [ABILITY_ABLE] = { "able", .type = COLUMN_WORD },
	[ABILITY_GIVES] = { "gives", .type = COLUMN_NAME }, [ABILITY_REASON] = { "reason", .type = COLUMN_NAME },
	[ABILITY_HELP] = { "help", .type = COLUMN_NAME },
};
static const struct row_schema ability_schema = ROW_SCHEMA(ability_columns);

enum { DOCUMENT_VERSION, DOCUMENT_KERNEL, DOCUMENT_ARCH, DOCUMENT_UID, DOCUMENT_PAGE_SIZE, DOCUMENT_ABILITIES };
static const struct column document_columns[] = {
	[DOCUMENT_VERSION] = { "version", .type = COLUMN_WORD },
	[DOCUMENT_KERNEL] = { "kernel", .type = COLUMN_NAME },
	[DOCUMENT_ARCH] = { "arch", .type = COLUMN_NAME },
	[DOCUMENT_UID] = { "uid", .type = COLUMN_COUNT },
	[DOCUMENT_PAGE_SIZE] = { "page_size", .type = COLUMN_BYTES },
	[DOCUMENT_ABILITIES] = { "abilities", .type = COLUMN_ROWS, .of = &ability_schema },
};
const struct row_schema abilities_document_schema = ROW_SCHEMA(document_columns);

static int ability_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap_abilities *abilities = ctx;
	struct vmsnap_ability ability;
	(void)err;
	for (size_t i = 0; !vmsnap_ability(abilities, i, &ability); i++) {
		row_put_word(row, ABILITY_NAME, ability.name);
		row_put_word(row, ABILITY_ABLE, vmsnap_able_name((int)ability.able));
		row_put_name(row, ABILITY_GIVES, ability.gives);
		row_put_name_if_any(row, ABILITY_REASON, ability.reason);
		row_put_name_if_any(row, ABILITY_HELP, ability.help);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	struct utsname machine = { 0 };
	(void)uname(&machine);
	row_put_word(document, DOCUMENT_VERSION, vmsnap_version());
	row_put_name(document, DOCUMENT_KERNEL, machine.release);
	row_put_name(document, DOCUMENT_ARCH, machine.machine);
	row_put_count(document, DOCUMENT_UID, geteuid());
	row_put_bytes(document, DOCUMENT_PAGE_SIZE, (uint64_t)sysconf(_SC_PAGESIZE));
	return row_rows(document, DOCUMENT_ABILITIES, ability_rows, ctx, err);
}

static void put_ability(struct text *text, const struct vmsnap_ability *ability)
{
	int color = ability->able == VMSNAP_ABLE_YES ? COLOR_DIM : COLOR_ALARM;
	text_format(text, "%-13s ", ability->name);
	color_start(text, color);
	text_format(text, "%-6s", vmsnap_able_name((int)ability->able));
	color_end(text, color);
	text_format(text, "  %s\n", ability->gives);
	if (!*ability->reason)
		return;
	text_format(text, "%-14s%s", "", ability->reason);
	if (*ability->help)
		text_format(text, "; %s", ability->help);
	text_string(text, "\n");
}

static void put_lines(struct text *text, const struct vmsnap_abilities *abilities)
{
	struct utsname machine = { 0 };
	struct vmsnap_ability ability;
	(void)uname(&machine);
	text_format(text, "vmsnap %s, Linux %s %s, uid %u\n\n", vmsnap_version(), machine.release, machine.machine,
	            geteuid());
	for (size_t i = 0; !vmsnap_ability(abilities, i, &ability); i++)
		put_ability(text, &ability);
}

VMSNAP_API int vmsnap_print_abilities(const struct vmsnap_abilities *abilities, const struct vmsnap_output *out,
                                      struct vmsnap_error *err)
{
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.abilities/1", &abilities_document_schema, fill_document,
		               (void *)(uintptr_t)abilities, err);
	else
		put_lines(&text, abilities);
	return rc ? rc : text_close(&text, err);
}
