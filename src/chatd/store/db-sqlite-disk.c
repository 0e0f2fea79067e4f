/* SPDX-License-Identifier: ISC */
/*
 * Between SQLite and the disk: what the disk has no space for is written
 * once more with a piece of the reserve, so that a transaction that has
 * begun comes to its end.  Runs in the store; never repeats a sync.
 */
#include <errno.h>
#include <string.h>

#include "chatd/store/db-sqlite.h"

/* Of file controls: those up to 100 are SQLite's own. */
enum { SET_RESERVE = 101 };

struct file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this */
	struct file *database; /* whose log or journal it is, or itself */
	struct reserve *reserve; /* of a database; NULL: none */
};

static struct file *
of(sqlite3_file *file)
{
	return (struct file *)file;
}

static int
disk_close(sqlite3_file *file)
{
	return of(file)->real->pMethods->xClose(of(file)->real);
}

static int
disk_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
	sqlite3_file *real = of(file)->real;

	return real->pMethods->xRead(real, to, len, at);
}

/* A full disk and a used up quota are the same to us. */
static bool
is_full(sqlite3_file *real, int code)
{
	int error = 0;

	if (code == SQLITE_FULL)
		return true;
	if (code != SQLITE_IOERR_WRITE)
		return false;
	real->pMethods->xFileControl(real, SQLITE_FCNTL_LAST_ERRNO, &error);
	return error == EDQUOT;
}

static int
disk_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	sqlite3_file *real = of(file)->real;
	const struct file *database = of(file)->database;
	int code;

	for (;;) {
		code = real->pMethods->xWrite(real, data, len, at);
		if (!is_full(real, code))
			return code;
		if (database == NULL || database->reserve == NULL ||
		    !reserve_give(database->reserve))
			return SQLITE_FULL;
	}
}

static int
disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	sqlite3_file *real = of(file)->real;

	return real->pMethods->xTruncate(real, size);
}

static int
disk_sync(sqlite3_file *file, int flags)
{
	sqlite3_file *real = of(file)->real;

	return real->pMethods->xSync(real, flags);
}

static int
disk_size(sqlite3_file *file, sqlite3_int64 *size)
{
	sqlite3_file *real = of(file)->real;

	return real->pMethods->xFileSize(real, size);
}

static int
disk_lock(sqlite3_file *file, int level)
{
	sqlite3_file *real = of(file)->real;

	return real->pMethods->xLock(real, level);
}

static int
disk_unlock(sqlite3_file *file, int level)
{
	sqlite3_file *real = of(file)->real;

	return real->pMethods->xUnlock(real, level);
}

static int
disk_locked(sqlite3_file *file, int *locked)
{
	sqlite3_file *real = of(file)->real;

	return real->pMethods->xCheckReservedLock(real, locked);
}

static int
disk_control(sqlite3_file *file, int op, void *arg)
{
	sqlite3_file *real = of(file)->real;

	if (op != SET_RESERVE)
		return real->pMethods->xFileControl(real, op, arg);
	of(file)->reserve = arg;
	return SQLITE_OK;
}

static int
disk_sector(sqlite3_file *file)
{
	sqlite3_file *real = of(file)->real;

	return real->pMethods->xSectorSize(real);
}

static int
disk_traits(sqlite3_file *file)
{
	sqlite3_file *real = of(file)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

/*
 * Without shared memory: a write-ahead log is then only for one who has the
 * file to itself, as the store does.
 */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_locked,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_traits,
};

static int
disk_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file,
    int flags, int *given)
{
	const int belongs = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
	sqlite3_vfs *system = vfs->pAppData;
	struct file *own = of(file);
	int code;

	memset(own, 0, sizeof(*own));
	own->real = (sqlite3_file *)(own + 1);
	if (flags & SQLITE_OPEN_MAIN_DB)
		own->database = own;
	else if (flags & belongs)
		own->database = of(sqlite3_database_file_object(name));
	code = system->xOpen(system, name, own->real, flags, given);
	/* What has methods is closed, even if it could not be opened. */
	own->base.pMethods = own->real->pMethods != NULL ? &methods : NULL;
	return code;
}

/* The system's, but for what becomes of a file that is open. */
static const char *
disk(void)
{
	static sqlite3_vfs vfs;
	sqlite3_vfs *system = sqlite3_vfs_find(NULL);

	if (vfs.zName != NULL || system == NULL)
		return vfs.zName;
	vfs = *system;
	vfs.pNext = NULL;
	vfs.zName = "chatd";
	vfs.szOsFile = (int)sizeof(struct file) + system->szOsFile;
	vfs.pAppData = system;
	vfs.xOpen = disk_open;
	sqlite3_vfs_register(&vfs, 0);
	return vfs.zName;
}

int
disk_database(const char *path, sqlite3 **sqlite, struct reserve *reserve)
{
	int code = sqlite3_open_v2(
	    path, sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk());

	if (code == SQLITE_OK)
		code =
		    sqlite3_file_control(*sqlite, "main", SET_RESERVE, reserve);
	return code;
}
