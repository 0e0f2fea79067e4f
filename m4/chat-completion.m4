# SPDX-License-Identifier: ISC
# CHAT_COMPLETION(SHELL, DIRECTORY): --with-SHELL-completion-dir, by default
# that directory below $(datadir), so that any prefix will do.

AC_DEFUN([CHAT_COMPLETION], [
	AC_ARG_WITH([$1-completion-dir],
		[AS_HELP_STRING([--with-$1-completion-dir=DIR],
			[completions for $1 [DATADIR/$2]])],
		[$1_completion_dir=$withval],
		[$1_completion_dir='${datadir}/$2'])
	AS_CASE([$$1_completion_dir],
		[yes|no], [AC_MSG_ERROR([--with-$1-completion-dir wants a directory])])
	AC_SUBST([$1_completion_dir])
])
