/* The palette: what stands out from what, for every kind of sight.  Values are measured, not compared with a list. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "palette.h"
#include "text_color.h"

struct rgb {
	double v[3]; /* linear, 0 to 1 */
};

static double linear(double c)
{
	return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static struct rgb rgb_of(unsigned red, unsigned green, unsigned blue)
{
	return (struct rgb){ { linear(red / 255.0), linear(green / 255.0), linear(blue / 255.0) } };
}

/* ---- what a colour is, by how many there are ------------------------------------------------- */

/* xterm's cube and greys. */
static struct rgb rgb_of_256(unsigned index)
{
	static const unsigned levels[] = { 0, 95, 135, 175, 215, 255 };
	assert_in_range(index, 16, 255);
	if (index >= 232)
		return rgb_of(8 + 10 * (index - 232), 8 + 10 * (index - 232), 8 + 10 * (index - 232));
	index -= 16;
	return rgb_of(levels[index / 36], levels[index / 6 % 6], levels[index % 6]);
}

static struct rgb rgb_at(const struct palette_color *color, int depth)
{
	return depth == VMSNAP_COLOR_RGB ? rgb_of(color->red, color->green, color->blue) : rgb_of_256(color->of_256);
}

/* ---- sight ------------------------------------------------------------------------------------ */

/* WCAG 2. */
static double luminance(struct rgb c)
{
	return 0.2126 * c.v[0] + 0.7152 * c.v[1] + 0.0722 * c.v[2];
}

static double contrast(struct rgb a, struct rgb b)
{
	double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
	return x > y ? x / y : y / x;
}

enum sight { NORMAL, PROTAN, DEUTAN, TRITAN, SIGHTS };
static const char *const sight_names[] = { "normal", "protan", "deutan", "tritan" };

/* Machado, Oliveira and Fernandes 2009, severity 1. */
static struct rgb seen(struct rgb c, enum sight sight)
{
	static const double machado[SIGHTS][3][3] = {
		{ { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
		{ { 0.152286, 1.052583, -0.204868 },
		  { 0.114503, 0.786281, 0.099216 },
		  { -0.003882, -0.048116, 1.051998 } },
		{ { 0.367322, 0.860646, -0.227968 },
		  { 0.280085, 0.672501, 0.047413 },
		  { -0.011820, 0.042940, 0.968881 } },
		{ { 1.255528, -0.076749, -0.178779 },
		  { -0.078411, 0.930809, 0.147602 },
		  { 0.004733, 0.691367, 0.303900 } },
	};
	struct rgb out;
	for (int i = 0; i < 3; i++) {
		const double *m = machado[sight][i];
		out.v[i] = fmin(1, fmax(0, m[0] * c.v[0] + m[1] * c.v[1] + m[2] * c.v[2]));
	}
	return out;
}

struct oklab {
	double v[3];
};

static struct oklab oklab(struct rgb c)
{
	double l = pow(0.4122214708 * c.v[0] + 0.5363325363 * c.v[1] + 0.0514459929 * c.v[2], 1.0 / 3);
	double m = pow(0.2119034982 * c.v[0] + 0.6806995451 * c.v[1] + 0.1073969566 * c.v[2], 1.0 / 3);
	double s = pow(0.0883024619 * c.v[0] + 0.2817188376 * c.v[1] + 0.6299787005 * c.v[2], 1.0 / 3);
	return (struct oklab){ { 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
		                 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
		                 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s } };
}

static double distance(struct rgb a, struct rgb b, enum sight sight)
{
	struct oklab x = oklab(seen(a, sight)), y = oklab(seen(b, sight));
	return sqrt(pow(x.v[0] - y.v[0], 2) + pow(x.v[1] - y.v[1], 2) + pow(x.v[2] - y.v[2], 2));
}

/* ---- the tests -------------------------------------------------------------------------------- */

enum { SCHEMES = 2, DEPTHS = 2 };
static const char *const scheme_names[SCHEMES] = { "dark", "light" };
static const int depths[DEPTHS] = { VMSNAP_COLOR_RGB, VMSNAP_COLOR_256 };

/* A dark terminal's background at its lightest, as far as we promise something, and a light one's at its darkest. */
static struct rgb background(int scheme)
{
	return !scheme ? rgb_of(0x1e, 0x1e, 0x1e) : rgb_of(0xf8, 0xf8, 0xf8);
}

static bool is_event(int page_class)
{
	return page_class >= CLASS_SWAPPED;
}

/* Of one colour: what is in swap, and what went there or came from there. */
static bool is_swap(int page_class)
{
	return page_class == CLASS_SWAPPED || page_class == CLASS_SWAPPED_OUT || page_class == CLASS_SWAPPED_IN;
}

/* What is drawn as a question mark; and what is in pictures of core files alone, where nothing else is. */
static bool apart(int page_class)
{
	return page_class == CLASS_UNREAD || page_class == CLASS_DUMPED || page_class == CLASS_DUMP_HOLE;
}

static bool of_one_color(int a, int b)
{
	return (is_swap(a) && is_swap(b)) || apart(a) != apart(b) || a == CLASS_UNREAD || b == CLASS_UNREAD;
}

static void words_stand_out_from_the_background(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int c = CLASS_UNTOUCHED; c < PAGE_CLASSES; c++)
			for (int d = 0; d < DEPTHS; d++) {
				double is =
				        contrast(rgb_at(palette_of_words(scheme, c), depths[d]), background(scheme));
				if (is < 4.5)
					fail_msg("%s, %s, %s: %.2f", scheme_names[scheme], class_name(c),
					         vmsnap_color_name(depths[d]), is);
			}
}

/* What is dim is of such a colour, too: a terminal's own way of dimming leaves 3.7:1 on white. */
static void what_is_dim_can_be_read(void **state)
{
	char dim[COLOR_ROOM], words[COLOR_ROOM];
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int d = 0; d < DEPTHS; d++) {
			struct vmsnap_style style = { .color = depths[d] | (scheme ? VMSNAP_COLOR_LIGHT : 0) };
			color_of_words(dim, sizeof(dim), &style, COLOR_DIM);
			color_of_words(words, sizeof(words), &style, CLASS_UNTOUCHED);
			assert_string_equal(dim, words);
		}
}

static void cells_stand_out_from_the_background(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int c = CLASS_PRIVATE; c < PAGE_CLASSES; c++)
			for (int d = 0; d < DEPTHS && c != CLASS_UNREAD; d++) {
				double is = contrast(rgb_at(palette_of_cell(scheme, c), depths[d]), background(scheme));
				if (is < 3)
					fail_msg("%s, %s, %s: %.2f", scheme_names[scheme], class_name(c),
					         vmsnap_color_name(depths[d]), is);
			}
}

