/*
 * syslog_header: see syslog_header.h.
 *
 *	<190>Nov 30 03:13:25 www nginx: 203.0.113.9 - - [...      RFC 3164; nginx' nohostname leaves www out
 *	<190>2026-11-30T03:13:25+01:00 www nginx[7]: ...          the same, as rsyslog passes it on
 *	<190>1 2026-11-30T03:13:25Z www nginx 7 - [a@1 b="c"] ... RFC 5424
 *
 * What it says is of no use here, the line has a time of its own; but where it does not stand, what
 * came is no line.
 */
#include "io/syslog_header.h"

#define STAMP_LEN 15			/* Nov 30 03:13:25 */

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9');
}

/* <0> to <191> */
static bool
take_priority(struct slice *s)
{
	unsigned n = 0;
	size_t i = 1;

	if (s->len < 3 || s->p[0] != '<')
		return (false);
	for (; i < s->len && i < 4 && is_digit(s->p[i]); i++)
		n = n * 10 + (unsigned)(s->p[i] - '0');
	if (i == 1 || i == s->len || s->p[i] != '>' || n > 191)
		return (false);
	*s = slice_skip(*s, i + 1);
	return (true);
}

/* The next word and the blank behind it; false where it is empty, or nothing follows. */
static bool
take_word(struct slice *s, struct slice *word)
{
	if (slice_find(*s, ' ') <= 0)
		return (false);
	*word = slice_cut(s, ' ');
	return (true);
}

/* ---- RFC 5424 ---------------------------------------------------------------- */

/* [id name="value\]" ...][...]: a bracket in a value has a backslash before it. */
static bool
take_elements(struct slice *s)
{
	bool quoted = false;
	size_t i = 1;

	while (i < s->len) {
		char c = s->p[i++];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ']' && !quoted && (i == s->len || s->p[i] != '[')) {
			*s = slice_skip(*s, i);
			return (true);
		}
	}
	return (false);
}

/* VERSION TIME HOST APP PROCESS MESSAGE-ID ELEMENTS MESSAGE */
static bool
take_5424(struct slice *s)
{
	struct slice word;

	for (int i = 0; i < 6; i++)
		if (!take_word(s, &word))
			return (false);
	if (s->len > 0 && s->p[0] == '[') {
		if (!take_elements(s))
			return (false);
	} else if (s->len > 0 && s->p[0] == '-')
		*s = slice_skip(*s, 1);
	else
		return (false);
	if (s->len > 0 && s->p[0] != ' ')
		return (false);
	*s = slice_skip(*s, s->len > 0);
	if (slice_starts(*s, SLICE("\xef\xbb\xbf")))
		*s = slice_skip(*s, 3);
	return (true);
}

/* ---- RFC 3164 ---------------------------------------------------------------- */

/* a: a letter; 9: a digit, or a blank in its place */
static bool
has_shape(struct slice s, const char *shape)
{
	for (size_t i = 0; shape[i] != '\0'; i++) {
		char c = i < s.len ? s.p[i] : '\0', lower = ascii_lower(c);

		if (shape[i] == 'a' ? lower < 'a' || lower > 'z' : shape[i] == '9' ? !is_digit(c) && c != ' ' : c != shape[i])
			return (false);
	}
	return (true);
}

static bool
take_stamp(struct slice *s)
{
	struct slice word;

	if (has_shape(*s, "aaa 99 99:99:99 ")) {
		*s = slice_skip(*s, STAMP_LEN + 1);
		return (true);
	}
	return (has_shape(*s, "9999-99-99T99:99:99") && take_word(s, &word));
}

/* "nginx:", "nginx[7]:" */
static bool
is_tag(struct slice word)
{
	return (word.len > 1 && word.p[word.len - 1] == ':');
}

static bool
take_3164(struct slice *s)
{
	struct slice word;

	if (!take_stamp(s) || !take_word(s, &word))
		return (false);
	return (is_tag(word) || (take_word(s, &word) && is_tag(word)));
}

bool
syslog_message(struct slice datagram, struct slice *message)
{
	struct slice s = datagram;

	while (s.len > 0 && (s.p[s.len - 1] == '\n' || s.p[s.len - 1] == '\0' || s.p[s.len - 1] == '\r'))
		s.len--;
	if (!take_priority(&s) || !(slice_starts(s, SLICE("1 ")) ? take_5424(&s) : take_3164(&s)))
		return (false);
	*message = s;
	return (true);
}
