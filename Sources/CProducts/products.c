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
    LEFT_INNER = saccader_finished_inner, JOINED_INNER = 384, JOINED_SPAN = 256,
    // Elements of a row from which on a column's rows lie too far apart to be read where they lie:
    // they would fall into the same few sets of the caches.
    FAR = 256,
};

// What this thread's products bring into the cache while they multiply, oldest first.
enum { LINE = 64, MOST_REGIONS = 8 };
static _Thread_local struct {
    struct { const char *at; long count; } regions[MOST_REGIONS];
    // The region that is being fetched, how many there are, and their bytes.
    unsigned first, count;
    long rest;
} ahead;

void saccader_fetch_ahead(const void *start, long count) {
    if (count <= 0) return;
    if (ahead.count == MOST_REGIONS) {
        ahead.rest -= ahead.regions[ahead.first % MOST_REGIONS].count;
        ahead.first++, ahead.count--;
    }
    const unsigned last = (ahead.first + ahead.count++) % MOST_REGIONS;
    ahead.regions[last].at = start;
    ahead.regions[last].count = count;
    ahead.rest += count;
}

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
    // What is fetched meanwhile: a line with each row of the inner dimension, `fetch_step` bytes apart.
    const char *fetched;
    long fetch_step;
};

// Takes a block's part of what is to be fetched, `blocks` blocks before the end of a product.
static inline void fetch(struct block *block, long blocks) {
    block->fetched = block->left;
    block->fetch_step = 0;
    if (!ahead.count) return;
    const long most = LINE * block->inner, wanted = ahead.rest / blocks + LINE;
    const long bytes = AT_MOST(most, wanted);
    block->fetched = ahead.regions[ahead.first % MOST_REGIONS].at;
    block->fetch_step = (bytes + block->inner - 1) / block->inner;
    const long all = block->fetch_step * block->inner;
    const long rest = ahead.regions[ahead.first % MOST_REGIONS].count;
    if (all < rest) {
        ahead.regions[ahead.first % MOST_REGIONS].at += all;
        ahead.regions[ahead.first % MOST_REGIONS].count -= all;
        ahead.rest -= all;
    } else {
        ahead.first++, ahead.count--;
        ahead.rest -= rest;
    }
}

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

void saccader_pack(
    const float *source, long row_stride, long column_stride, long inner, long columns,
    float *packed) {
#if defined(__x86_64__)
    if (saccader_product_lanes() == 16) {
        pack_512(source, row_stride, column_stride, inner, columns, packed);
        return;
    }
#endif
    pack_256(source, row_stride, column_stride, inner, columns, packed);
}

void saccader_pack_pairs(
    const float *source, long row_stride, long column_stride, long inner, long columns,
    uint32_t *packed) {
#if defined(__x86_64__)
    pack_pairs(source, row_stride, column_stride, inner, columns, packed);
#endif
}

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
