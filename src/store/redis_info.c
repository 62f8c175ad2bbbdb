/*
 * redis_info: see redis_info.h.
 */
#include "store/redis_info.h"

#include <stdio.h>
#include <time.h>

static uint64_t
number_of(struct slice text)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.len && text.p[i] >= '0' && text.p[i] <= '9' && n < UINT64_MAX / 10 - 9; i++)
		n = n * 10 + (uint64_t)(text.p[i] - '0');
	return (n);
}

static void
copy_text(char *out, size_t room, struct slice text)
{
	snprintf(out, room, "%.*s", SLICE_FMT(text));
}

static void
take_field(struct redis_info *info, struct slice name, struct slice value)
{
	if (slice_is(name, "redis_version") && info->version[0] == '\0')
		copy_text(info->version, sizeof(info->version), value);
	else if (slice_is(name, "server_name"))
		copy_text(info->software, sizeof(info->software), value);
	else if (slice_is(name, "valkey_version"))
		copy_text(info->version, sizeof(info->version), value);
	else if (slice_is(name, "role"))
		info->replica = slice_is(value, "slave") || slice_is(value, "replica");
	else if (slice_is(name, "cluster_enabled"))
		info->cluster = slice_is(value, "1");
	else if (slice_is(name, "used_memory"))
		info->used = number_of(value);
	else if (slice_is(name, "maxmemory"))
		info->max = number_of(value);
	else if (slice_is(name, "maxmemory_policy"))
		copy_text(info->eviction, sizeof(info->eviction), value);
	else if (slice_is(name, "aof_enabled"))
		info->aof = slice_is(value, "1");
	else if (slice_is(name, "aof_last_write_status"))
		info->aof_failed = slice_is(value, "err");
	else if (slice_is(name, "rdb_last_bgsave_status"))
		info->snapshot_failed = slice_is(value, "err");
	else if (slice_is(name, "rdb_changes_since_last_save"))
		info->unsaved = number_of(value);
	else if (slice_is(name, "rdb_last_save_time"))
		info->saved_at = (int64_t)number_of(value);
}

/* "name:value\r\n", and "# Section\r\n" between. */
void
redis_info_parse(struct redis_info *info, struct slice text)
{
	*info = (struct redis_info){ .software = "redis", .snapshots = info->snapshots };
	while (text.len > 0) {
		struct slice value = slice_cut(&text, '\n'), name;

		if (value.len > 0 && value.p[value.len - 1] == '\r')
			value.len--;
		name = slice_cut(&value, ':');
		if (name.len > 0 && name.p[0] != '#')
			take_field(info, name, value);
	}
	info->known = info->version[0] != '\0';
}

/* Also by volatile-...: an order's record has an end, and so has the lease. */
bool
redis_info_evicts(const struct redis_info *info)
{
	return (info->known && info->max > 0 && info->eviction[0] != '\0' &&
	    !slice_is(slice_of(info->eviction), "noeviction"));
}

uint64_t
redis_info_primaries(struct slice text)
{
	while (text.len > 0) {
		struct slice value = slice_cut(&text, '\n'), name = slice_cut(&value, ':');

		if (slice_is(name, "cluster_size"))
			return (number_of(value));
	}
	return (0);
}

void
redis_info_persistence(const struct redis_info *info, struct err *sentence)
{
	time_t saved_at = (time_t)info->saved_at;
	struct tm tm;
	char at[32];

	if (!info->known)
		err_set(sentence, "not told: Redis does not let rpvd use INFO");
	else if (info->aof && info->aof_failed)
		err_set(sentence, "Redis cannot write its append-only file: see its log, mostly the disk is full");
	else if (info->aof)
		err_set(sentence, "append-only file: a crash of Redis costs it some seconds, which rpvd reads again");
	else if (info->snapshots == SNAPSHOTS_OFF)
		err_set(sentence, "none: when Redis ends, everything is made anew from the logs and the journal, as far as they reach back "
		    "(appendonly yes in redis.conf keeps it)");
	else {
		gmtime_r(&saved_at, &tm);
		strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
		if (info->snapshot_failed)
			err_set(sentence, "Redis cannot write its snapshots (the last is of %s): see its log, mostly the disk is full", at);
		else
			err_set(sentence, "snapshots: a crash of Redis costs it what came after %s, which rpvd reads again as far as logs and "
			    "journal reach back", at);
	}
}

static void
put_bytes(char out[24], uint64_t n)
{
	if (n < 1 << 20)
		snprintf(out, 24, "%.1f KB", (double)n / 1024);
	else if (n < 1 << 30)
		snprintf(out, 24, "%.1f MB", (double)n / (1 << 20));
	else
		snprintf(out, 24, "%.1f GB", (double)n / (1 << 30));
}

void
redis_info_memory(const struct redis_info *info, struct err *text)
{
	char used[24], max[24];

	put_bytes(used, info->used);
	put_bytes(max, info->max);
	if (info->max > 0)
		err_set(text, "%s of %s (maxmemory)", used, max);
	else
		err_set(text, "%s", used);
}
