#include <string.h>
#include <zlib.h>

/* inflateInit2 is a macro; 16 asks for a gzip header, 15 for the largest window. */
static inline int fleet_inflate_begin(z_stream *stream) {
    memset(stream, 0, sizeof *stream);
    return inflateInit2(stream, 15 + 16);
}
