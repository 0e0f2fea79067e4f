/* SPDX-License-Identifier: ISC */
/*
 * A configuration file of anybody's, as chatd.conf and as chat.conf.  What
 * it includes is left out: that would read this machine's files.
 */
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "chat/profile.h"
#include "chatd/settings.h"
#include "fuzz.h"

const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

/* libconfig loses the buffer of a string that never ends. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

/* And that is no report. */
const char *
__lsan_default_options(void)
{
	return "print_suppressions=0";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct conf_errors errors = {0};
	struct settings *settings;
	struct profile *profile;

	if (memmem(data, size, "@include", 8) != NULL)
		return 0;
	if (fd == -1) {
		CLAIM((fd = memfd_create("conf", MFD_CLOEXEC)) != -1);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	CLAIM(ftruncate(fd, 0) == 0);
	CLAIM(pwrite(fd, data, size, 0) == (ssize_t)size);
	settings = settings_read(path, &errors);
	CLAIM((settings == NULL) == (errors.count > 0));
	CLAIM(errors.count == 0 || errors.text[errors.len - 1] == '\n');
	settings_free(settings);
	conf_errors_release(&errors);
	profile = profile_read(path, &errors);
	CLAIM((profile == NULL) == (errors.count > 0));
	profile_free(profile);
	conf_errors_release(&errors);
	return 0;
}
