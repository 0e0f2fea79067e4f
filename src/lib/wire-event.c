/* SPDX-License-Identifier: ISC */
/*
 * Events and times as JSON and as structs.  Workers, the store and clients
 * run it.  It must never touch a descriptor, a clock or a file, and never
 * take a receipt for an id that could not be one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"

enum {
	DAY_MS = 86400000,
	YEAR_FIRST = 1970,
	YEAR_LAST = 9999, /* the last with four digits */
};

/* Members of an event; user, text and id are the names of those, or NULL. */
struct event_row {
	const char *name, *user, *text, *id;
	enum wire_link_part link;
};

static const struct event_row events[EVENT_COUNT] = {
#define X(event, name, user, text, id, link) \
	[EVENT_##event] = {name, user, text, id, link},
    WIRE_EVENTS(X)
#undef X
};

bool
wire_event_in_room(enum wire_event_type type)
{
	return type >= EVENT_BROADCAST;
}

/* The next id of a list that is separated by spaces; false at the end. */
static bool
next_id(struct wire_string *list, struct wire_string *id)
{
	size_t n = 0;

	while (list->len > 0 && *list->s == ' ') {
		list->s++;
		list->len--;
	}
	while (n < list->len && list->s[n] != ' ')
		n++;
	*id = (struct wire_string){list->s, n};
	list->s += n;
	list->len -= n;
	return n > 0;
}

/* A list that is separated by spaces as an array. */
static json_t *
ids_encode(struct wire_string list)
{
	json_t *array = json_array();
	struct wire_string id;

	while (next_id(&list, &id)) {
		if (json_array_append_new(array, json_stringn(id.s, id.len)) ==
		    -1) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Sets a member that may have no name, and is then left out. */
static bool
put(json_t *object, const char *key, const struct wire_string *value)
{
	return key == NULL ||
	    json_object_set_new(
		object, key, json_stringn(value->s, value->len)) == 0;
}

/* The name of the member that holds an event's number. */
static const char *
log_name(enum wire_event_type type)
{
	return wire_event_in_room(type) ? "room" : "mail";
}

json_t *
wire_event_encode(const struct wire_event *event)
{
	const struct event_row *row = &events[event->type];
	char time[WIRE_TIME_LEN + 1];
	json_t *object = json_object();
	bool ok;

	wire_time_format(event->time, time);
	ok = json_object_set_new(object, "type", json_string(row->name)) == 0 &&
	    json_object_set_new(object, log_name(event->type),
		json_integer(event->number)) == 0 &&
	    json_object_set_new(object, "time", json_string(time)) == 0 &&
	    put(object, row->user, &event->user) &&
	    put(object, row->id, &event->id) &&
	    wire_link_put(object, &event->link, row->link);
	if (event->type == EVENT_RECEIPT)
		ok = ok &&
		    json_object_set_new(
			object, row->text, ids_encode(event->text)) == 0;
	else
		ok = ok && put(object, row->text, &event->text);
	if (ok)
		return object;
	json_decref(object);
	return NULL;
}

/* Octets of a string in quotes, escaped as the library does it. */
static size_t
string_size(const struct wire_string *string)
{
	size_t size = 2 + string->len;

	for (size_t i = 0; i < string->len; i++) {
		unsigned char c = (unsigned char)string->s[i];

		if (c == '"' || c == '\\' ||
		    (c >= '\b' && c <= '\r' && c != '\v'))
			size += 1;
		else if (c < ' ')
			size += 5;
	}
	return size;
}

/* Octets of the array that ids_encode() makes. */
static size_t
ids_size(struct wire_string list)
{
	struct wire_string id;
	size_t size = 1, count = 0;

	while (next_id(&list, &id)) {
		size += string_size(&id) + 1;
		count++;
	}
	return count == 0 ? 2 : size;
}

/* Octets of a comma, a key, a colon and a value. */
static size_t
member_size(const char *key, size_t value)
{
	return key == NULL ? 0 : strlen(key) + 4 + value;
}

/* Octets of a number. */
static size_t
number_size(int64_t number)
{
	return (size_t)snprintf(NULL, 0, "%lld", (long long)number);
}

/* Octets of what wire_link_put() adds. */
static size_t
link_size(const struct wire_link *link, enum wire_link_part part)
{
	size_t size = 0;

	if (part >= LINK_KEY)
		size += member_size(
			    "fingerprint", string_size(&link->fingerprint)) +
		    member_size("expires_in", number_size(link->expires_in));
	if (part >= LINK_PLACE)
		size += member_size("host", string_size(&link->host)) +
		    member_size(
			"port", link->port ? number_size(link->port) : 4) +
		    member_size("pass", string_size(&link->pass));
	return size;
}

size_t
wire_event_size(const struct wire_event *event)
{
	const struct event_row *row = &events[event->type];
	size_t number = number_size(event->number);
	size_t text = event->type == EVENT_RECEIPT ? ids_size(event->text)
						   : string_size(&event->text);

	/* the braces count one: the first member has no comma */
	return 1 + member_size("type", strlen(row->name) + 2) +
	    member_size(log_name(event->type), number) +
	    member_size("time", WIRE_TIME_LEN + 2) +
	    member_size(row->user, string_size(&event->user)) +
	    member_size(row->id, string_size(&event->id)) +
	    member_size(row->text, text) + link_size(&event->link, row->link);
}

/* Reads a string that must be there where it has a name. */
static bool
get(const json_t *object, const char *key, struct wire_string *out)
{
	const json_t *value;

	if (key == NULL)
		return true;
	if (!json_is_string(value = json_object_get(object, key)))
		return false;
	*out = (struct wire_string){
	    json_string_value(value), json_string_length(value)};
	return true;
}

/* An array of ids as text, separated by spaces; NULL if it is none. */
static char *
ids_decode(const json_t *array, size_t *len)
{
	size_t count = json_array_size(array), at = 0;
	char *text;

	if (!json_is_array(array) ||
	    (text = malloc(count * (ID_MAX_LEN + 1) + 1)) == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const json_t *id = json_array_get(array, i);
		size_t n = json_string_length(id);

		if (!json_is_string(id) ||
		    !id_valid(json_string_value(id), n)) {
			free(text);
			return NULL;
		}
		if (i > 0)
			text[at++] = ' ';
		memcpy(text + at, json_string_value(id), n);
		at += n;
	}
	text[at] = '\0';
	*len = at;
	return text;
}

const char *
wire_event_name(enum wire_event_type type)
{
	return (unsigned)type < EVENT_COUNT ? events[type].name : "unknown";
}

/* The type of an event by its name; EVENT_COUNT if it is not known. */
enum wire_event_type
wire_event_find(const char *name)
{
	int i = 0;

	while (i < EVENT_COUNT && strcmp(events[i].name, name) != 0)
		i++;
	return (enum wire_event_type)i;
}

int
wire_event_decode(const json_t *object, struct wire_event *event, char **ids)
{
	const char *type = wire_get_string(object, "type");
	const char *time = wire_get_string(object, "time");
	const struct event_row *row;

	memset(event, 0, sizeof(*event));
	*ids = NULL;
	if (type == NULL)
		return -1;
	if ((event->type = wire_event_find(type)) == EVENT_COUNT)
		return 1;
	row = &events[event->type];
	event->number = wire_get_number(object, log_name(event->type), -1);
	if (event->number < 0 || time == NULL ||
	    wire_time_parse(time, &event->time) == -1 ||
	    !get(object, row->user, &event->user) ||
	    !get(object, row->id, &event->id) ||
	    !wire_link_get(object, &event->link, row->link))
		return -1;
	if (event->type != EVENT_RECEIPT)
		return get(object, row->text, &event->text) ? 0 : -1;
	*ids = ids_decode(json_object_get(object, row->text), &event->text.len);
	event->text.s = *ids;
	return *ids == NULL ? -1 : 0;
}

/* Days from the first of January 1970 to that of the year. */
static int64_t
days_before(int year)
{
	int y = year - 1;

	return (year - YEAR_FIRST) * 365LL + (y / 4 - 1969 / 4) -
	    (y / 100 - 1969 / 100) + (y / 400 - 1969 / 400);
}

/* Days of a month, 1 to 12. */
static int
month_days(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/*
 * Years 1970 to 9999; what lies outside becomes the nearest moment inside.
 * Computed here because gmtime_r() may open the file of the time zone.
 */
void
wire_time_format(int64_t ms, char out[WIRE_TIME_LEN + 1])
{
	int64_t end = days_before(YEAR_LAST + 1) * DAY_MS - 1, days;
	unsigned rest;
	int year, month = 1;
	char text[64];

	ms = ms < 0 ? 0 : ms > end ? end : ms;
	days = ms / DAY_MS;
	rest = (unsigned)(ms % DAY_MS);
	year = YEAR_FIRST + (int)(days / 366);
	while (days_before(year + 1) <= days)
		year++;
	days -= days_before(year);
	while (days >= month_days(year, month))
		days -= month_days(year, month++);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02u:%02u:%02u.%03uZ",
	    year, month, (int)days + 1, rest / 3600000, rest / 60000 % 60,
	    rest / 1000 % 60, rest % 1000);
	memcpy(out, text, WIRE_TIME_LEN);
	out[WIRE_TIME_LEN] = '\0';
}

/* True if text has the form: 0 stands for a digit, all else for itself. */
static bool
has_form(const char *text, const char *form)
{
	while (*form != '\0') {
		bool digit = *text >= '0' && *text <= '9';

		if (*form == '0' ? !digit : *text != *form)
			return false;
		form++;
		text++;
	}
	return *text == '\0';
}

/* The number in count digits. */
static int
digits(const char *text, int count)
{
	int number = 0;

	while (count-- > 0)
		number = number * 10 + (*text++ - '0');
	return number;
}

int
wire_time_parse(const char *text, int64_t *ms)
{
	int year, month, day, hour, minute, second;
	int64_t days;

	if (!has_form(text, "0000-00-00T00:00:00.000Z"))
		return -1;
	year = digits(text, 4);
	month = digits(text + 5, 2);
	day = digits(text + 8, 2);
	hour = digits(text + 11, 2);
	minute = digits(text + 14, 2);
	second = digits(text + 17, 2);
	if (year < YEAR_FIRST || month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month) || hour > 23 || minute > 59 ||
	    second > 59)
		return -1;
	days = days_before(year) + day - 1;
	for (int m = 1; m < month; m++)
		days += month_days(year, m);
	*ms = days * DAY_MS + hour * 3600000LL + minute * 60000LL +
	    second * 1000LL + digits(text + 20, 3);
	return 0;
}
