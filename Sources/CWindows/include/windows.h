#pragma once

/// Pixels of an image, `[height, width, channels]`, and what is done to them when they are read:
///
///     factor of the pixel · relu?(scale·value + shift)
typedef struct {
    const void *pixels;
    long height, width, channels;
    /// Whether they are bfloat16; else single precision.
    _Bool narrow;
    _Bool rectify;
    /// `[channels]`, or both null.
    const float *scale, *shift;
    /// `[height, width]`, or null.
    const float *factors;
} saccader_pixels;

/// Scratch memory for 16 channels of rows of an image, as floats, that stays in the nearest cache.
typedef struct {
    /// Zeros wherever no pixel of the image comes to lie; aligned to 64 bytes.
    float *floats;
    /// Rows, and floats of a row.
    long rows, length;
    /// The row of the image that the first row holds, which may be above the image.
    long first;
    /// Pixels of zeros before the first of each row.
    long margin;
} saccader_tile;

/// Windows that lie in rows and columns over a tile.
typedef struct {
    long rows, columns;
    /// The first window's first row and pixel in the tile; the next window's is `stride` further.
    long top, left, stride;
    /// The windows' sides: any number of rows, and 1 to 5 or 7 columns.
    long height, width;
    /// The first pixel's weights, `[channels]`, and floats to those of the next row and column.
    const float *weights;
    long weights_row, weights_column;
    /// The pixel of the result that the first window makes, and pixels to those of the next ones.
    long result, result_row, result_column;
} saccader_windows;

/// Where sums over windows go: `[pixels, channels]`.
typedef struct {
    void *pixels;
    /// Whether they are bfloat16; else single precision.
    _Bool narrow;
    /// What each pixel is multiplied by, or null.
    const float *factors;
} saccader_sums;

/// Two stretches of memory, in lines of 64 bytes, that are fetched meanwhile.
typedef struct {
    const void *first;
    long first_lines;
    const void *second;
    long second_lines;
} saccader_ahead;

/// Lanes of the widest vectors that the processor has, in single precision. The bits are the same
/// with fewer.
int saccader_window_lanes(void);

/// Weighted sums over windows, each channel for itself, of rows u inside the image and columns v, in
/// this order, beginning with 0:
///
///     result = factor · Σ of weight (u, v) · pixel (top + stride·i + u, left + stride·j + v) of the tile
///
/// Channels are taken 16 at a time; where that leaves a rest, the last 16 once more. With fewer than
/// 16 channels, 16 weights are read all the same.
void saccader_window_sums(
    const saccader_pixels *source, const saccader_tile *tile, const saccader_windows *windows,
    long count, const saccader_sums *result, const saccader_ahead *ahead, int lanes);

/// Sums of products of windows' pixels with one gradient each, of bfloat16 where the pixels are,
/// which lies where `windows` says for results:
///
///     sums[block, u·width + v, 16] += Σ of gradient · pixel (u, v) of its window
///
/// over the windows in order, beginning with 0.
void saccader_window_products(
    const saccader_pixels *source, const saccader_tile *tile, const saccader_windows *windows,
    const void *gradient, float *sums, const saccader_ahead *ahead, int lanes);