/* It is mapped, and there is nothing to see. */
static void what_is_untouched_is_nearly_the_background(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int d = 0; d < DEPTHS; d++)
			assert_true(contrast(rgb_at(palette_of_cell(scheme, CLASS_UNTOUCHED), depths[d]),
			                     background(scheme)) < 1.4);
}

static void any_two_are_told_apart_by_every_sight(void **state)
{
	static const double least[SCHEMES][DEPTHS] = { { 0.085, 0.065 }, { 0.069, 0.05 } };
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int a = CLASS_UNTOUCHED; a < PAGE_CLASSES; a++)
			for (int b = CLASS_UNTOUCHED; b < a; b++)
				for (int d = 0; d < DEPTHS; d++)
					for (int sight = 0; sight < SIGHTS && !of_one_color(a, b); sight++) {
						double is = distance(rgb_at(palette_of_cell(scheme, a), depths[d]),
						                     rgb_at(palette_of_cell(scheme, b), depths[d]),
						                     (enum sight)sight);
						if (is < least[scheme][d])
							fail_msg("%s, %s and %s, %s, %s: %.3f", scheme_names[scheme],
							         class_name(a), class_name(b), sight_names[sight],
							         vmsnap_color_name(depths[d]), is);
					}
}

static void nothing_quiet_stands_out_as_an_event_does(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int d = 0; d < DEPTHS; d++) {
			double quiet = 0, event = 100;
			for (int c = CLASS_UNTOUCHED; c < PAGE_CLASSES; c++) {
				double is = contrast(rgb_at(palette_of_cell(scheme, c), depths[d]), background(scheme));
				quiet = is_event(c) ? quiet : fmax(quiet, is);
				event = is_event(c) ? fmin(event, is) : event;
			}
			assert_true(quiet < event);
		}
}

