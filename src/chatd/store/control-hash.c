/* SPDX-License-Identifier: ISC */
/*
 * Passwords that the administrator sets, on their way through the keeper: a
 * queue that flows into few of the places there, so that thousands of new
 * users never keep one from logging in.  Part of the store; hashes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "chatd/store/control-parts.h"
#include "lib/log.h"

enum { HASH_PAUSE_MS = 50 }; /* while the keeper has no place */

static void hashes_go_on(struct admins *admins);

static void
hashing_free(struct hashing *hashing)
{
	ipc_wipe(hashing->password, sizeof(hashing->password));
	pending_free(&hashing->pending);
}

static void
go_on_again(void *arg)
{
	struct admins *admins = arg;

	store_tick(admins->store);
	hashes_go_on(admins);
}

static void
pause_hashes(struct admins *admins)
{
	loop_timer(admins->store->loop, &admins->hashes_again, HASH_PAUSE_MS,
	    go_on_again, admins);
}

/* Busy is not the administrator's concern: it waits at the head again. */
static void
put_back(struct admins *admins, struct hashing *hashing)
{
	struct pendings *list = &admins->hashes;

	if (hashing->pending.admin == NULL) {
		hashing_free(hashing);
		return;
	}
	hashing->pending.next = list->first;
	list->first = &hashing->pending;
	if (hashing->pending.next == NULL)
		list->end = &hashing->pending.next;
	pause_hashes(admins);
}

static void
hash_done(
    struct store *store, struct job *job, const struct ipc_verdict *verdict)
{
	struct admins *admins = store->admins;
	struct hashing *hashing = job->admin;

	for (int i = 0; i < HASHES_MAX; i++)
		if (admins->hashed[i] == hashing)
			admins->hashed[i] = NULL;
	if (verdict->verdict == VERDICT_BUSY) {
		put_back(admins, hashing);
		return;
	}
	if (verdict->verdict == VERDICT_YES)
		hashing->then(admins, hashing, verdict->hash);
	else
		pending_reply(&hashing->pending,
		    wire_refuse(hashing->pending.tag, ERR_INTERNAL,
			"The password could not be hashed."));
	hashing_free(hashing);
	hashes_go_on(admins);
}

/* A place among those that the keeper has, or NULL. */
static struct hashing **
place(struct admins *admins)
{
	for (int i = 0; i < HASHES_MAX; i++)
		if (admins->hashed[i] == NULL)
			return &admins->hashed[i];
	return NULL;
}

/* Gives the keeper what there is place for. */
static void
hashes_go_on(struct admins *admins)
{
	struct hashing **at, *hashing;
	struct job *job;

	while (admins->hashes.first != NULL && (at = place(admins)) != NULL) {
		job = job_new(admins->store, hash_done);
		if (job == NULL) {
			pause_hashes(admins);
			return;
		}
		hashing = (struct hashing *)pending_take(&admins->hashes);
		*at = hashing;
		job->type = IPC_HASH;
		job->admin = hashing;
		memcpy(job->name, hashing->name, sizeof(job->name));
		memcpy(job->ask.hash.password, hashing->password,
		    sizeof(hashing->password));
		job_start(job);
	}
}

void
hash_begin(struct admins *admins, struct admin *admin, const json_t *request,
    const char *name,
    void (*then)(struct admins *, const struct hashing *, const char *))
{
	const char *password = wire_get_string(request, "password");
	size_t len = password != NULL ? strlen(password) : 0;
	struct hashing *hashing;

	if (len < 1 || len > PASSWORD_MAX_LEN) {
		control_refuse(admin, request, ERR_BAD_REQUEST,
		    "A password has 1 to 512 octets.");
		return;
	}
	if (text_bad_at(password, len) != -1) {
		control_refuse(admin, request, ERR_BAD_REQUEST,
		    "The password holds a control character.");
		return;
	}
	hashing = pending_new(admin, request, sizeof(*hashing));
	if (hashing == NULL)
		return;
	hashing->then = then;
	memcpy(hashing->password, password, len);
	strncpy(hashing->name, name, NAME_MAX_LEN);
	pending_append(&admins->hashes, &hashing->pending);
	hashes_go_on(admins);
}

void
hashes_forget(struct admins *admins, const struct admin *admin)
{
	struct pendings kept = {NULL, NULL};
	struct pending *pending;

	kept.end = &kept.first;
	while ((pending = pending_take(&admins->hashes)) != NULL) {
		if (pending->admin != admin)
			pending_append(&kept, pending);
		else
			hashing_free((struct hashing *)pending);
	}
	while ((pending = pending_take(&kept)) != NULL)
		pending_append(&admins->hashes, pending);
	/* What the keeper has is still written down. */
	for (int i = 0; i < HASHES_MAX; i++)
		if (admins->hashed[i] != NULL &&
		    admins->hashed[i]->pending.admin == admin)
			admins->hashed[i]->pending.admin = NULL;
}

void
hashes_free(struct admins *admins)
{
	struct pending *pending;

	loop_timer_stop(admins->store->loop, &admins->hashes_again);
	while ((pending = pending_take(&admins->hashes)) != NULL)
		hashing_free((struct hashing *)pending);
	for (int i = 0; i < HASHES_MAX; i++)
		if (admins->hashed[i] != NULL)
			hashing_free(admins->hashed[i]);
}
