/* SPDX-License-Identifier: ISC */
/*
 * The test suite's hand in a database: runs one piece of SQL on a file and
 * prints what it gives, one row a line, columns separated by `|`.  A program
 * of its own that the tests run while no centre does.
 */
#include <stdio.h>
#include <sysexits.h>

#include <sqlite3.h>

/* Prints one row. */
static int
print_row(void *arg, int count, char **values, char **names)
{
	(void)arg;
	(void)names;
	for (int i = 0; i < count; i++)
		printf("%s%s", i > 0 ? "|" : "", values[i] ? values[i] : "");
	putchar('\n');
	return 0;
}

int
main(int argc, char **argv)
{
	sqlite3 *db = NULL;
	int status = EX_OK;

	if (argc != 3) {
		fputs("usage: db FILE SQL\n", stderr);
		return EX_USAGE;
	}
	if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) !=
		SQLITE_OK ||
	    sqlite3_exec(db, argv[2], print_row, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "db: %s: %s\n", argv[1], sqlite3_errmsg(db));
		status = EX_DATAERR;
	}
	sqlite3_close(db);
	return status;
}
