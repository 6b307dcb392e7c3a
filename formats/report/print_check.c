/* print_check.c - is a file whole: vmsnap_print_check().  Each snapshot is read
 * once, so the text is no table but a line for each as it is read. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "escape.h"
#include "file_load.h"
#include "print_parts.h"
#include "text_color.h"

/* What was found; the first failing snapshot is what check fails with. */
struct findings {
	int rc;
	struct vmsnap_error err;
	size_t good, bad;
};

static void note(struct findings *findings, int rc, const struct vmsnap_error *err)
{
	if (!rc)
		return;
	if (!findings->rc) {
		findings->rc = rc;
		findings->err = *err;
	}
}

static int check_one(struct text *text, const struct vmsnap_file *file, size_t index, struct vmsnap_file_entry *place,
                     struct vmsnap_error *err, struct findings *findings)
{
	*place = (struct vmsnap_file_entry){ 0 };
	*err = (struct vmsnap_error){ 0 };
	int rc = vmsnap_file_entry(file, index, place, err);
	if (!rc)
		rc = file_load_check(file, index, err);
	/* That says nothing about the file. */
	if (rc == VMSNAP_ERR_CANCELLED)
		text_stop(text, rc);
	findings->good += !rc;
	findings->bad += rc != 0;
	note(findings, rc, err);
	return rc;
}

static void check_json(struct text *text, const struct vmsnap_file *file, struct findings *findings)
{
	struct json json;
	struct vmsnap_file_entry place;
	struct vmsnap_error err;
	json_begin(&json, text, "vmsnap.check/1");
	json_rows(&json, "snapshots");
	for (size_t i = 0; i < vmsnap_file_count(file) && !text_unwanted(text); i++) {
		int rc = check_one(text, file, i, &place, &err, findings);
		json_object(&json, NULL);
		json_number(&json, "index", i + 1);
		json_bool(&json, "ok", !rc);
		json_number(&json, "offset", place.offset);
		json_number(&json, "bytes", place.bytes);
		json_error(&json, "error", rc, &err);
		json_end(&json);
	}
	json_end(&json);
	err = (struct vmsnap_error){ 0 };
	int damage = vmsnap_file_damage(file, &err);
	note(findings, damage, &err);
	json_error(&json, "damage", damage, &err);
	json_bool(&json, "ok", !findings->rc);
	json_finish(&json);
}

static void put_finding(struct text *text, const struct vmsnap_error *err)
{
	color_start(text, COLOR_ALARM);
	escape_string(text, err->message);
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

static void check_text(struct text *text, const struct vmsnap_file *file, struct findings *findings)
{
	struct vmsnap_file_entry place;
	struct vmsnap_error err;
	for (size_t i = 0; i < vmsnap_file_count(file) && !text_unwanted(text); i++) {
		int rc = check_one(text, file, i, &place, &err, findings);
		text_format(text, "snapshot %zu at offset %" PRIu64 ", %s: ", i + 1, place.offset,
		            word_size(text->style, place.bytes).text);
		if (rc)
			put_finding(text, &err);
		else
			text_string(text, "ok\n");
	}
	err = (struct vmsnap_error){ 0 };
	int damage = vmsnap_file_damage(file, &err);
	note(findings, damage, &err);
	if (damage) {
		text_format(text, "lost from offset %" PRIu64 " on: ", err.position);
		put_finding(text, &err);
	}
	text_format(text, "%zu snapshot%s whole", findings->good, word_plural(findings->good));
	if (findings->bad)
		text_format(text, ", %zu damaged", findings->bad);
	text_string(text, damage ? ", the end of the file is damaged\n" : "\n");
}

VMSNAP_API int vmsnap_print_check(const struct vmsnap_file *file, const struct vmsnap_output *out,
                                  struct vmsnap_error *err)
{
	struct findings findings = { 0 };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	if (text.style->json)
		check_json(&text, file, &findings);
	else
		check_text(&text, file, &findings);
	rc = text_close(&text, err);
	if (rc)
		return rc;
	if (findings.rc && err)
		*err = findings.err;
	return findings.rc;
}
