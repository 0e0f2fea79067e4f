#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes an authority of one's own: DIR/ca.pem (10 years) and DIR/ca.key.  Run
# by the administrator, by `chatctl cert new`, the demo and the tests.  Never
# overwrites anything unless told to, and leaves no half-made file behind.
#
# usage: authority.sh [--force] DIR
#   --force  replace an authority that is there; what it signed is void then
# Exit status: 0 made, 64 usage, 73 not made.

set -u
umask 077
# Nothing but the file below configures openssl.
OPENSSL_CONF=/dev/null
export OPENSSL_CONF

usage()
{
	echo 'usage: authority.sh [--force] DIR' >&2
	exit 64
}

# usage: fail SENTENCE
fail()
{
	echo "authority.sh: $1" >&2
	exit 73
}

# usage: quietly COMMAND... ; what it says is only shown if it fails
quietly()
{
	"$@" 2>"$work/said" >&2 || {
		cat "$work/said" >&2
		return 1
	}
}

force=no
while [ $# -gt 0 ]; do
	case $1 in
	--force) force=yes ;;
	--) shift; break ;;
	-*) usage ;;
	*) break ;;
	esac
	shift
done
[ $# -eq 1 ] && [ -n "$1" ] || usage
dir=${1%/}
dir=${dir:-/}

command -v openssl >/dev/null ||
	fail 'the program openssl is missing (apt-get install openssl).'
mkdir -p "$dir" || fail "cannot create the directory $dir."
for file in "$dir/ca.pem" "$dir/ca.key"; do
	[ ! -d "$file" ] || fail "$file is a directory."
	[ $force = yes ] || [ ! -e "$file" ] ||
		fail "$file is there already; --force replaces it."
done

# In the same directory, so that the renames below are atomic.
work=$(mktemp -d "$dir/.new-XXXXXX") || fail "cannot write in $dir."
trap 'rm -rf "$work"' EXIT
trap 'exit 73' HUP INT TERM

cat >"$work/config" <<END || fail "cannot write in $dir."
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
string_mask = utf8only
[name]
CN = chat authority
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END

quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
	-out "$work/ca.key" || fail 'cannot make a key.'
quietly openssl req -new -x509 -sha256 -days 3650 -config "$work/config" \
	-set_serial "0x01$(openssl rand -hex 15)" \
	-key "$work/ca.key" -out "$work/ca.pem" ||
	fail 'cannot make the certificate.'
chmod 600 "$work/ca.key" && chmod 644 "$work/ca.pem" ||
	fail "cannot set the permissions in $dir."
expires=$(openssl x509 -in "$work/ca.pem" -noout -enddate) ||
	fail 'cannot read the new certificate.'
sync "$work/ca.key" "$work/ca.pem" 2>/dev/null
mv -f "$work/ca.key" "$dir/ca.key" && mv -f "$work/ca.pem" "$dir/ca.pem" ||
	fail "cannot put the files into $dir."

echo "authority: $dir/ca.pem"
echo "authority key: $dir/ca.key"
echo "authority expires: ${expires#notAfter=}"
