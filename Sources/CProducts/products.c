#include "products.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define JOINED(name, suffix) name##suffix
#define NAMED(name, suffix) JOINED(name, suffix)
#define AT_MOST(a, b) ((a) < (b) ? (a) : (b))

enum {
    // Columns of a panel of packed weights, and of the right matrix where it is packed meanwhile.
    PANEL = 64, JOINED_PANEL = 32,
    // Rows of the inner dimension that are multiplied at a time; the rest is added.
    LEFT_INNER = saccader_finished_inner, JOINED_INNER = 384,
    // Elements of a row from which on a column's rows lie too far apart to be read where they lie:
    // they would fall into the same few sets of the caches.
    FAR = 256,
};

// A block of a result that stays in registers.
struct block {
    const void *left;
    // From one row of the block to the next, or from one row of the inner dimension.
    long left_stride;
    const void *right;
    long right_stride;
    float *result;
    long result_stride;
    long inner;
    _Bool adding;
};

// Rows of the next block: the rest in equal parts, so that none is small.
static long block_rows(long rest, long most) {
    const long blocks = (rest + most - 1) / most;
    return (rest + blocks - 1) / blocks;
}

int saccader_product_lanes(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) return 16;
#endif
    return 8;
}

_Bool saccader_multiplies_pairs(void) {
#if defined(__x86_64__)
    return saccader_product_lanes() == 16 && __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

long saccader_packed_count(long inner, long columns, _Bool narrow) {
    return (narrow ? (inner + 1) / 2 : inner) * ((columns + PANEL - 1) / PANEL * PANEL);
}

// Rows that are packed at a time: of a transposed source they lie side by side, in one line.
enum { PACKED_ROWS = 16 };

// The upper half, rounded to nearest even; a NaN stays one.
static uint32_t narrowed(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value == value ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : bits >> 16 | 0x40;
}

// Packs rows `row` to `end` of one panel, of `width` columns.
static void pack_rows(
    const float *source, long row_stride, long column_stride, long row, long end, long width,
    float *packed) {
    if (row_stride == 1) {
        for (long column = 0; column < width; column++) {
            for (long r = row; r < end; r++) {
                packed[(r - row) * PANEL + column] = source[r + column * column_stride];
            }
        }
    } else {
        for (long r = row; r < end; r++) {
            for (long column = 0; column < width; column++) {
                packed[(r - row) * PANEL + column] = source[r * row_stride + column * column_stride];
            }
        }
    }
}

void saccader_pack(
    const float *source, long row_stride, long column_stride, long inner, long columns,
    float *packed) {
    for (long first = 0; first < columns; first += PANEL, source += PANEL * column_stride) {
        const long width = AT_MOST(PANEL, columns - first);
        for (long row = 0; row < inner; row += PACKED_ROWS) {
            const long end = AT_MOST(row + PACKED_ROWS, inner);
            if (width < PANEL) memset(packed, 0, (end - row) * PANEL * sizeof *packed);
            pack_rows(source, row_stride, column_stride, row, end, width, packed);
            packed += (end - row) * PANEL;
        }
    }
}

void saccader_pack_pairs(
    const float *source, long row_stride, long column_stride, long inner, long columns,
    uint32_t *packed) {
    float rows[PACKED_ROWS * PANEL];
    for (long first = 0; first < columns; first += PANEL, source += PANEL * column_stride) {
        const long width = AT_MOST(PANEL, columns - first);
        for (long row = 0; row < inner; row += PACKED_ROWS) {
            const long end = AT_MOST(row + PACKED_ROWS, inner);
            memset(rows, 0, sizeof rows);
            pack_rows(source, row_stride, column_stride, row, end, width, rows);
            for (const float *pair = rows; row + (pair - rows) / PANEL < end; pair += 2 * PANEL) {
                for (long column = 0; column < PANEL; column++) {
                    packed[column] = narrowed(pair[column]) | narrowed(pair[PANEL + column]) << 16;
                }
                packed += PANEL;
            }
        }
    }
}

// Shapes of the blocks that fill the registers: along rows of the left matrix few rows are read at a
// time, which lie apart; down its columns they lie side by side.
#define ELEMENT float
#define VALUE float
#define HALVES 1
#if defined(__x86_64__)
#define WIDTH 16
#define ALONG_ROWS 6
#define ALONG_VECTORS 4
#define DOWN_ROWS 14
#define SUFFIX _512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,fma")))
#include "loops.h"
#define TARGET __attribute__((target("avx2,fma")))
#else
#define TARGET
#endif
#define WIDTH 8
#define ALONG_ROWS 6
#define ALONG_VECTORS 2
#define DOWN_ROWS 6
#define SUFFIX _256
#include "loops.h"
#undef ELEMENT
#undef VALUE
#undef HALVES

#if defined(__x86_64__)
#define ELEMENT uint32_t
#define VALUE uint16_t
#define HALVES 2
#define WIDTH 16
#define ALONG_ROWS 6
#define ALONG_VECTORS 4
#define DOWN_ROWS 14
#define SUFFIX _pairs
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,fma")))
#include "loops.h"
#endif

void saccader_product(
    const float *left, const float *packed, float *result, long rows, long columns, long inner,
    _Bool adding, const saccader_finish *finish, int lanes) {
#if defined(__x86_64__)
    if (lanes == 16) {
        product_512(left, packed, result, rows, columns, inner, adding, finish);
        return;
    }
#endif
    product_256(left, packed, result, rows, columns, inner, adding, finish);
}

void saccader_transposed_product(
    const float *left, const float *right, float *result, long rows, long columns, long inner,
    _Bool adding, int lanes) {
#if defined(__x86_64__)
    if (lanes == 16) {
        transposed_512(left, right, result, rows, columns, inner, adding);
        return;
    }
#endif
    transposed_256(left, right, result, rows, columns, inner, adding);
}

void saccader_product_pairs(
    const uint16_t *left, const uint32_t *packed, void *result, long rows, long columns,
    long inner, _Bool adding, const saccader_finish *finish) {
#if defined(__x86_64__)
    product_pairs(left, packed, result, rows, columns, inner, adding, finish);
#endif
}

void saccader_transposed_product_pairs(
    const uint16_t *left, const uint16_t *right, float *result, long rows, long columns,
    long inner, _Bool adding) {
#if defined(__x86_64__)
    transposed_pairs(left, right, result, rows, columns, inner, adding);
#endif
}
