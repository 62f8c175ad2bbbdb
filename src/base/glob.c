/*
 * glob: see glob.h.  On a mismatch only the last `*` takes one byte more: earlier
 * ones never need to change, so there is no backtracking to blow up.
 */
#include "base/glob.h"

bool
glob_match(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.p[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.len && (pattern.p[p] == '?' || pattern.p[p] == text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else
			return (false);
	}
	while (p < pattern.len && pattern.p[p] == '*')
		p++;
	return (p == pattern.len);
}
