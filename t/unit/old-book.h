/* SPDX-License-Identifier: ISC */
/*
 * The way back: SQL that makes of a book one of an older version, a step for
 * each rung of the schema, the newest first.
 */
#ifndef UNIT_OLD_BOOK_H
#define UNIT_OLD_BOOK_H

#define BOOK_BACK_TO_4                                        \
	"DROP TRIGGER history_last; DROP TABLE talk;"         \
	"DROP INDEX history_talk; DROP INDEX history_theirs;" \
	"DROP INDEX history_room;"                            \
	"ALTER TABLE history DROP COLUMN talk;"               \
	"PRAGMA user_version = 4;"
#define BOOK_BACK_TO_2                                        \
	BOOK_BACK_TO_4                                        \
	"DROP TRIGGER place_link; DROP TABLE link;"           \
	"DROP TABLE peer_key; ALTER TABLE place DROP COLUMN " \
	"peer_port;"                                          \
	"DROP INDEX history_private;"                         \
	"DROP TRIGGER place_beacon; DROP TABLE beacon;"       \
	"PRAGMA user_version = 2;"
#define BOOK_BACK_TO_1                                  \
	BOOK_BACK_TO_2                                  \
	"DROP TRIGGER history_words; DROP TABLE words;" \
	"PRAGMA user_version = 1;"

#endif
