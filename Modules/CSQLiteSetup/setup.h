// What SQLite lets a process choose before it is used. A function of any number of arguments cannot be called from Swift.
#ifndef CSQLITESETUP_H
#define CSQLITESETUP_H
#include <sqlite3.h>

/// SQLite does not count its memory: each of its allocations takes a lock for that.
static inline int csqlitesetup_without_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

#endif
