#!/bin/bash
# SPDX-License-Identifier: ISC
# What `make lint` checks without running anything: warnings of two compilers,
# layout, cppcheck, shell scripts, manual pages, the house's sizes.  A check
# whose tool is missing fails too, and says which package brings it.
#
# usage: t/lint.sh SOURCE_DIRECTORY COMPILER_FLAG...

set -u
flags=("${@:2}")
# The compilers run in the build directory, where the flags are right.
src=$1
c_files=() h_files=() man_files=() sh_files=() bats_files=()
failed=0
jobs=$(nproc 2>/dev/null || echo 1)

# usage: check TITLE PACKAGE TOOL COMMAND...
# Runs the command if the tool is there; says one line about it.
check()
{
	local title=$1 package=$2 tool=$3
	shift 3
	if ! command -v "$tool" >/dev/null; then
		echo "lint: $title: NOT CHECKED, $tool is missing" \
			"(apt-get install $package)"
		failed=$((failed + 1))
	elif "$@"; then
		echo "lint: $title: ok"
	else
		echo "lint: $title: FAILED"
		failed=$((failed + 1))
	fi
}

# usage: compile COMPILER FLAG... ; over every C file, as many at once as cores
compile()
{
	printf '%s\0' "${compiled[@]}" |
		xargs -0 -n 1 -P "$jobs" "$@" "${flags[@]}" -Werror
}

# usage: without_gtk ; the window cannot be compiled here
without_gtk()
{
	local file
	case " ${flags[*]} " in
	*/gtk-4.0*) return ;;
	esac
	echo 'lint: src/chat/faces/window: NOT COMPILED, libgtk-4-dev or' \
		'libadwaita-1-dev is missing'
	failed=$((failed + 1))
	compiled=()
	for file in "${c_files[@]}"; do
		case $file in
		*/faces/window/*) ;;
		*) compiled+=("$file") ;;
		esac
	done
}

# usage: layout ; clang-format would change nothing
layout()
{
	clang-format --dry-run -Werror "${c_files[@]}" "${h_files[@]}"
}

# usage: suspicious ; cppcheck finds nothing
suspicious()
{
	cppcheck --quiet --enable=warning,portability --inline-suppr \
		--library="$src/t/cppcheck.cfg" --library=gtk \
		--error-exitcode=1 \
		--std=c11 -D_GNU_SOURCE -j "$jobs" -I "$src/src" "${c_files[@]}"
}

# usage: test_scripts ; variables go to and fro between a test and its helpers
# in other files, and each test is a subshell: not to be complained of
test_scripts()
{
	shellcheck -x -e SC2030,SC2031,SC2034,SC2154 "${bats_files[@]}"
}

# usage: window_data ; what a desktop is told is as it wants it
window_data()
{
	desktop-file-validate "$src"/dist/window/*.desktop &&
		appstreamcli validate --no-net --no-color \
			"$src"/dist/window/*.metainfo.xml >&2
}

# usage: licences ; every file of ours names its licence in the first lines
licences()
{
	local file lost=0
	for file in "${c_files[@]}" "${h_files[@]}" "${sh_files[@]}" \
		"${bats_files[@]}" "${man_files[@]}" "$src/configure.ac" "$src/Makefile.am"; do
		if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ISC'
		then
			echo "$file: no SPDX line"
			lost=1
		fi
	done
	return $lost
}

# usage: sizes ; no file of 700 lines, no function over 100
sizes()
{
	awk -v files=700 -v lines=100 '
		FNR == 1 { total = 0 }
		++total == files { print FILENAME ": " files " lines"; bad = 1 }
		/^\{/ { start = FNR }
		/^\}/ && start {
			if (FNR - start - 1 > lines) {
				print FILENAME ":" start ": a function of " \
					FNR - start - 1 " lines"
				bad = 1
			}
			start = 0
		}
		END { exit bad }' "${c_files[@]}" "${h_files[@]}"
}

# usage: list VARIABLE FIND_ARGUMENT... ; files below the source directory
list()
{
	local -n into=$1
	shift
	local dirs=() dir
	for dir in src t bench certs dist man .ci; do
		if [ -d "$src/$dir" ]; then
			dirs+=("$src/$dir")
		fi
	done
	# shellcheck disable=SC2034 # the caller's array, by name
	mapfile -t into < <(find "${dirs[@]}" -type f "$@" | LC_ALL=C sort)
}

list c_files -name '*.c'
list h_files -name '*.h'
list man_files -name '*.[1-9]' -path "$src/man/*"
list bats_files -name '*.ba*'
list sh_files \( -name '*.sh' -o -path "$src/.ci/run" \)
sh_files+=("$src/run" "$src/autogen.sh" "$src/dist/completions/chat.bash")

compiled=("${c_files[@]}")
without_gtk
check 'gcc -Werror' gcc gcc compile gcc -c -o /dev/null
check 'clang -Werror' clang clang \
	compile clang -fsyntax-only -Wno-unknown-warning-option
check 'clang-format' clang-format clang-format layout
check 'cppcheck' cppcheck cppcheck suspicious
check 'shellcheck' shellcheck shellcheck shellcheck -x "${sh_files[@]}"
if [ ${#bats_files[@]} -gt 0 ]; then
	check 'shellcheck, tests' shellcheck shellcheck test_scripts
fi
if [ ${#man_files[@]} -gt 0 ]; then
	check 'mandoc' mandoc mandoc mandoc -Tlint -Wwarning "${man_files[@]}"
fi
check 'desktop file, AppStream' appstream appstreamcli window_data
check 'licence lines' grep grep licences
check 'sizes' mawk awk sizes

if [ "$failed" -gt 0 ]; then
	echo "lint: $failed failed"
	exit 1
fi
echo 'lint: all is well'
