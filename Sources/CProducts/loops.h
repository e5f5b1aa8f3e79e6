// The loops for vectors of WIDTH lanes; HALVES values VALUE make up one ELEMENT. Included once for
// each kind, with the shapes of its blocks.

#define LANES NAMED(lanes, SUFFIX)
#define MULTIPLY NAMED(multiply, SUFFIX)
#define BLOCK NAMED(block, SUFFIX)
#define ALONG NAMED(along, SUFFIX)
#define DOWN NAMED(down, SUFFIX)
#define FINISH NAMED(finish, SUFFIX)
#define WIDENED NAMED(widened, SUFFIX)
#define NARROW NAMED(narrow, SUFFIX)
#define PLACE NAMED(place, SUFFIX)
#define JOIN NAMED(join, SUFFIX)
#define PANEL_ROWS NAMED(panel_rows, SUFFIX)
#define ALWAYS static inline __attribute__((always_inline)) TARGET

typedef float LANES __attribute__((ext_vector_type(WIDTH)));

// WIDTH values, of bfloat16 widened.
ALWAYS LANES WIDENED(const VALUE *values) {
#if HALVES == 2
    __m256i halves;
    __builtin_memcpy(&halves, values, sizeof halves);
    return (LANES)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
#else
    LANES lanes;
    __builtin_memcpy(&lanes, values, sizeof lanes);
    return lanes;
#endif
}

// The same the other way round, rounded to nearest even.
ALWAYS void NARROW(LANES lanes, VALUE *values) {
#if HALVES == 2
    const __m256bh halves = _mm512_cvtneps_pbh((__m512)lanes);
    __builtin_memcpy(values, &halves, sizeof halves);
#else
    __builtin_memcpy(values, &lanes, sizeof lanes);
#endif
}

// Copies rows `row` to `end` of one panel, of `width` columns, and fetches those that come next.
ALWAYS void PANEL_ROWS(
    const float *source, long row_stride, long column_stride, long row, long end, long width,
    float *rows) {
    if (row_stride == 1) {
        for (long column = 0; column < width; column++) {
            const float *from = source + column * column_stride;
            __builtin_prefetch(from + end);
            for (long r = row; r < end; r++) rows[(r - row) * PANEL + column] = from[r];
        }
    } else {
        for (long r = row; r < end; r++) {
            const float *from = source + r * row_stride;
            const float *later = from + PACKED_ROWS * row_stride;
            for (long column = 0; column < width; column += 16) __builtin_prefetch(later + column);
            for (long column = 0; column < width; column++) {
                rows[(r - row) * PANEL + column] = from[column * column_stride];
            }
        }
    }
}

static TARGET void NAMED(pack, SUFFIX)(
    const float *source, long row_stride, long column_stride, long inner, long columns,
    ELEMENT *packed) {
    for (long first = 0; first < columns; first += PANEL, source += PANEL * column_stride) {
        const long width = AT_MOST(PANEL, columns - first);
        for (long row = 0; row < inner; row += PACKED_ROWS) {
            const long end = AT_MOST(row + PACKED_ROWS, inner);
#if HALVES == 2
            float rows[PACKED_ROWS * PANEL] __attribute__((aligned(64)));
            if (width < PANEL || end - row < PACKED_ROWS) memset(rows, 0, sizeof rows);
            PANEL_ROWS(source, row_stride, column_stride, row, end, width, rows);
            for (const float *pair = rows; row + (pair - rows) / PANEL < end; pair += 2 * PANEL) {
                for (long column = 0; column < PANEL; column += WIDTH, packed += WIDTH) {
                    uint16_t upper[WIDTH], lower[WIDTH];
                    LANES lanes;
                    __builtin_memcpy(&lanes, pair + column, sizeof lanes);
                    NARROW(lanes, upper);
                    __builtin_memcpy(&lanes, pair + PANEL + column, sizeof lanes);
                    NARROW(lanes, lower);
                    for (int v = 0; v < WIDTH; v++) packed[v] = upper[v] | (uint32_t)lower[v] << 16;
                }
            }
#else
            if (width < PANEL) memset(packed, 0, (end - row) * PANEL * sizeof *packed);
            PANEL_ROWS(source, row_stride, column_stride, row, end, width, packed);
            packed += (end - row) * PANEL;
#endif
        }
    }
}

