// PCRE2's header needs the code unit width chosen before it is read; Swift cannot define macros.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
