# SPDX-License-Identifier: ISC
# CHAT_SYSTEMD_DIR(WHAT): --with-WHATdir for the files of systemd-WHAT.  Where
# units go outside the prefix these follow them, since only such places are
# read: /etc/systemd/system stands beside /etc/sysusers.d.

AC_DEFUN([CHAT_SYSTEMD_DIR], [
	AC_ARG_WITH([$1dir],
		[AS_HELP_STRING([--with-$1dir=DIR],
			[files of systemd-$1 @<:@beside the units, as
			PREFIX/lib/$1.d@:>@])],
		[$1dir=$withval],
		[AS_CASE([$systemdsystemunitdir],
			[/lib/systemd/system], [$1dir=/usr/lib/$1.d],
			[*/systemd/system],
			[$1dir=${systemdsystemunitdir%/systemd/system}/$1.d],
			[$1dir='${prefix}/lib/$1.d'])])
	AS_CASE([$$1dir],
		[yes|no], [AC_MSG_ERROR([--with-$1dir wants a directory])])
	AC_SUBST([$1dir])
])
