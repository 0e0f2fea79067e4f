# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# A small disk of a test's own.  For tests that have loaded centre.bash.

# usage: disk_small SIZE ; $disk is a file system of that size, with a copy of
# the state directory, which is $state from here on; or the test is skipped
disk_small()
{
	disk=$dir/disk
	mkdir "$disk"
	mount -t tmpfs -o "size=$1,mode=700" tmpfs "$disk" 2>/dev/null ||
		skip 'no file system can be mounted here'
	rm -f "$state/chatd.reserve"
	cp -r "$state"/* "$disk"
	state=$disk
}

# usage: disk_gone ; in tear_down
disk_gone()
{
	[ -z "${disk:-}" ] || ! mountpoint -q "$disk" || umount "$disk"
}

# usage: disk_fill ; to the last block
disk_fill()
{
	dd if=/dev/zero bs=4k status=none 2>/dev/null >>"$disk/filler" || true
	dd if=/dev/zero bs=1 count=4096 status=none 2>/dev/null \
		>>"$disk/filler" || true
}

# usage: disk_clear ; what filled it goes
disk_clear()
{
	rm "$disk/filler"
}
