#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes a centre's key and certificate (825 days), signed by the authority of
# DIR (ca.pem, ca.key).  Run by the administrator, by `chatctl cert new` and
# `cert renew`, the demo and the tests.  Never overwrites anything unless told
# to, and leaves no half-made file behind.
#
# usage: server.sh DIR [--out CERT KEY] [--force | --renew] NAME...
#   NAME     what clients will type: a host name or an IP address (v4, v6)
#   --out    where to write; without it DIR/server.pem and DIR/server.key
#   --force  replace key and certificate that are there
#   --renew  keep the key, make a new certificate; without NAME for the names
#            of the old one.  Clients that know the key notice nothing.
# Prints the paths, the names, the expiry and the pin of the public key.
# Exit status: 0 made, 64 usage, 73 not made.

set -uf
umask 077
# Nothing but the files below configures openssl.
OPENSSL_CONF=/dev/null
export OPENSSL_CONF

usage()
{
	echo 'usage: server.sh DIR [--out CERT KEY] [--force | --renew] NAME...' >&2
	exit 64
}

# usage: fail SENTENCE
fail()
{
	echo "server.sh: $1" >&2
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

# usage: san NAME ; prints it as an entry of subjectAltName
san()
{
	case $1 in
	*:*)
		case $1 in
		*[!0-9A-Fa-f:.]*) return 1 ;;
		esac
		echo "IP:$1"
		;;
	*[!0-9.]*)
		case $1 in
		*[!A-Za-z0-9.*_-]* | .* | -* | *..*) return 1 ;;
		esac
		echo "DNS:$1"
		;;
	*)
		echo "$1" | grep -Eq '^(([1-9]?[0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])(\.|$)){4}$' ||
			return 1
		echo "IP:$1"
		;;
	esac
}

# usage: names_of CERTIFICATE ; prints its names, one a line
names_of()
{
	openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null |
		tr ',' '\n' | sed -n 's/^ *DNS://p; s/^ *IP Address://p'
}

# usage: pin_of CERTIFICATE ; prints the base64 SHA-256 of its public key
pin_of()
{
	openssl x509 -in "$1" -noout -pubkey >"$work/pub.pem" &&
		openssl pkey -pubin -in "$work/pub.pem" -outform DER \
			-out "$work/pub.der" &&
		openssl dgst -sha256 -binary -out "$work/pub.sum" \
			"$work/pub.der" &&
		openssl base64 -A -in "$work/pub.sum"
}

dir='' cert='' key='' names='' mode=new
while [ $# -gt 0 ]; do
	case $1 in
	--out)
		[ $# -ge 3 ] && [ -n "$2" ] && [ -n "$3" ] || usage
		cert=$2 key=$3
		shift 2
		;;
	--force) [ $mode != renew ] || usage; mode=force ;;
	--renew) [ $mode != force ] || usage; mode=renew ;;
	-* | '') usage ;;
	*)
		if [ -z "$dir" ]; then
			dir=$1
		else
			name=$(printf '%s' "$1" | tr -d '[]')
			san "$name" >/dev/null || {
				echo "server.sh: '$1' is neither a host" \
					'name nor an address.' >&2
				exit 64
			}
			names="$names $name"
		fi
		;;
	esac
	shift
done
[ -n "$dir" ] || usage
[ -n "$names" ] || [ $mode = renew ] || usage
cert=${cert:-$dir/server.pem}
key=${key:-$dir/server.key}

command -v openssl >/dev/null ||
	fail 'the program openssl is missing (apt-get install openssl).'
for file in "$dir/ca.pem" "$dir/ca.key"; do
	[ -r "$file" ] ||
		fail "cannot read $file; authority.sh makes an authority."
done
for file in "$cert" "$key"; do
	[ ! -d "$file" ] || fail "$file is a directory."
	[ $mode != new ] || [ ! -e "$file" ] ||
		fail "$file is there already; --force replaces it, --renew keeps the key."
done
if [ $mode = renew ]; then
	[ -r "$key" ] || fail "cannot read the key $key, so cannot keep it."
	if [ -z "$names" ]; then
		names=$(names_of "$cert" | tr '\n' ' ')
		[ -n "$names" ] || fail "cannot read the names in $cert; give them."
	fi
fi

# Each beside what it will replace, so that the renames below are atomic.
mkdir -p "$(dirname "$cert")" "$(dirname "$key")" ||
	fail 'cannot create the directories for key and certificate.'
work='' new_key=''
trap 'rm -rf ${work:+"$work"} ${new_key:+"$new_key"}' EXIT
trap 'exit 73' HUP INT TERM
work=$(mktemp -d "$(dirname "$cert")/.new-XXXXXX") ||
	fail "cannot write in $(dirname "$cert")."

use_key=$key
if [ $mode != renew ]; then
	new_key=$(mktemp "$(dirname "$key")/.new-XXXXXX") ||
		fail "cannot write in $(dirname "$key")."
	quietly openssl genpkey -algorithm EC -out "$new_key" \
		-pkeyopt ec_paramgen_curve:P-256 || fail 'cannot make a key.'
	chmod 600 "$new_key" || fail "cannot set the permissions of $key."
	use_key=$new_key
fi

first=${names# }
first=${first%% *}
# A common name holds 64 characters; the clients only read the other names.
[ ${#first} -le 64 ] || first='chat centre'
list=''
for name in $names; do
	list="$list,$(san "$name")"
done
cat >"$work/config" <<END || fail "cannot write in $(dirname "$cert")."
[req]
distinguished_name = name
prompt = no
string_mask = utf8only
[name]
CN = $first
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = ${list#,}
END

quietly openssl req -new -sha256 -config "$work/config" -key "$use_key" \
	-out "$work/request" || fail "cannot use the key $key."
quietly openssl x509 -req -sha256 -days 825 -in "$work/request" \
	-CA "$dir/ca.pem" -CAkey "$dir/ca.key" \
	-set_serial "0x01$(openssl rand -hex 15)" \
	-extfile "$work/config" -extensions server -out "$work/server.pem" ||
	fail "the authority in $dir cannot sign for these names."
quietly openssl verify -no-CApath -no-CAstore -CAfile "$dir/ca.pem" \
	-purpose sslserver "$work/server.pem" ||
	fail "the new certificate is not one of the authority in $dir."
expires=$(openssl x509 -in "$work/server.pem" -noout -enddate) &&
	pin=$(pin_of "$work/server.pem") ||
	fail 'cannot read the new certificate.'

chmod 644 "$work/server.pem" || fail "cannot set the permissions of $cert."
sync "$work/server.pem" ${new_key:+"$new_key"} 2>/dev/null
if [ -n "$new_key" ]; then
	mv -f "$new_key" "$key" || fail "cannot write $key."
	new_key=''
fi
mv -f "$work/server.pem" "$cert" || fail "cannot write $cert."

echo "certificate: $cert"
echo "key: $key"
echo "names:$(for name in $names; do printf ' %s' "$name"; done)"
echo "expires: ${expires#notAfter=}"
echo "pin: sha256//$pin"
