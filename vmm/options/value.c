// SPDX-License-Identifier: MIT
/*
 * value.c - strict readers for the values of options (value.h).
 *
 * strtoull() and strtod() skip blanks and take signs, strtod() also takes hex,
 * infinity and NaN: so the first character is looked at before they are called
 * and the last one after.
 */
#include "value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read one number at *at; *at is then what follows it. */
static int number_read(const char **at, int base, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	errno = 0;
	*value = strtoull(*at, &end, base);
	*at = end;
	return -errno;
}

static int number_read_whole(const char *text, int base, uint64_t *value)
{
	uint64_t number;
	int error = number_read(&text, base, &number);

	if (*text != '\0')
		return -EINVAL;         /* rather than -ERANGE: 999...9x */
	if (!error)
		*value = number;
	return error;
}

int value_read_u64(const char *text, uint64_t *value)
{
	return number_read_whole(text, 10, value);
}

int value_read_seed(const char *text, uint64_t *value)
{
	return number_read_whole(text, strncmp(text, "0x", 2) ? 10 : 16, value);
}

int value_read_decimal(const char *text, double *value)
{
	double number;
	char *end;

	if (text[strspn(text, "0123456789.")] != '\0')
		return -EINVAL;
	number = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(number))
		return -EINVAL;
	*value = number;
	return 0;
}

/* Nanoseconds of the unit of @bytes at @text; 0 if it is none. */
static double unit_ns(const char *text, size_t bytes)
{
	static const struct { const char *name; double ns; } units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == bytes && memcmp(units[i].name, text, bytes) == 0)
			return units[i].ns;
	return 0;
}

int value_read_ns(const char *text, size_t bytes, uint64_t *ns)
{
	char digits[32];
	size_t count = 0;
	double number, unit;

	while (count < bytes && (isdigit((unsigned char)text[count]) || text[count] == '.'))
		count++;
	unit = unit_ns(text + count, bytes - count);
	if (unit <= 0 || count >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, count);
	digits[count] = '\0';
	if (value_read_decimal(digits, &number))
		return -EINVAL;
	if (number * unit > VALUE_MAX_NS)
		return -ERANGE;
	*ns = (uint64_t)(number * unit + 0.5);
	return 0;
}

/* Add one item, 8 or 0-3; *at is then what follows it. */
static int cpus_add_item(const char **at, struct cpus *cpus)
{
	uint64_t first, last;
	int error = number_read(at, 10, &first);

	last = first;
	if (!error && **at == '-') {
		++*at;
		error = number_read(at, 10, &last);
	}
	if (error)
		return error;
	if (first > last)
		return -EINVAL;
	if (last >= CPUS_MAX)
		return -ERANGE;
	for (uint64_t cpu = first; cpu <= last; cpu++)
		cpus_add(cpus, (uint32_t)cpu);
	return 0;
}

int value_read_cpus(const char *text, struct cpus *cpus)
{
	struct cpus found = { 0 };
	int error;

	while ((error = cpus_add_item(&text, &found)) == 0 && *text == ',')
		text++;
	if (error)
		return error;
	if (*text != '\0')
		return -EINVAL;
	*cpus = found;
	return 0;
}

int value_read_name(const char *text, size_t bytes, const struct value_names *names,
		    uint32_t *value)
{
	for (uint32_t i = 0; i < names->count; i++) {
		if (strlen(names->names[i]) != bytes || memcmp(text, names->names[i], bytes))
			continue;
		*value = i;
		return 0;
	}
	return -EINVAL;
}

int value_read_name_set(const char *text, const struct value_names *names, uint32_t *set,
			const char **unknown)
{
	uint32_t found = 0, value;

	for (const char *item = text;; item++) {
		size_t bytes = strcspn(item, ",");

		if (value_read_name(item, bytes, names, &value)) {
			*unknown = item;
			return -EINVAL;
		}
		found |= UINT32_C(1) << value;
		item += bytes;
		if (*item == '\0')
			break;
	}
	*set = found;
	return 0;
}

void value_names_text(char *out, size_t bytes, const struct value_names *names,
		      const char *before_last)
{
	size_t used = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < names->count && used < bytes; i++) {
		const char *before = i + 1 < names->count ? ", " : before_last;

		used += (size_t)snprintf(out + used, bytes - used, "%s%s", i > 0 ? before : "",
					 names->names[i]);
	}
}
