dnl The few macros that configure.ac repeats.

dnl RPVD_LIBRARY(VARIABLE, MODULES, DEBIAN-PACKAGE)
dnl A library that rpvd cannot do without; the message says what to install.
AC_DEFUN([RPVD_LIBRARY], [PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([rpvd needs $2.  On Debian: apt install $3])])])

dnl RPVD_CFLAG(VARIABLE, FLAG)
dnl Adds FLAG to VARIABLE where the compiler takes it.  -Werror since clang only
dnl warns of an unknown flag.
AC_DEFUN([RPVD_CFLAG], [
	AC_MSG_CHECKING([whether $CC takes $2])
	rpvd_saved=$CFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
	    [AC_MSG_RESULT([yes])
	     $1="$$1 $2"],
	    [AC_MSG_RESULT([no])])
	CFLAGS=$rpvd_saved
])

dnl RPVD_LINKS(FLAGS, IF-YES, IF-NO)
AC_DEFUN([RPVD_LINKS], [
	AC_MSG_CHECKING([whether $CC links with $1])
	rpvd_saved=$CFLAGS
	CFLAGS="$CFLAGS $1"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
	    [rpvd_links=yes], [rpvd_links=no])
	CFLAGS=$rpvd_saved
	AC_MSG_RESULT([$rpvd_links])
	AS_IF([test $rpvd_links = yes], [$2], [$3])
])
