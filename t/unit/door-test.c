/* SPDX-License-Identifier: ISC */
/*
 * Who may come in at the agent's socket: its owner, and nobody else, whatever
 * becomes of the file's mode.
 */
#include "tap.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "chat/agent/door.h"
#include "lib/unix.h"

enum { NOBODY = 65534, SOON = 10000 };

static struct loop *loop;
static struct door *door;

static void
on_line(void *arg, struct face_end *face, char *line, size_t len)
{
	(void)arg;
	(void)line;
	(void)len;
	door_send(face, json_pack("{s:b}", "ok", 1));
}

static void
on_room(void *arg, struct face_end *face)
{
	(void)arg;
	(void)face;
}

static void
on_left(void *arg)
{
	(void)arg;
}

static void
enough(void *arg)
{
	loop_stop(arg);
}

/* Lets the door work until the child has ended; its exit status. */
static int
serve_until(pid_t pid)
{
	struct loop_timer timer = {0};
	int64_t until = clock_mono() + SOON;
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0 && clock_mono() < until) {
		loop_timer(loop, &timer, 20, enough, loop);
		loop_run(loop);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What a face of that user gets: 0 an answer, 1 the end, 2 no connection. */
static int
answer_for(uid_t uid, const char *path)
{
	static const char line[] = "{\"do\":\"status\"}\n";
	char got[64];
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return serve_until(pid);
	if (uid != geteuid() && setuid(uid) == -1)
		_exit(3);
	fd = unix_connect(path);
	if (fd == -1)
		_exit(2);
	if (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) == -1)
		_exit(1);
	_exit(read(fd, got, sizeof(got)) > 0 ? 0 : 1);
}

int
main(void)
{
	static const struct door_calls calls = {on_line, on_room, on_left};
	char dir[] = "/tmp/door-test-XXXXXX", path[64];
	struct stat st;

	if (mkdtemp(dir) == NULL || (loop = loop_new()) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/agent.sock", dir);
	door = door_open(loop, path, &calls, NULL);
	ok(door != NULL && stat(path, &st) == 0, "the door is open");
	is_number(st.st_mode & 0777, 0600, "to its owner alone");
	is_number(answer_for(geteuid(), path), 0, "who is answered");
	if (geteuid() == 0) {
		chmod(dir, 0755);
		is_number(answer_for(NOBODY, path), 2, "others see no door");
		chmod(path, 0666);
		is_number(answer_for(NOBODY, path), 1,
		    "and are turned away if they do");
	} else {
		puts("# others cannot be tried: not root");
	}
	is_number(answer_for(geteuid(), path), 0, "the owner still comes in");
	door_close(door);
	ok(access(path, F_OK) == -1, "closed, it is not there any more");
	loop_free(loop);
	rmdir(dir);
	return done();
}