/* Private pages lie among shared ones, in one cell: where all colours fade (a dim screen, sight that sees none), how
 * bright they are still tells them apart. */
static void private_memory_is_told_from_what_lies_beside_it_by_brightness(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int d = 0; d < DEPTHS; d++) {
			struct rgb own = rgb_at(palette_of_cell(scheme, CLASS_PRIVATE), depths[d]);
			assert_true(contrast(own, rgb_at(palette_of_cell(scheme, CLASS_SHARED), depths[d])) >= 1.59);
			assert_true(contrast(own, rgb_at(palette_of_cell(scheme, CLASS_FILE), depths[d])) >= 1.5);
		}
}

/* The tables that 16 colours usually have; users make others. */
static const unsigned xterm[16] = { 0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
	                            0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff };
static const unsigned vga[16] = { 0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
	                          0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff };
static const unsigned gnome[16] = { 0x171421, 0xc01c28, 0x26a269, 0xa2734c, 0x12488b, 0xa347ba, 0x2aa1b3, 0xd0cfcc,
	                            0x5e5c64, 0xf66151, 0x33d17a, 0xe9ad0c, 0x2a7bde, 0xc061cb, 0x33c7de, 0xffffff };
static const unsigned windows[16] = { 0x0c0c0c, 0xc50f1f, 0x13a10e, 0xc19c00, 0x0037da, 0x881798, 0x3a96dd, 0xcccccc,
	                              0x767676, 0xe74856, 0x16c60c, 0xf9f1a5, 0x3b78ff, 0xb4009e, 0x61d6d6, 0xf2f2f2 };
static const unsigned macos[16] = { 0x000000, 0xc23621, 0x25bc24, 0xadad27, 0x492ee1, 0xd338d3, 0x33bbc8, 0xcbcccd,
	                            0x818383, 0xfc391f, 0x31e722, 0xeaec23, 0x5833ff, 0xf935f8, 0x14f0f0, 0xe9ebeb };

static struct rgb rgb_of_16(const unsigned table[16], bool light, int page_class)
{
	unsigned c = table[palette_of_cell(light, page_class)->of_16];
	return rgb_of(c >> 16, c >> 8 & 0xff, c & 0xff);
}

/* Swap has the dark yellow, since the child has the bright one. */
static void of_16_nothing_quiet_is_brighter_than_an_event(const unsigned table[16])
{
	double quiet = 0, event = 2;
	for (int c = CLASS_UNTOUCHED; c < PAGE_CLASSES; c++) {
		double is = luminance(rgb_of_16(table, false, c));
		quiet = is_event(c) ? quiet : fmax(quiet, is);
		event = is_event(c) && !is_swap(c) ? fmin(event, is) : event;
	}
	assert_true(quiet < event);
}

/* On white, dark is what bright is on black: there, what stands out most is an event. */
static void of_16_nothing_quiet_is_the_darkest(const unsigned table[16])
{
	double quiet = 2, darkest = 2, copied = luminance(rgb_of_16(table, true, CLASS_COPIED));
	for (int c = CLASS_UNTOUCHED; c < PAGE_CLASSES; c++) {
		double is = luminance(rgb_of_16(table, true, c));
		quiet = is_event(c) ? quiet : fmin(quiet, is);
		darkest = is_event(c) ? fmin(darkest, is) : darkest;
	}
	assert_true(darkest < quiet && copied < quiet);
}

static void of_16_colours_nothing_quiet_stands_out(void **state)
{
	(void)state;
	of_16_nothing_quiet_is_brighter_than_an_event(xterm);
	of_16_nothing_quiet_is_brighter_than_an_event(vga);
	of_16_nothing_quiet_is_the_darkest(xterm);
	of_16_nothing_quiet_is_the_darkest(vga);
}

static void of_16_colours_any_two_differ(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int a = CLASS_UNTOUCHED; a < PAGE_CLASSES; a++)
			for (int b = CLASS_UNTOUCHED; b < a; b++)
				assert_true(of_one_color(a, b) ||
				            palette_of_cell(scheme, a)->of_16 != palette_of_cell(scheme, b)->of_16);
}

