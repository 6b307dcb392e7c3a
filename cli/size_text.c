#include "size_text.h"

#include <stddef.h>
#include <stdio.h>

const char *size_text(uint64_t bytes, char text[16])
{
	static const char units[] = "BKMGTPE";
	size_t unit = 0;
	double value = (double)bytes;
	for (; value >= 1000 && unit < sizeof(units) - 2; unit++)
		value /= 1024;
	int decimals = !unit || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
	snprintf(text, 16, "%.*f%c", decimals, value, units[unit]);
	return text;
}
