# 790 the log is of another format than the configured one: said once, with a guess and an example that tells nothing of a visitor
times   25 '203.0.113.77 - - [02/Mar/2026:10:00:01 +0000] "GET /x?mail=jo@shop.example HTTP/1.1" 200 17 "-" "Mozilla/5.0"\n'
at      10:00:05
status  malformed=25 "log_1~=look like the preset combined" "log_1~=20 of 20 lines" "log_1~=999.9.999.99 - - [99/aaa/9999:99:99:99 +9999] \"aaa /a?aaaa=aa@aaaa.aaaaaaa aaaa/9.9\" 999 99"
said    "preset combined: set format"
# its own format again: a hundred lines, and it is quiet
times   100 '192.0.2.1 - - [02/Mar/2026:10:00:09 +0000] "GET /lamp HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11) Firefox/128.0" "a" 1772445609.000\n'
at      10:00:10
status  log_1=ok lines=125 visits=1
said    "can be read now"
# now and then a line that fits: still more than half of a thousand do not
times   15 'half of the lines\nare of something\nquite different\n192.0.2.1 - - [02/Mar/2026:10:00:09 +0000] "GET /lamp HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11) Firefox/128.0" "a" 1772445609.000\n'
at      10:00:15
status  log_1=ok
times   200 'half of the lines\nare of something\nquite different\n192.0.2.1 - - [02/Mar/2026:10:00:09 +0000] "GET /lamp HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11) Firefox/128.0" "a" 1772445609.000\n'
at      10:00:20
status  "log_1~=Set format to the log_format string of the web server" "log_1~=501 of"
