# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# A system that fails when a test wants it to, by t/tool/fault.so.  For tests
# that have loaded centre.bash.

# usage: faults_ready ; what starts from here on fails when system_fails says
# so; or the test is skipped
faults_ready()
{
	[ -z "${CHAT_SANITIZE:-}" ] || skip 'a sanitizer must be loaded first'
	fault=$dir/fault
	printf -- - >"$fault"
	export CHAT_FAULT=$fault LD_PRELOAD=$CHAT_BUILD/t/tool/fault.so
}

# usage: system_fails s|w|p|m|- ; syncs, writes, for want of processes or of
# memory (chatd alone), or nothing any more
system_fails()
{
	# In place: it is mapped.
	printf '%s' "$1" | dd of="$fault" conv=notrunc status=none
}
