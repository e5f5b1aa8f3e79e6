#pragma once

#include <stdint.h>

/// Products of matrices, row by row in memory, on one thread.
///
/// Every element of a product in single precision is one chain of fused multiplications and
/// additions, along the inner dimension from its beginning. Nothing else decides its bits: neither
/// the width of the vectors nor how the work is cut up.

/// Lanes of the widest vectors that this processor multiplies: 16, or 8.
int saccader_product_lanes(void);

/// Whether this processor multiplies pairs of bfloat16.
_Bool saccader_multiplies_pairs(void);

/// Elements that weights `[inner, columns]` take packed: floats, or pairs of bfloat16 if `narrow`.
long saccader_packed_count(long inner, long columns, _Bool narrow);

/// Lays out weights `[inner, columns]`, of which element (i, j) is
/// `source[i * row_stride + j * column_stride]`, in panels of 64 columns.
void saccader_pack(
    const float *source, long row_stride, long column_stride, long inner, long columns,
    float *packed);

/// The same, rounded to bfloat16; a pair holds two rows.
void saccader_pack_pairs(
    const float *source, long row_stride, long column_stride, long inner, long columns,
    uint32_t *packed);

/// What becomes of a product before it is written: `relu?(product + bias (+ added))`.
typedef struct {
    /// `[columns]`.
    const float *bias;
    /// Like the result, or null.
    const void *added;
    _Bool rectifies;
} saccader_finish;

/// Rows of the inner dimension up to which a product can be finished.
enum { saccader_finished_inner = 4096 };

/// `result = left · packed`, or `+=` if `adding`: left `[rows, inner]`, result `[rows, columns]`.
/// With `finish`, which may be null, the result is finished; it is never added to then.
void saccader_product(
    const float *left, const float *packed, float *result, long rows, long columns, long inner,
    _Bool adding, const saccader_finish *finish, int lanes);

/// The same of bfloat16; the result is in single precision or, finished, in bfloat16.
void saccader_product_pairs(
    const uint16_t *left, const uint32_t *packed, void *result, long rows, long columns,
    long inner, _Bool adding, const saccader_finish *finish);

/// `result (+)= leftᵀ · right`: left `[inner, rows]`, right `[inner, columns]`.
void saccader_transposed_product(
    const float *left, const float *right, float *result, long rows, long columns, long inner,
    _Bool adding, int lanes);

/// The same of bfloat16; the result is in single precision.
void saccader_transposed_product_pairs(
    const uint16_t *left, const uint16_t *right, float *result, long rows, long columns,
    long inner, _Bool adding);

/// Has the next products of this thread bring `count` bytes into the cache while they multiply: what
/// will be read or written after them. The memory need not be readable; of more than a few such
/// requests the oldest are forgotten.
void saccader_fetch_ahead(const void *start, long count);