// `sum + left·right`: in each lane one product in one rounding, or two of bfloat16.
ALWAYS LANES MULTIPLY(LANES sum, const ELEMENT *left, LANES right) {
#if HALVES == 2
    return (LANES)_mm512_dpbf16_ps(
        (__m512)sum, (__m512bh)_mm512_set1_epi32((int)*left), (__m512bh)right);
#else
    return __builtin_elementwise_fma((LANES)*left, right, sum);
#endif
}

// `rows` rows of `vectors` vectors of a result.
ALWAYS void BLOCK(int rows, int vectors, _Bool down, const struct block *block) {
    LANES sum[DOWN_ROWS][ALONG_VECTORS];
    const ELEMENT *left = block->left, *right = block->right;
    const long row_stride = down ? 1 : block->left_stride;
    const long inner_stride = down ? block->left_stride : 1;
    float *result = block->result;
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++, result += block->result_stride) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            sum[row][v] = 0;
            if (block->adding) __builtin_memcpy(&sum[row][v], result + WIDTH * v, sizeof(LANES));
            // What will be written is fetched while the products are formed.
            else __builtin_prefetch(result + WIDTH * v, 1, 3);
            if (down && block->adding) {
                __builtin_prefetch(result + rows * block->result_stride + WIDTH * v, 1, 3);
            }
        }
    }
    const char *fetched = block->fetched;
    for (long n = block->inner; n > 0; n--, left += inner_stride, right += block->right_stride) {
        __builtin_prefetch(fetched, 0, 2);
        fetched += block->fetch_step;
        LANES lanes[ALONG_VECTORS];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            __builtin_memcpy(&lanes[v], right + WIDTH * v, sizeof(LANES));
        }
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) {
                sum[row][v] = MULTIPLY(sum[row][v], left + row * row_stride, lanes[v]);
            }
        }
    }
    result = block->result;
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++, result += block->result_stride) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            __builtin_memcpy(result + WIDTH * v, &sum[row][v], sizeof(LANES));
        }
    }
}

#define ONE(v, n) case 16 * v + n: BLOCK(n, v, down, block); break;
#define SIX(v) ONE(v, 1) ONE(v, 2) ONE(v, 3) ONE(v, 4) ONE(v, 5) ONE(v, 6)
#define EIGHT_MORE(v) \
    ONE(v, 7) ONE(v, 8) ONE(v, 9) ONE(v, 10) ONE(v, 11) ONE(v, 12) ONE(v, 13) ONE(v, 14)

// Along rows of the left matrix.
static TARGET __attribute__((noinline)) void ALONG(
    long rows, int vectors, const struct block *block) {
    const _Bool down = 0;
    switch (16 * vectors + rows) {
        SIX(1) SIX(2)
#if ALONG_VECTORS == 4
        SIX(3) SIX(4)
#endif
    }
}

// Down columns of the left matrix.
static TARGET __attribute__((noinline)) void DOWN(
    long rows, int vectors, const struct block *block) {
    const _Bool down = 1;
    switch (16 * vectors + rows) {
        SIX(1) SIX(2)
#if DOWN_ROWS == 14
        EIGHT_MORE(1) EIGHT_MORE(2)
#endif
    }
}

// Writes a block's rows finished: `width` columns from column `first` of row `row` on.
ALWAYS void FINISH(
    const float *tile, long rows, long row, long first, long width, long columns,
    const saccader_finish *finish, VALUE *result) {
    for (long part = 0; part < width; part += WIDTH) {
        const long count = AT_MOST(WIDTH, width - part), column = first + part;
        LANES bias = 0;
        __builtin_memcpy(&bias, finish->bias + column, count * sizeof(float));
        for (long r = 0; r < rows; r++) {
            VALUE edge[WIDTH] = {0};
            const VALUE *added = (const VALUE *)finish->added + (row + r) * columns + column;
            VALUE *place = result + (row + r) * columns + column;
            LANES sum;
            __builtin_memcpy(&sum, tile + r * PANEL + part, sizeof sum);
            sum += bias;
            if (finish->added) {
                if (count < WIDTH) {
                    __builtin_memcpy(edge, added, count * sizeof(VALUE));
                    added = edge;
                }
                sum += WIDENED(added);
            }
            // A NaN stays one.
            if (finish->rectifies) sum = sum < 0 ? (LANES)0 : sum;
            if (count == WIDTH) {
                NARROW(sum, place);
            } else {
                NARROW(sum, edge);
                __builtin_memcpy(place, edge, count * sizeof(VALUE));
            }
        }
    }
}

