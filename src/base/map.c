/*
 * map: see map.h.  Linear probing; a deletion moves later entries of the run back,
 * so that there are no tombstones and a table never decays.
 */
#include "base/map.h"

#include <stdlib.h>

#include "base/mem.h"

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014): counters become spread. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31);
}

void
map64_free(struct map64 *m)
{
	free(m->slots);
	*m = (struct map64){ 0 };
}

/* The slot of key, or the empty one where it would go. */
static size_t
map64_slot(const struct map64 *m, uint64_t key)
{
	size_t i = mix(key) & (m->cap - 1);

	while (m->slots[i].value != NULL && m->slots[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return (i);
}

void *
map64_get(const struct map64 *m, uint64_t key)
{
	return (m->cap == 0 ? NULL : m->slots[map64_slot(m, key)].value);
}

void
map64_ahead(const struct map64 *m, uint64_t key)
{
	if (m->cap > 0)
		__builtin_prefetch(&m->slots[mix(key) & (m->cap - 1)]);
}

static void
map64_resize(struct map64 *m, size_t cap)
{
	struct map64 old = *m;

	m->cap = cap;
	m->slots = mem_calloc(cap, sizeof(*m->slots));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].value != NULL)
			m->slots[map64_slot(m, old.slots[i].key)] = old.slots[i];
	free(old.slots);
}

void
map64_put(struct map64 *m, uint64_t key, void *value)
{
	size_t i;

	must(value != NULL);
	if (m->count * 4 >= m->cap * 3)
		map64_resize(m, m->cap == 0 ? 16 : m->cap * 2);
	i = map64_slot(m, key);
	if (m->slots[i].value == NULL)
		m->count++;
	m->slots[i] = (struct map64_slot){ key, value };
}

void *
map64_del(struct map64 *m, uint64_t key)
{
	size_t hole, i, home;
	void *value;

	if (m->cap == 0)
		return (NULL);
	hole = map64_slot(m, key);
	value = m->slots[hole].value;
	if (value == NULL)
		return (NULL);
	for (i = (hole + 1) & (m->cap - 1); m->slots[i].value != NULL; i = (i + 1) & (m->cap - 1)) {
		home = mix(m->slots[i].key) & (m->cap - 1);
		if (((i - home) & (m->cap - 1)) >= ((i - hole) & (m->cap - 1))) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole].value = NULL;
	m->count--;
	if (m->cap > 1024 && m->count < m->cap / 8)
		map64_resize(m, m->cap / 4);
	return (value);
}

void *
map64_next(const struct map64 *m, size_t *i, uint64_t *key)
{
	for (; *i < m->cap; ++*i)
		if (m->slots[*i].value != NULL) {
			if (key != NULL)
				*key = m->slots[*i].key;
			return (m->slots[(*i)++].value);
		}
	return (NULL);
}

/* Entries with the same 64-bit hash stand in a list: practically never more than one. */
struct entry {
	struct entry *next;
	void *value;
	size_t len;
	char key[];
};

struct strmap {
	struct hash_key hash_key;
	struct map64 map;
	size_t count;
};

struct strmap *
strmap_new(const struct hash_key *key)
{
	struct strmap *m = mem_calloc(1, sizeof(*m));

	m->hash_key = *key;
	return (m);
}

void
strmap_free(struct strmap **mp)
{
	struct strmap *m = *mp;
	struct entry *e, *next;

	if (m == NULL)
		return;
	for (size_t i = 0; (e = map64_next(&m->map, &i, NULL)) != NULL;)
		for (; e != NULL; e = next) {
			next = e->next;
			free(e);
		}
	map64_free(&m->map);
	free(m);
	*mp = NULL;
}

static struct entry *
entry_find(struct entry *e, struct slice key)
{
	while (e != NULL && !slice_equal(slice_make(e->key, e->len), key))
		e = e->next;
	return (e);
}

void *
strmap_get(const struct strmap *m, struct slice key)
{
	struct entry *e = entry_find(map64_get(&m->map, hash_bytes(&m->hash_key, key)), key);

	return (e != NULL ? e->value : NULL);
}

void
strmap_put(struct strmap *m, struct slice key, void *value)
{
	uint64_t h = hash_bytes(&m->hash_key, key);
	struct entry *first = map64_get(&m->map, h), *e = entry_find(first, key);

	must(value != NULL);
	if (e == NULL) {
		e = mem_alloc(sizeof(*e) + key.len);
		e->next = first;
		e->len = key.len;
		if (key.len > 0)
			memcpy(e->key, key.p, key.len);
		map64_put(&m->map, h, e);
		m->count++;
	}
	e->value = value;
}

void *
strmap_del(struct strmap *m, struct slice key)
{
	uint64_t h = hash_bytes(&m->hash_key, key);
	struct entry *first = map64_get(&m->map, h), *e = entry_find(first, key);
	void *value;

	if (e == NULL)
		return (NULL);
	value = e->value;
	if (e != first) {
		while (first->next != e)
			first = first->next;
		first->next = e->next;
	} else if (e->next != NULL)
		map64_put(&m->map, h, e->next);
	else
		map64_del(&m->map, h);
	free(e);
	m->count--;
	return (value);
}

size_t
strmap_count(const struct strmap *m)
{
	return (m->count);
}

/* Entries that share a 64-bit hash are not all visited; two such keys among fewer than
 * 2^24 have a chance below 10^-5, and no caller's correctness hangs on iteration. */
void *
strmap_next(const struct strmap *m, size_t *i, struct slice *key)
{
	struct entry *e = map64_next(&m->map, i, NULL);

	if (e == NULL)
		return (NULL);
	if (key != NULL)
		*key = slice_make(e->key, e->len);
	return (e->value);
}
