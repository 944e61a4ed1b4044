// A first look at the text of an SQL statement: which of some words stand in it, and what else tells that it may be more
// than an ordinary statement. What the results mean is told in StatementWords.
#ifndef CWORDS_H
#define CWORDS_H
#include <stddef.h>
#include <stdint.h>

/// A word to look for: its length, and its first and last eight bytes, each byte with 0x20 set (`cwords_key`). The word
/// itself, in lower case, decides when it has more than 16 bytes. `entry` counts from 1; 0 is an empty slot.
typedef struct {
    uint64_t head, tail;
    const uint8_t *word;
    uint32_t length, entry;
} cwords_slot;

/// The words to look for. What no word begins with shows in `starts`, 65536 bits (`cwords_start`), and a hash
/// (`cwords_hash`) that no word has in `filter`, 8192 bits; slots are found by open addressing. Each entry has four numbers in `found` (what the word tells) and four in `unless` (what it rules out).
typedef struct {
    const uint64_t *starts, *filter;
    const cwords_slot *slots;
    uint32_t mask;
    const uint64_t *found, *unless;
} cwords_table;

/// What a text showed.
typedef struct {
    uint64_t found[4], ruled_out[4];
    /// The word that the text begins with; of length 0 when it begins with none.
    uint32_t first, first_length;
    uint8_t has_quotes, is_many, is_escaped, has_dashes, has_slashes, has_ats, has_tautology, has_verifier;
} cwords_look;

/// Which implementation runs: the best that this processor has, or one asked for (for tests).
typedef enum {
    CWORDS_BEST = 0,
    CWORDS_PORTABLE = 1,
    CWORDS_AVX2 = 2,
} cwords_kind;

/// Longest text that is looked at.
#define CWORDS_LONGEST 4096

/// Looks at a text; 0 when it is too long. Reads no byte at or past `text + length`.
int cwords_look_at(const uint8_t *text, uint32_t length, const cwords_table *table, cwords_look *look,
                   cwords_kind kind);

/// Head and tail of a word, as slots have them.
void cwords_key(const uint8_t *word, uint32_t length, uint64_t *head, uint64_t *tail);

/// The bit of `starts` that three bytes have, whatever their case. A shorter word has one for all that may follow it.
uint32_t cwords_start(uint8_t first, uint8_t second, uint8_t third);

/// The hash of a word: its lower 13 bits number a bit of the filter, the others a slot.
uint64_t cwords_hash(uint64_t head, uint64_t tail, uint32_t length);

#endif