// One panel of the result: `rows` rows from `row` on, `width` columns from `first` on, where they
// are written or, if they do not fill vectors or are to be finished, by way of a tile.
ALWAYS void PLACE(
    _Bool down, struct block block, long rows, long row, long first, long width, long columns,
    void *result, const saccader_finish *finish) {
    const ELEMENT *right = block.right;
    const long most = (down ? 2 : ALONG_VECTORS) * WIDTH;
    float tile[DOWN_ROWS * PANEL] __attribute__((aligned(64)));
    for (long r = 0; finish && r < rows; r++) {
        const char *line = (const char *)((VALUE *)result + (row + r) * columns + first);
        for (long byte = 0; byte < width * (long)sizeof(VALUE); byte += 64) {
            __builtin_prefetch(line + byte, 1, 3);
        }
    }
    for (long part = 0; part < width; part += most) {
        const long wanted = AT_MOST(most, width - part);
        const int vectors = (int)((wanted + WIDTH - 1) / WIDTH);
        const _Bool fits = !finish && wanted == vectors * WIDTH;
        float *place = finish ? 0 : (float *)result + row * columns + first + part;
        block.right = right + part;
        block.result = fits ? place : tile + part;
        block.result_stride = fits ? columns : PANEL;
        if (!fits && block.adding) {
            for (long r = 0; r < rows; r++) {
                memcpy(tile + part + r * PANEL, place + r * columns, wanted * sizeof(float));
            }
        }
        if (down) DOWN(rows, vectors, &block);
        else ALONG(rows, vectors, &block);
        block.fetch_step = 0;
        if (!fits && !finish) {
            for (long r = 0; r < rows; r++) {
                memcpy(place + r * columns, tile + part + r * PANEL, wanted * sizeof(float));
            }
        }
    }
    if (finish) FINISH(tile, rows, row, first, width, columns, finish, result);
}

static TARGET void NAMED(product, SUFFIX)(
    const VALUE *left, const ELEMENT *packed, void *result, long rows, long columns, long inner,
    _Bool adding, const saccader_finish *finish) {
    enum { MOST = LEFT_INNER / HALVES };
    const long all = (inner + HALVES - 1) / HALVES;
    // Rows that end with half a pair are copied: what lies behind them is not theirs.
    const _Bool copied = inner % HALVES;
    ELEMENT copies[HALVES == 1 ? 1 : ALONG_ROWS * MOST];
    long blocks = (all + MOST - 1) / MOST * ((rows + ALONG_ROWS - 1) / ALONG_ROWS)
        * ((columns + PANEL - 1) / PANEL);
    for (long start = 0; start < all; start += MOST, adding = 1) {
        const long count = AT_MOST(MOST, all - start);
        const long values = AT_MOST(count * HALVES, inner - start * HALVES);
        for (long row = 0, some; row < rows; row += some) {
            some = block_rows(rows - row, ALONG_ROWS);
            const VALUE *from = left + row * inner + start * HALVES;
            struct block block = {
                .left = copied ? (const void *)copies : from,
                .left_stride = copied ? count : inner / HALVES, .right_stride = PANEL,
                .inner = count, .adding = adding};
            for (long r = 0; copied && r < some; r++) {
                ELEMENT *copy = copies + r * count;
                copy[count - 1] = 0;
                memcpy(copy, from + r * inner, values * sizeof(VALUE));
            }
            for (long first = 0; first < columns; first += PANEL) {
                block.right = packed + first * all + start * PANEL;
                fetch(&block, blocks > 1 ? blocks-- : 1);
                PLACE(
                    0, block, some, row, first, AT_MOST(PANEL, columns - first), columns, result,
                    finish);
            }
        }
    }
}

