/*
 * doctor_state: the state directory: whose it is, its room, the keys in it; and this machine's clock.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/mem.h"
#include "doctor/doctor_impl.h"
#include "io/keys.h"

#define ROOM_LEAST_MB 100

static void
check_dir(struct doctor *d, const char *dir)
{
	struct err what, fix;
	struct statvfs room;
	struct stat st;
	bool missing;

	if (!access_check(&d->user, dir, 7, &missing, &what, &fix)) {
		if (missing)
			err_set(&fix, "Start rpvd.service, which makes it; or mkdir -m 0700 %.150s and chown %s; or set state_dir.", dir, d->user.name);
		else
			err_set(&fix, "Give it to rpvd: chown -R %s %.150s; or set state_dir.", d->user.name, dir);
		doctor_find(d, "state_dir", &fix, "%s", what.msg);
	}
	if (stat(dir, &st) != 0)
		return;
	if ((st.st_mode & 077) != 0) {
		err_set(&fix, "chmod 0700 %.200s", dir);
		doctor_find(d, "state_dir", &fix, "%s: others may look into it (mode %04o), and the keys of all hashes are there", dir,
		    (unsigned)(st.st_mode & 07777));
	}
	fix = doctor_fix("Make room there, or set state_dir to where there is: without room webhooks are refused.");
	if (statvfs(dir, &room) == 0 && (unsigned long long)room.f_bavail * room.f_frsize < ROOM_LEAST_MB * 1000000ULL)
		doctor_find(d, "room", &fix, "%s: only %llu MB are free", dir, (unsigned long long)room.f_bavail * room.f_frsize / 1000000);
}

static void
check_keys(struct doctor *d, const char *site)
{
	struct buf path = { 0 };
	struct err what, fix;
	bool missing, found;
	struct keys *keys;

	buf_printf(&path, "%s/keys-%s", d->config->state_dir, site);
	buf_putc(&path, '\0');
	if (access(path.p, F_OK) != 0 && errno == ENOENT) {
		doctor_note(d, "keys", "site %s: no keys as yet: rpvd makes them when it is started first", site);
	} else if (!access_check(&d->user, path.p, 6, &missing, &what, &fix)) {
		err_set(&fix, "Give it back: chown %s %.200s", d->user.name, path.p);
		doctor_find(d, "keys", &fix, "%s", what.msg);
	} else if (access(path.p, R_OK) == 0) {
		keys = keys_open(d->config->state_dir, site, &found, &what);
		fix = doctor_fix("Put back a copy of the file, or remove it: visitors then count as new once.");
		if (keys == NULL)
			doctor_find(d, "keys", &fix, "%s", what.msg);
		keys_close(&keys);
	}
	buf_free(&path);
}

/* The kernel's own word; a note, for where the host of a virtual machine sets its clock this one says nothing. */
static void
check_sync(struct doctor *d)
{
	struct timex t = { .modes = 0 };

	if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		doctor_note(d, "clock", "no time server sets this machine's clock (timedatectl set-ntp true); signatures of webhooks are checked by it");
}

void
doctor_state(struct doctor *d)
{
	check_dir(d, d->config->state_dir);
	for (size_t i = 0; i < d->config->n_sites; i++)
		check_keys(d, d->config->sites[i].name);
	check_sync(d);
}
