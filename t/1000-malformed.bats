#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Lines that break the protocol: each gets bad-request with a sentence that
# says which, and the connection ends; nobody else notices.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre

setup_file()
{
	people alice bob
}

set_up()
{
	centre_start
	store=$(centre_pid store)
	keeper=$(centre_pid keeper)
}

# usage: untouched ; the lasting processes are the same, the next is served
untouched()
{
	same "$store $keeper" "$(centre_pid store) $(centre_pid keeper)" &&
		ask hello >/dev/null && accepted
}

# usage: bad LINE TEXT ; the line gets that text, and then the end: a good
# line after it gets no reply
bad()
{
	reply=$(printf '%s\n{"op":"hello"}\n' "$1" | wire --raw) || [ $? -eq 1 ]
	same 1 "$(wc -l <<<"$reply")" "the number of replies to $1"
	refused bad-request
	holds "$(value .text)" "$2"
}

@test "what is no JSON object" {
	bad '' 'not a JSON object'
	bad 'hello' 'not a JSON object'
	bad '[1,2]' 'not a JSON object'
	bad '"hello"' 'not a JSON object'
	bad 'null' 'not a JSON object'
	bad '{"op":"hello"' 'not a JSON object'
	bad '{"op":"hello"}}' 'not a JSON object'
	bad '{"op":"hello"}{"op":"hello"}' 'not a JSON object'
	bad '{"op":"hello",}' 'not a JSON object'
	bad "{'op':'hello'}" 'not a JSON object'
	bad '{op:"hello"}' 'not a JSON object'
	bad '{"op":"hel	lo"}' 'not a JSON object'
	bad '{"op":"hello","tag":0x1}' 'not a JSON object'
	bad '{"op":"hello","tag":NaN}' 'not a JSON object'
	bad 'GET / HTTP/1.1' 'not a JSON object'
	untouched
}

