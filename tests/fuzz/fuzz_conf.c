/*
 * fuzz_conf: any bytes as a configuration file: a configuration or a list of mistakes, never a
 * crash or a leak.  A good file follows each: what a bad one leaves behind in
 * libConfuse must not reach it.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"

static const char good[] = "site 'a' { currency = EUR log 'x' {} }\n";

static struct config *
load(const void *bytes, size_t len, struct buf *mistakes)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);
	struct config *config;
	char path[32], refused[96];

	must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config = config_load(path, mistakes);
	close(fd);
	/* Else the syntax check let something through that libConfuse refused.  (No value is
	 * repeated at this length.) */
	snprintf(refused, sizeof(refused), "%s:1: libConfuse does not take this file\n", path);
	must(mistakes->len == 0 || memmem(mistakes->p, mistakes->len, refused, strlen(refused)) == NULL);
	return (config);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf mistakes = { 0 };
	struct config *config = load(bytes, len, &mistakes);

	must((config != NULL) == (mistakes.len == 0));
	config_free(&config);
	mistakes.len = 0;
	config = load(good, sizeof(good) - 1, &mistakes);
	must(config != NULL && mistakes.len == 0 && strcmp(config->sites[0].name, "a") == 0);
	config_free(&config);
	buf_free(&mistakes);
	return (0);
}