/* A colour and its bright one are told apart by who sees both, not by who sees one of them; greys are no hue. */
static void of_16_colours_no_event_has_the_hue_of_something_quiet(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int quiet = CLASS_FILE; quiet <= CLASS_SHARED; quiet++)
			for (int c = CLASS_SWAPPED; c < PAGE_CLASSES; c++)
				assert_int_not_equal(palette_of_cell(scheme, quiet)->of_16 % 8,
				                     palette_of_cell(scheme, c)->of_16 % 8);
}

/* What lies side by side in the pictures of a fork and of a difference, and how far it is apart at least (OKLab) for
 * whoever sees it worst: in 16 million colours, in 256, in the worst table of 16; where that is little, letters and
 * where a colour lies in its cell tell. */
enum { DEPTH_16 = DEPTHS, ALL_DEPTHS };
static const struct {
	int a, b;
	double least[SCHEMES][ALL_DEPTHS];
} beside[] = {
	{ CLASS_COPIED, CLASS_CHILD, { { 0.17, 0.13, 0.11 }, { 0.25, 0.19, 0.06 } } },
	{ CLASS_COPIED, CLASS_SHARED, { { 0.30, 0.30, 0.22 }, { 0.31, 0.31, 0.27 } } },
	{ CLASS_CHILD, CLASS_SHARED, { { 0.27, 0.26, 0.28 }, { 0.42, 0.40, 0.19 } } },
	{ CLASS_COPIED, CLASS_PRIVATE, { { 0.14, 0.13, 0.04 }, { 0.13, 0.12, 0.09 } } },
	{ CLASS_CHILD, CLASS_PRIVATE, { { 0.29, 0.25, 0.31 }, { 0.24, 0.22, 0.10 } } },
	{ CLASS_COPIED, CLASS_FILE, { { 0.16, 0.18, 0.11 }, { 0.18, 0.18, 0.27 } } },
	{ CLASS_CHILD, CLASS_FILE, { { 0.21, 0.18, 0.23 }, { 0.37, 0.34, 0.20 } } },
	{ CLASS_COPIED, CLASS_UNTOUCHED, { { 0.35, 0.38, 0.37 }, { 0.39, 0.36, 0.39 } } },
	{ CLASS_CHILD, CLASS_UNTOUCHED, { { 0.55, 0.55, 0.57 }, { 0.63, 0.60, 0.17 } } },
	{ CLASS_COPIED, CLASS_NEW, { { 0.19, 0.16, 0.07 }, { 0.12, 0.10, 0.07 } } },
	{ CLASS_CHILD, CLASS_NEW, { { 0.09, 0.06, 0.03 }, { 0.11, 0.15, 0.01 } } },
	{ CLASS_COPIED, CLASS_GONE, { { 0.10, 0.16, 0.14 }, { 0.14, 0.20, 0.09 } } },
	{ CLASS_CHILD, CLASS_GONE, { { 0.09, 0.07, 0.20 }, { 0.13, 0.12, 0.05 } } },
	{ CLASS_COPIED, CLASS_OTHER, { { 0.32, 0.25, 0.30 }, { 0.22, 0.18, 0.22 } } },
	{ CLASS_CHILD, CLASS_OTHER, { { 0.16, 0.12, 0.03 }, { 0.07, 0.05, 0.37 } } },
	{ CLASS_NEW, CLASS_SHARED, { { 0.19, 0.15, 0.11 }, { 0.28, 0.21, 0.05 } } },
	{ CLASS_NEW, CLASS_PRIVATE, { { 0.30, 0.26, 0.20 }, { 0.13, 0.06, 0.12 } } },
	{ CLASS_GONE, CLASS_SHARED, { { 0.08, 0.08, 0.04 }, { 0.23, 0.22, 0.06 } } },
	{ CLASS_GONE, CLASS_PRIVATE, { { 0.17, 0.19, 0.12 }, { 0.12, 0.13, 0.11 } } },
	{ CLASS_SHARED, CLASS_PRIVATE, { { 0.16, 0.16, 0.10 }, { 0.17, 0.16, 0.10 } } },
	{ CLASS_SHARED, CLASS_FILE, { { 0.12, 0.09, 0.06 }, { 0.12, 0.09, 0.17 } } },
	{ CLASS_PRIVATE, CLASS_FILE, { { 0.09, 0.10, 0.11 }, { 0.12, 0.10, 0.24 } } },
	{ CLASS_SHARED, CLASS_UNTOUCHED, { { 0.41, 0.44, 0.39 }, { 0.28, 0.28, 0.35 } } },
	{ CLASS_PRIVATE, CLASS_UNTOUCHED, { { 0.27, 0.30, 0.27 }, { 0.40, 0.38, 0.33 } } },
	{ CLASS_FILE, CLASS_UNTOUCHED, { { 0.36, 0.40, 0.30 }, { 0.27, 0.28, 0.02 } } },
};

