// The decompressors of rotated logs. zlib's pointers to input are const only when asked for.
#define ZLIB_CONST
#include <stddef.h>
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>
#include <lzma.h>
#include <bzlib.h>
#include <lz4frame.h>
