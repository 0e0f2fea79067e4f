/* SPDX-License-Identifier: ISC */
/*
 * What fork() costs by the size of the process that forks: why the master
 * is small and the store a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "bench.h"
#include "lib/tls.h"
#include "lib/unix.h"

enum {
	FORKS = 200,
	FORKS_LARGE = 30, /* out of a large process */
	FORKS_QUICK = 5,
	LARGE_MB = 50,
};

/* Fork, end, wait; the median in microseconds. */
static double
fork_cost(int count)
{
	double took[FORKS];

	for (int i = 0; i < count; i++) {
		int64_t began = clock_ns();
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid == -1 || process_wait(pid) == -1)
			return -1;
		took[i] = (double)(clock_ns() - began) / 1000;
	}
	return quantile(took, (size_t)count, 0.5);
}

/* Makes this process larger by that much, in small pages as a heap has. */
static bool
grow(int megabytes)
{
	size_t size = (size_t)megabytes << 20;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return false;
	madvise(at, size, MADV_NOHUGEPAGE);
	memset(at, 1, size);
	return true;
}

/* Makes this process one like the master: TLS loaded and warm. */
static bool
warm(const struct ground *ground)
{
	char certificate[BENCH_PATH_LEN + 16], key[BENCH_PATH_LEN + 16];
	char why[TLS_WHY_LEN];
	SSL_CTX *tls;

	snprintf(
	    certificate, sizeof(certificate), "%s/server.pem", ground->dir);
	snprintf(key, sizeof(key), "%s/server.key", ground->dir);
	tls = tls_server_new(certificate, key, TLS_ALPN_CENTRE, why);
	return tls != NULL && tls_warm(tls, TLS_ALPN_CENTRE, why) == 0;
}

/*
 * Measures in a fresh process of that size; 0: one like the master.  What
 * fails there gives a negative cost.
 */
static int
measure(struct bench *bench, int megabytes, double *cost)
{
	int count = bench->quick    ? FORKS_QUICK
	    : megabytes >= LARGE_MB ? FORKS_LARGE
				    : FORKS;
	int ends[2];
	ssize_t got;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return complain("a pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		bool good =
		    megabytes > 0 ? grow(megabytes) : warm(&bench->ground);
		double took = good ? fork_cost(count) : -1;

		fd_write_all(ends[1], &took, sizeof(took));
		_exit(0);
	}
	close(ends[1]);
	got = read(ends[0], cost, sizeof(*cost));
	close(ends[0]);
	if (pid == -1 || process_wait(pid) == -1 || got != sizeof(*cost) ||
	    *cost < 0)
		return complain("cannot measure fork()");
	return 0;
}

int
bench_fork(struct bench *bench)
{
	static const struct report_row master = {"fork_master",
	    "a process like the master: TLS loaded and warm", "us", 0, 0};
	static const struct report_row larger = {
	    "fork_%d_mb", "a process with %d MB more", "us", 0, 0};
	static const int sizes[] = {1, 10, 50, 200};
	double cost;

	report_part(
	    "fork(), _exit() and wait()", "by what the forking process holds");
	if (measure(bench, 0, &cost) == -1)
		return -1;
	report_line(&bench->report, &master, 0, cost);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (measure(bench, sizes[i], &cost) == -1 || interrupted())
			return -1;
		report_line(&bench->report, &larger, sizes[i], cost);
	}
	return 0;
}