@test "an op that is unknown, missing or no string" {
	bad '{"op":"dance"}' 'unknown op "dance"'
	bad '{"op":"HELLO"}' 'unknown op "HELLO"'
	bad '{"op":""}' 'unknown op ""'
	bad '{"tag":1}' '"op" is missing'
	bad '{"op":1}' '"op" must be a string'
	bad '{"op":null}' '"op" must be a string'
	bad '{"op":["hello"]}' '"op" must be a string'
	bad '{"op":"\u001b[2Jdance"}' 'unknown op "'
	! grep -q $'\e' <<<"$reply" || fail 'an escape sequence came back'
	bad "{\"op\":\"$(printf '%0900d' 0)\"}" 'unknown op "0000'
	[ ${#reply} -lt 300 ]
	untouched
}

@test "members that are missing" {
	bad '{"op":"login","password":"x"}' '"user" is missing'
	bad '{"op":"login","user":"x"}' '"password" is missing'
	bad '{"op":"register","user":"x"}' '"password" is missing'
	bad '{"op":"logout"}' '"token" is missing'
	bad '{"op":"live","token":"x","mail":0}' '"room" is missing'
	bad '{"op":"live","token":"x","room":0}' '"mail" is missing'
	bad '{"op":"sync","token":"x","mail":0,"room":0}' '"epoch" is missing'
	bad '{"op":"send","token":"x","to":"bob","text":"x"}' '"id" is missing'
	bad '{"op":"send","token":"x","id":"x","text":"x"}' '"to" is missing'
	bad '{"op":"send","token":"x","id":"x","to":"bob"}' '"text" is missing'
	bad '{"op":"broadcast","token":"x","id":"x"}' '"text" is missing'
	bad '{"op":"block","token":"x"}' '"user" is missing'
	bad '{"op":"unblock","token":"x"}' '"user" is missing'
	bad '{"op":"password","token":"x","old":"x"}' '"new" is missing'
	bad '{"op":"password","token":"x","new":"x"}' '"old" is missing'
	untouched
}

@test "members of the wrong type" {
	bad '{"op":"login","user":1,"password":"x"}' '"user" must be a string'
	bad '{"op":"login","user":"x","password":null}' \
		'"password" must be a string'
	bad '{"op":"login","user":"x","password":"x","brief":1}' \
		'"brief" must be true or false'
	bad '{"op":"login","user":"x","password":"x","brief":"true"}' \
		'"brief" must be true or false'
	bad '{"op":"live","token":1,"mail":0,"room":0}' '"token" must be a string'
	bad '{"op":"live","token":"x","mail":"0","room":0}' \
		'"mail" must be an integer'
	bad '{"op":"live","token":"x","mail":0,"room":0.0}' \
		'"room" must be an integer'
	bad '{"op":"live","token":"x","mail":true,"room":0}' \
		'"mail" must be an integer'
	bad '{"op":"sync","token":"x","epoch":7,"mail":0,"room":0}' \
		'"epoch" must be a string'
	bad '{"op":"send","token":"x","id":"x","to":{},"text":"x"}' \
		'"to" must be a string'
	bad '{"op":"send","token":"x","id":[],"to":"x","text":"x"}' \
		'"id" must be a string'
	bad '{"op":"live","token":"x","mail":1e400,"room":0}' 'out of range'
	untouched
}

@test "a key twice" {
	bad '{"op":"hello","op":"hello"}' 'duplicate key'
	bad '{"op":"hello","tag":{"a":1,"a":2}}' 'duplicate key'
	bad '{"op":"hello","\u006fp":"login"}' 'duplicate key'
	untouched
}

@test "a NUL, as a byte and as an escape" {
	reply=$(printf '{"op":"hel\0lo"}\n' | wire --raw)
	refused bad-request
	holds "$reply" 'NUL'
	reply=$(printf '{"op":"hello"}\0\n' | wire --raw)
	refused bad-request
	holds "$reply" 'NUL'
	bad '{"op":"hello\u0000"}' 'NUL'
	bad '{"op":"hello","\u0000":1}' 'NUL'
	bad '{"op":"hello","tag":{"x":["a\u0000"]}}' 'NUL'
	untouched
}

@test "bytes that are not UTF-8" {
	for bytes in '\xff' '\xfe' '\x80' '\xc0\x80' '\xc1\xbf' '\xc3' \
		'\xe0\x80\x80' '\xed\xa0\x80' '\xed\xbf\xbf' '\xe2\x82' \
		'\xf0\x80\x80\x80' '\xf4\x90\x80\x80' '\xf8\x88\x80\x80\x80'
	do
		# shellcheck disable=SC2059 # the escapes are the point
		bad "$(printf "{\"op\":\"hello\",\"tag\":\"$bytes\"}")" \
			'not UTF-8'
	done
	bad "$(printf '{"op":"hello","\xff":1}')" 'not UTF-8'
	untouched
}

@test "nesting of 8 is allowed, of 9 is not" {
	ask hello tag:='[[[[[[[1]]]]]]]'
	accepted
	says '.tag == [[[[[[[1]]]]]]]'
	ask hello tag:='[[[[[[{"a":1}]]]]]]'
	accepted
	bad '{"op":"hello","tag":[[[[[[[[1]]]]]]]]}' 'nested deeper than 8'
	bad '{"op":"hello","tag":[[[[[[[{"a":1}]]]]]]]}' 'nested deeper than 8'
	# Brackets in a string are none.
	ask hello tag='[[[[[[[[[[{{{{\"[['
	accepted
	bad "$(printf '%01000d' 0 | tr 0 '[')" 'nested deeper than 8'
	bad "$(printf '%060000d' 0 | tr 0 '[')" 'nested deeper than 8'
	untouched
}

@test "a line of 64 KiB is taken, one of a byte more is not" {
	# With its newline; what pads is an unknown member, which is ignored.
	pad=$(printf '%065511d' 0)
	line="{\"op\":\"hello\",\"pad\":\"$pad\"}"
	same 65534 ${#line}
	reply=$(printf '%s \n' "$line" | wire --raw)
	accepted
	reply=$(printf '%s  \n' "$line" | wire --raw)
	refused bad-request
	says .text 'A line has at most 65536 octets.'
	untouched
}

@test "an endless line gets its reply, too" {
	for _ in 1 2 3 4 5; do
		reply=$(head -c 300000 /dev/zero | tr '\0' x | wire --raw) ||
			[ $? -eq 1 ]
		refused bad-request
		says .text 'A line has at most 65536 octets.'
	done
	untouched
}

@test "a login that is cut off at every byte" {
	line='{"op":"login","user":"alice","password":"alice-secret"}'
	for ((at = 0; at <= ${#line}; at++)); do
		wire --cut $at <<<"$line"
		# Half closed properly it is no more of a request.
		reply=$(wire --cut-clean $at <<<"$line")
		same '' "$reply" "the reply to a line cut off at $at"
	done
	untouched
	# None of it was a login.
	login bob
	as bob online
	says '.users == []'
}

@test "a login that comes byte by byte" {
	line='{"op":"login","user":"alice","password":"alice-secret"}'
	reply=$(wire --split <<<"$line")
	accepted
	reply=$(printf '%s\n%s\n' '{"op":"hello","tag":1}' "$line" |
		wire --split | tail -n 1)
	accepted
	reply=$(wire --split <<<'{"op":"hello","tag":"ä 😀 \ud83d\ude00"}')
	says .tag 'ä 😀 😀'
	untouched
}

@test "a login that is split in two at every byte" {
	line='{"op":"login","user":"alice","password":"alice-secret"}'
	for ((at = 1; at < ${#line}; at++)); do
		reply=$(wire --split-at $at <<<"$line")
		accepted
	done
	untouched
}

@test "binary noise" {
	for i in {1..12}; do
		head -c $((i * 997)) /dev/urandom >"$dir/noise"
		reply=$(wire --raw <"$dir/noise") || [ $? -eq 1 ]
		# Without a newline in it there is no line to refuse.
		[ -z "$reply" ] || refused bad-request
	done
	untouched
}

@test "what follows a malformed line is not executed" {
	login alice
	token=$(<"$dir/alice.token")
	{
		request send token="$token" id=0123456789abcde1 to=bob text=one
		echo "$line"
		echo 'nonsense'
		request send token="$token" id=0123456789abcde2 to=bob text=two
		echo "$line"
	} >"$dir/lines"
	run -1 --separate-stderr wire <"$dir/lines"
	same 2 "${#lines[@]}"
	reply=${lines[0]}
	accepted
	reply=${lines[1]}
	refused bad-request
	login bob
	hears bob 'alice: one'
}

@test "unknown members are ignored, tags are echoed" {
	ask hello color=blue tag=x
	says .tag x
	for tag in null 0 -1 1.5 true '""' '[]' '{}' '"\u00e4\n"' \
		9007199254740993 '{"a":[1,{"b":null}]}'; do
		ask hello tag:="$tag"
		same "$(jq -c . <<<"$tag")" "$(jq -c .tag <<<"$reply")"
	done
	ask hello
	says 'has("tag") | not'
	# A refusal has it, too, and where the line was malformed.
	ask logout tag:=7
	refused bad-request
	says .tag 7
	ask hello tag="$(printf '%02046d' 0)"
	accepted
	ask hello tag="$(printf '%02047d' 0)"
	refused bad-request
	untouched
}

@test "blanks around the object, and CRLF, do no harm" {
	reply=$(printf ' \t{ "op" : "hello" } \r\n' | wire --raw)
	accepted
}

@test "no secret and no escape sequence of a client gets into the log" {
	centre_stop
	centre_start 'log: { level = "debug"; };'
	ask login user=alice password=alice-secret
	ask login user=alice password=wrong-secret
	wire >/dev/null <<<$'{"op":"\\u001b[2J\\u202e"}' || true
	wire >/dev/null <<<$'\e[2J\n{"forged":"line"}' || true
	ask hello
	! grep -a 'secret' "$log" || fail 'a password is in the log'
	! grep -aP '[\x00-\x08\x0b-\x1f\x7f-\xff]' "$log" ||
		fail 'raw bytes are in the log'
	token=$(jq -r '.token // empty' <<<"$reply")
	[ -z "$token" ] || ! grep -qF "$token" "$log"
}
