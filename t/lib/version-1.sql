-- SPDX-License-Identifier: ISC
-- A database of version 1 as the first chatd made it: never to be changed.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, state BIGINT NOT NULL, created BIGINT NOT NULL, last_login BIGINT NOT NULL, failed BIGINT NOT NULL, mail_head BIGINT NOT NULL, mail_count BIGINT NOT NULL, mail_ack BIGINT NOT NULL, room_ack BIGINT NOT NULL);
CREATE TABLE session (token BLOB PRIMARY KEY, user_id BIGINT NOT NULL, family BIGINT NOT NULL, port BIGINT NOT NULL, ip BLOB NOT NULL, since BIGINT NOT NULL, used BIGINT NOT NULL, login_room BIGINT NOT NULL, online BIGINT NOT NULL, ended TEXT NOT NULL, ended_at BIGINT NOT NULL, ended_from TEXT NOT NULL);
CREATE INDEX session_user ON session (user_id);
CREATE INDEX session_used ON session (used) WHERE ended = '';
CREATE INDEX session_ended ON session (ended_at) WHERE ended <> '';
CREATE TABLE lock (name TEXT PRIMARY KEY, known BIGINT NOT NULL, failures BIGINT NOT NULL, until BIGINT NOT NULL, time BIGINT NOT NULL);
CREATE TABLE accepted (n INTEGER PRIMARY KEY, sender BIGINT NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL, a BIGINT NOT NULL, b BIGINT NOT NULL, time BIGINT NOT NULL, UNIQUE (sender, id));
CREATE TABLE mail (user_id BIGINT NOT NULL, n BIGINT NOT NULL, type TEXT NOT NULL, other BIGINT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, time BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (user_id, n)) WITHOUT ROWID;
CREATE TABLE room (n INTEGER PRIMARY KEY, user_id BIGINT NOT NULL, type TEXT NOT NULL, time BIGINT NOT NULL, only_from BIGINT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, presence BIGINT NOT NULL);
CREATE INDEX room_presence ON room (user_id, n) WHERE presence = 1;
CREATE TABLE block (owner BIGINT NOT NULL, target BIGINT NOT NULL, from_n BIGINT NOT NULL, to_n BIGINT NOT NULL, PRIMARY KEY (owner, target, from_n)) WITHOUT ROWID;
CREATE INDEX block_target ON block (target, to_n);
CREATE INDEX block_ended ON block (to_n);
INSERT INTO meta VALUES ('version', '1'), ('epoch', '0123456789abcdef'),
 ('room_head', '1');
INSERT INTO users VALUES (1, 'alice', 'HASH', 0, 1, 0, 0, 0, 0, 0, 0),
 (2, 'bob', 'HASH', 0, 1, 0, 0, 1, 1, 0, 0);
INSERT INTO mail VALUES (2, 1, 'message', 1, 'alice', 'id-of-version-one', 1,
 'from the first version');
INSERT INTO room VALUES (1, 1, 'broadcast', 1, 0, 'alice', 'id-of-version-1-1',
 'to all', 0);