static double least_of_16(int scheme, int a, int b, enum sight sight)
{
	static const unsigned *const tables[] = { xterm, vga, gnome, windows, macos };
	double least = 1;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		least = fmin(least, distance(rgb_of_16(tables[i], scheme, a), rgb_of_16(tables[i], scheme, b), sight));
	return least;
}

static double least_apart(int scheme, int depth, int a, int b)
{
	double least = 1;
	for (int sight = 0; sight < SIGHTS; sight++) {
		double is = depth == DEPTH_16
		                    ? least_of_16(scheme, a, b, (enum sight)sight)
		                    : distance(rgb_at(palette_of_cell(scheme, a), depths[depth]),
		                               rgb_at(palette_of_cell(scheme, b), depths[depth]), (enum sight)sight);
		least = fmin(least, is);
	}
	return least;
}

static void what_lies_side_by_side_is_as_far_apart_as_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		for (int scheme = 0; scheme < SCHEMES; scheme++)
			for (int depth = 0; depth < ALL_DEPTHS; depth++) {
				double is = least_apart(scheme, depth, beside[i].a, beside[i].b);
				if (is < beside[i].least[scheme][depth])
					fail_msg("%s, %s and %s, %s: %.3f", scheme_names[scheme],
					         class_name(beside[i].a), class_name(beside[i].b),
					         depth == DEPTH_16 ? "16" : vmsnap_color_name(depths[depth]), is);
			}
}

/* ---- the page of vmsnap report --------------------------------------------------------------- */

/* By the names that its classes have in the style sheet.  Not among them: what is chequered with nothing (unread), and
 * what is in pictures of core files alone. */
static const char *const page_quiet[] = { "untouched", "private", "file", "shared", "zero", "guard" };
static const char *const page_events[] = { "copied", "child", "new", "gone", "swapped", "written", "other" };
enum {
	PAGE_QUIET = sizeof(page_quiet) / sizeof(page_quiet[0]),
	PAGE_EVENTS = sizeof(page_events) / sizeof(page_events[0])
};

static const char *style_sheet(void)
{
	static char text[65536];
	FILE *file = fopen(SOURCE_DIR "/formats/report_html/style.css", "r");
	assert_non_null(file);
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	assert_in_range(len, 1, sizeof(text) - 2);
	return text;
}

static struct rgb page_color(const char *sheet, int scheme, const char *name)
{
	char property[40];
	unsigned value;
	const char *rules = strstr(sheet, scheme ? ":root {" : ":root[data-theme=dark] {");
	snprintf(property, sizeof(property), "--%s: #", name);
	const char *at = rules ? strstr(rules, property) : NULL;
	assert_true(at && at < strchr(rules, '}'));
	assert_int_equal(sscanf(at + strlen(property), "%6x", &value), 1);
	return rgb_of(value >> 16, value >> 8 & 0xff, value & 0xff);
}

static void page_apart(int scheme, const char *a, const char *b, double least)
{
	const char *sheet = style_sheet();
	for (int sight = 0; sight < SIGHTS; sight++) {
		double is = distance(page_color(sheet, scheme, a), page_color(sheet, scheme, b), (enum sight)sight);
		if (is < least)
			fail_msg("%s, %s and %s, %s: %.3f", scheme_names[scheme], a, b, sight_names[sight], is);
	}
}

/* In a cell an event stands on nothing but what is quiet, or beside another event. */
static void of_the_page_what_lies_side_by_side_is_told_apart(void **state)
{
	static const double quiet[SCHEMES] = { 0.07, 0.045 }, event[SCHEMES] = { 0.1, 0.08 },
	                    events[SCHEMES] = { 0.07, 0.07 };
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++) {
		for (int a = 0; a < PAGE_QUIET; a++)
			for (int b = 0; b < a; b++)
				page_apart(scheme, page_quiet[a], page_quiet[b], quiet[scheme]);
		for (int a = 0; a < PAGE_EVENTS; a++) {
			for (int b = 0; b < PAGE_QUIET; b++)
				page_apart(scheme, page_events[a], page_quiet[b], event[scheme]);
			for (int b = 0; b < a; b++)
				page_apart(scheme, page_events[a], page_events[b], events[scheme]);
		}
	}
}

