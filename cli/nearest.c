#include "nearest.h"

#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 32 };

/* SHOW is meant as show is. */
static int letter(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to change, add, drop or swap with their neighbour (optimal string
 * alignment).  Words longer than WORD_MAX are far from everything. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);
	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		const size_t *above = rows[(i - 1) % 3], *second_above = rows[(i + 1) % 3];
		size_t *row = rows[i % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1);
			row[j] = least(row[j], above[j - 1] + (letter(a[i - 1]) != letter(b[j - 1])));
			if (i > 1 && j > 1 && letter(a[i - 1]) == letter(b[j - 2]) &&
			    letter(a[i - 2]) == letter(b[j - 1]))
				row[j] = least(row[j], second_above[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

void nearest_init(struct nearest *nearest, const char *wanted)
{
	*nearest = (struct nearest){ .wanted = wanted };
	/* One letter in three and one more may be wrong; of two or three letters one; a word of one means nothing. */
	size_t len = strlen(wanted), wrong = len < 4 ? len > 1 : len / 3 + 1;
	nearest->distance = wrong + 1;
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
	size_t distance = edit_distance(nearest->wanted, candidate);
	size_t wanted_len = strlen(nearest->wanted);
	/* The beginning of a word is as good as one wrong letter. */
	if (wanted_len > 1 && !strncmp(nearest->wanted, candidate, wanted_len))
		distance = least(distance, 1);
	if (distance < nearest->distance) {
		nearest->best = candidate;
		nearest->distance = distance;
	}
}
