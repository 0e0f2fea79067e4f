# SPDX-License-Identifier: ISC
# What configure asks the compiler: does it take this flag?

# CHAT_CFLAG(VARIABLE, FLAGS): adds the flags if the compiler takes them all.
AC_DEFUN([CHAT_CFLAG], [
	AS_VAR_PUSHDEF([cache], [chat_cv_cflag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cache], [
		chat_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]])],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$chat_save_CFLAGS
	])
	AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
	AS_VAR_POPDEF([cache])
])

# CHAT_LDFLAG(VARIABLE, FLAGS): the same for the linker.
AC_DEFUN([CHAT_LDFLAG], [
	AS_VAR_PUSHDEF([cache], [chat_cv_ldflag_$2])
	AC_CACHE_CHECK([whether the linker takes $2], [cache], [
		chat_save_LDFLAGS=$LDFLAGS
		chat_save_CFLAGS=$CFLAGS
		LDFLAGS="$LDFLAGS $2"
		CFLAGS="$CFLAGS $chat_pie_CFLAGS -Werror"
		AC_LINK_IFELSE([AC_LANG_PROGRAM()],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		LDFLAGS=$chat_save_LDFLAGS
		CFLAGS=$chat_save_CFLAGS
	])
	AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
	AS_VAR_POPDEF([cache])
])