/* What makes up nearly all of a picture; private memory as the timeline and a picture of one instant have it, too. */
static void of_the_page_what_most_memory_is_is_told_apart(void **state)
{
	static const char *const most[] = { "private", "file", "shared", "zero", "untouched" };
	const char *sheet = style_sheet();
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++) {
		for (int a = 0; a < 5; a++)
			for (int b = 0; b < a; b++)
				page_apart(scheme, most[a], most[b], 0.069);
		const char *rule = scheme ? ":root[data-show=state] { --private: #"
		                          : ":root[data-theme=dark][data-show=state] { --private: #";
		const char *at = strstr(sheet, rule);
		unsigned value = 0;
		assert_true(at && sscanf(at + strlen(rule), "%6x", &value) == 1);
		struct rgb shown = rgb_of(value >> 16, value >> 8 & 0xff, value & 0xff);
		for (int other = 1; other < 5; other++)
			for (int sight = 0; sight < SIGHTS; sight++)
				assert_true(distance(shown, page_color(sheet, scheme, most[other]), (enum sight)sight) >
				            0.11);
	}
}

/* Who copied is what a fork is looked at for. */
static void of_the_page_parent_and_child_are_told_apart(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		page_apart(scheme, "copied", "child", 0.13);
}

/* Who forks looks for what is copied and what is new: neither is a grey like private memory, for no sight. */
static void of_the_page_what_is_copied_or_new_has_a_hue(void **state)
{
	static const char *const names[] = { "copied", "new", "child" };
	const char *sheet = style_sheet();
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			for (int sight = 0; sight < SIGHTS; sight++) {
				struct oklab is = oklab(seen(page_color(sheet, scheme, names[i]), (enum sight)sight));
				double chroma = sqrt(is.v[1] * is.v[1] + is.v[2] * is.v[2]);
				if (chroma < 0.055)
					fail_msg("%s, %s, %s: %.3f", scheme_names[scheme], names[i], sight_names[sight],
					         chroma);
			}
}

static void of_the_page_events_stand_out_from_the_paper(void **state)
{
	const char *sheet = style_sheet();
	(void)state;
	for (int scheme = 0; scheme < SCHEMES; scheme++)
		for (int i = 0; i < PAGE_EVENTS; i++) {
			double is = contrast(page_color(sheet, scheme, page_events[i]),
			                     scheme ? rgb_of(0xff, 0xff, 0xff) : rgb_of(0x0e, 0x11, 0x16));
			if (is < 3 && strcmp(page_events[i], "swapped") != 0)
				fail_msg("%s, %s: %.2f", scheme_names[scheme], page_events[i], is);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_stand_out_from_the_background),
		cmocka_unit_test(what_is_dim_can_be_read),
		cmocka_unit_test(cells_stand_out_from_the_background),
		cmocka_unit_test(what_is_untouched_is_nearly_the_background),
		cmocka_unit_test(any_two_are_told_apart_by_every_sight),
		cmocka_unit_test(nothing_quiet_stands_out_as_an_event_does),
		cmocka_unit_test(private_memory_is_told_from_what_lies_beside_it_by_brightness),
		cmocka_unit_test(of_16_colours_nothing_quiet_stands_out),
		cmocka_unit_test(of_16_colours_any_two_differ),
		cmocka_unit_test(of_16_colours_no_event_has_the_hue_of_something_quiet),
		cmocka_unit_test(what_lies_side_by_side_is_as_far_apart_as_it_was),
		cmocka_unit_test(of_the_page_what_lies_side_by_side_is_told_apart),
		cmocka_unit_test(of_the_page_what_most_memory_is_is_told_apart),
		cmocka_unit_test(of_the_page_parent_and_child_are_told_apart),
		cmocka_unit_test(of_the_page_what_is_copied_or_new_has_a_hue),
		cmocka_unit_test(of_the_page_events_stand_out_from_the_paper),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