// Brings `count` columns of `rows` rows together, rows `stride` elements apart; what is left of
// `padded` columns is 0. Two rows of bfloat16 become one of pairs.
ALWAYS void JOIN(
    const VALUE *source, long columns, long rows, long count, long padded, ELEMENT *target,
    long stride) {
    for (long row = 0; row < rows; row += HALVES, source += HALVES * columns, target += stride) {
#if HALVES == 2
        if (row + 1 < rows) {
            for (long column = 0; column < count; column++) {
                target[column] = source[column] | (uint32_t)source[columns + column] << 16;
            }
        } else {
            for (long column = 0; column < count; column++) target[column] = source[column];
        }
#else
        memcpy(target, source, count * sizeof *target);
#endif
        if (padded > count) memset(target + count, 0, (padded - count) * sizeof *target);
    }
}

static TARGET void NAMED(transposed, SUFFIX)(
    const VALUE *left, const VALUE *right, float *result, long rows, long columns, long inner,
    _Bool adding) {
    enum { GROUP = 16 * DOWN_ROWS, MOST = JOINED_INNER / HALVES };
    long blocks = (inner + JOINED_INNER - 1) / JOINED_INNER * ((rows + DOWN_ROWS - 1) / DOWN_ROWS)
        * ((columns + JOINED_PANEL - 1) / JOINED_PANEL);
    ELEMENT left_part[GROUP * MOST], right_part[JOINED_SPAN * MOST];
    const _Bool joins_left = HALVES == 2 || rows > FAR;
    const _Bool joins_right = HALVES == 2 || columns > FAR || columns % (2 * WIDTH);
    // Panels that several groups of rows read are brought together once for all of them.
    const long span = rows > GROUP ? JOINED_SPAN : JOINED_PANEL;
    for (long start = 0; start < inner; start += JOINED_INNER, adding = 1) {
        const long count = AT_MOST(JOINED_INNER, inner - start);
        struct block block = {
            .right_stride = joins_right ? JOINED_PANEL : columns,
            .inner = (count + HALVES - 1) / HALVES, .adding = adding};
        for (long beginning = 0; beginning < columns; beginning += span) {
            const long ending = AT_MOST(columns, beginning + span);
            for (long first = beginning; joins_right && first < ending; first += JOINED_PANEL) {
                JOIN(
                    right + start * columns + first, columns, count,
                    AT_MOST(JOINED_PANEL, ending - first), JOINED_PANEL,
                    right_part + (first - beginning) * block.inner, JOINED_PANEL);
            }
            for (long begin = 0; begin < rows; begin += GROUP) {
                const long end = AT_MOST(rows, begin + GROUP);
                const VALUE *from = left + start * rows + begin;
                block.left_stride = joins_left ? end - begin : rows;
                if (joins_left && (rows > GROUP || beginning == 0)) {
                    JOIN(from, rows, count, end - begin, end - begin, left_part, end - begin);
                }
                for (long first = beginning; first < ending; first += JOINED_PANEL) {
                    const long width = AT_MOST(JOINED_PANEL, ending - first);
                    block.right = joins_right
                        ? (const void *)(right_part + (first - beginning) * block.inner)
                        : right + start * columns + first;
                    for (long row = begin, some; row < end; row += some) {
                        some = block_rows(end - row, DOWN_ROWS);
                        block.left = joins_left ? (const void *)(left_part + row - begin)
                                                : (const void *)(from + row - begin);
                        fetch(&block, blocks > 1 ? blocks-- : 1);
                        PLACE(1, block, some, row, first, width, columns, result, 0);
                    }
                }
            }
        }
    }
}

#undef ONE
#undef SIX
#undef EIGHT_MORE
#undef LANES
#undef MULTIPLY
#undef BLOCK
#undef ALONG
#undef DOWN
#undef FINISH
#undef WIDENED
#undef NARROW
#undef PLACE
#undef JOIN
#undef PANEL_ROWS
#undef ALWAYS
#undef WIDTH
#undef ALONG_ROWS
#undef ALONG_VECTORS
#undef DOWN_ROWS
#undef SUFFIX
#undef TARGET
