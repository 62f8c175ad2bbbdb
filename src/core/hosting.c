/*
 * hosting: see hosting.h.
 */
#include "core/hosting.h"

#include <stdlib.h>

#include "base/mem.h"

struct hosting {
	uint32_t *numbers;		/* ascending */
	size_t n, cap;
};

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x < y ? -1 : x > y);
}

/* NUMBER or ASNUMBER, and after a blank whose it is; 0 where it is no such line. */
static uint32_t
number_of(struct slice line)
{
	uint64_t n = 0;
	size_t i = slice_starts(line, SLICE("AS")) || slice_starts(line, SLICE("as")) ? 2 : 0, first = i;

	for (; i < line.len && line.p[i] >= '0' && line.p[i] <= '9' && n <= UINT32_MAX; i++)
		n = n * 10 + (uint64_t)(line.p[i] - '0');
	if (i == first || (i < line.len && line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r') || n > UINT32_MAX)
		return (0);
	return ((uint32_t)n);
}

static bool
is_remark(struct slice line)
{
	while (line.len > 0 && (line.p[0] == ' ' || line.p[0] == '\t' || line.p[0] == '\r'))
		line = slice_skip(line, 1);
	return (line.len == 0 || line.p[0] == '#');
}

struct hosting *
hosting_parse(struct slice text, const char *name, struct err *err)
{
	struct hosting *h = mem_calloc(1, sizeof(*h));

	for (size_t number = 1; text.len > 0; number++) {
		struct slice line = slice_cut(&text, '\n');
		uint32_t as = number_of(line);

		if (is_remark(line))
			continue;
		if (as == 0) {
			err_set(err, "%s:%zu: \"%.*s\" does not begin with the number of a network, such as AS16509", name, number,
			    (int)(line.len < 80 ? line.len : 80), line.p);
			hosting_free(&h);
			return (NULL);
		}
		mem_grow(&h->numbers, &h->cap, h->n + 1, sizeof(*h->numbers));
		h->numbers[h->n++] = as;
	}
	if (h->n > 0)
		qsort(h->numbers, h->n, sizeof(*h->numbers), by_number);
	return (h);
}

void
hosting_free(struct hosting **hp)
{
	if (*hp == NULL)
		return;
	free((*hp)->numbers);
	free(*hp);
	*hp = NULL;
}

bool
hosting_has(const struct hosting *h, uint32_t as_number)
{
	return (h->n > 0 && bsearch(&as_number, h->numbers, h->n, sizeof(*h->numbers), by_number) != NULL);
}
