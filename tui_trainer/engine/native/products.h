// Vectors of the machine's width, and the three matrix products of a linear layer, blocked for its registers.
//
// A product is cut into blocks of rows and columns whose sums stay in registers; which block a number falls into
// depends on shapes alone, so that any division of the columns or rows among threads gives the same bits.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif
typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));

// in a register once, instead of read from memory by each multiplication
#if defined(__SSE__)
#define IN_REGISTER(vector) asm("" : "+v"(vector))
#else
#define IN_REGISTER(vector) asm("" : "+w"(vector))
#endif

inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }
inline Vector all(float value) { return value - Vector{}; }

// The first `count` ≤ LANES numbers; the others are 0.
inline Vector load(const float* from, int64_t count) {
    if (count == LANES) return load(from);
#if defined(__AVX512F__)
    return (Vector)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
#else
    Vector value = {};
    std::memcpy(&value, from, 4 * count);
    return value;
#endif
}

inline void store(float* to, Vector value, int64_t count) {
    if (count == LANES) return store(to, value);
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)value);
#else
    std::memcpy(to, &value, 4 * count);
#endif
}

inline float sum(Vector value) {
    float parts[LANES];
    std::memcpy(parts, &value, sizeof parts);
    for (int width = LANES / 2; width; width /= 2)
        for (int lane = 0; lane < width; ++lane) parts[lane] += parts[lane + width];
    return parts[0];
}

// The sums of four vectors at once: a quarter of the work of four sums.
inline void store_sums(float* to, Vector a, Vector b, Vector c, Vector d) {
#if defined(__AVX512F__)
    const __m512 ab = _mm512_unpacklo_ps((__m512)a, (__m512)b) + _mm512_unpackhi_ps((__m512)a, (__m512)b);
    const __m512 cd = _mm512_unpacklo_ps((__m512)c, (__m512)d) + _mm512_unpackhi_ps((__m512)c, (__m512)d);
    const __m512 four =
        (__m512)_mm512_unpacklo_pd((__m512d)ab, (__m512d)cd) + (__m512)_mm512_unpackhi_pd((__m512d)ab, (__m512d)cd);
    const __m256 half = _mm512_castps512_ps256(four) + _mm256_castpd_ps(_mm512_extractf64x4_pd((__m512d)four, 1));
    _mm_storeu_ps(to, _mm256_castps256_ps128(half) + _mm256_extractf128_ps(half, 1));
#elif defined(__AVX__)
    const __m256 four = _mm256_hadd_ps(_mm256_hadd_ps((__m256)a, (__m256)b), _mm256_hadd_ps((__m256)c, (__m256)d));
    _mm_storeu_ps(to, _mm256_castps256_ps128(four) + _mm256_extractf128_ps(four, 1));
#else
    to[0] = sum(a), to[1] = sum(b), to[2] = sum(c), to[3] = sum(d);
#endif
}

// e^x to about two units in the last place: 2ⁿ · e^r with |r| ≤ ln 2 / 2, e^r by its series (Cody & Waite 1980).
inline Vector exponential(Vector x) {
    const Vector low = all(-87.0f), high = all(88.0f);
    x = x < low ? low : x;
    x = x > high ? high : x;
    const float whole = 12582912.0f; // adding 1.5 · 2²³ rounds to a whole number
    const Vector n = (x * 1.44269504f + whole) - whole;
    const Vector r = (x - n * 0.693359375f) + n * 2.12194440e-4f; // ln 2 in two parts
    Vector series = all(1.0f / 5040);
    for (const float term : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) series = series * r + term;
    const Integers power = (__builtin_convertvector(n, Integers) + 127) << 23;
    return series * (Vector)power;
}

inline Vector square_root(Vector x) {
#if defined(__AVX512F__)
    return (Vector)_mm512_sqrt_ps((__m512)x);
#else
    for (int lane = 0; lane < LANES; ++lane) x[lane] = __builtin_sqrtf(x[lane]);
    return x;
#endif
}

constexpr int MOST_ROWS = 12;

template <int N>
struct Count {
    static constexpr int value = N;
};

// call(Count<n>), n from 1 to MOST_ROWS, known to the compiler inside
template <class Call>
inline void with_count(int64_t n, Call call) {
    switch (n) {
    case 1: return call(Count<1>{});
    case 2: return call(Count<2>{});
    case 3: return call(Count<3>{});
    case 4: return call(Count<4>{});
    case 5: return call(Count<5>{});
    case 6: return call(Count<6>{});
    case 7: return call(Count<7>{});
    case 8: return call(Count<8>{});
    case 9: return call(Count<9>{});
    case 10: return call(Count<10>{});
    case 11: return call(Count<11>{});
    default: return call(Count<12>{});
    }
}

// total[r · COLUMNS + c] += x[r, k …] · w[c, k …], `some` numbers from k on
template <int ROWS, int COLUMNS>
inline void add_products(Vector* total, const float* x, int64_t x_stride, const float* w, int64_t depth, int64_t k,
                         int64_t some) {
    Vector columns[COLUMNS];
    for (int c = 0; c < COLUMNS; ++c) columns[c] = load(w + c * depth + k, some);
    for (int r = 0; r < ROWS; ++r) {
        Vector row = load(x + r * x_stride + k, some);
        IN_REGISTER(row);
        for (int c = 0; c < COLUMNS; ++c) total[r * COLUMNS + c] += row * columns[c];
    }
}

// y[r, c] = x[r, :] · w[c, :] for ROWS rows and COLUMNS columns
template <int ROWS, int COLUMNS>
inline void dot_block(const float* x, int64_t x_stride, const float* w, float* y, int64_t y_stride, int64_t depth) {
    constexpr int COUNT = ROWS * COLUMNS, ROUNDED = (COUNT + 3) / 4 * 4;
    Vector total[ROUNDED] = {};
    int64_t k = 0;
    for (; k + LANES <= depth; k += LANES) add_products<ROWS, COLUMNS>(total, x, x_stride, w, depth, k, LANES);
    if (k < depth) add_products<ROWS, COLUMNS>(total, x, x_stride, w, depth, k, depth - k);
    float sums[ROUNDED];
    for (int i = 0; i < COUNT; i += 4) store_sums(sums + i, total[i], total[i + 1], total[i + 2], total[i + 3]);
    for (int r = 0; r < ROWS; ++r)
        for (int c = 0; c < COLUMNS; ++c) y[r * y_stride + c] = sums[r * COLUMNS + c];
}

template <int ROWS>
inline void dot_rows(const float* x, int64_t x_stride, const float* w, float* y, int64_t y_stride, int64_t depth,
                     int64_t first, int64_t last) {
    constexpr int COLUMNS = ROWS <= 2 ? 8 : ROWS <= 6 ? 4 : 2;
    int64_t c = first;
    for (; c + COLUMNS <= last; c += COLUMNS)
        dot_block<ROWS, COLUMNS>(x, x_stride, w + c * depth, y + c, y_stride, depth);
    for (; c < last; ++c) dot_block<ROWS, 1>(x, x_stride, w + c * depth, y + c, y_stride, depth);
}

// Forward: y[rows, first … last) = x[rows, depth] · w[first … last), depth]ᵀ
inline void forward_product(const float* x, int64_t x_stride, const float* w, float* y, int64_t y_stride, int64_t rows,
                            int64_t depth, int64_t first, int64_t last) {
    const int64_t at_once = rows <= MOST_ROWS ? rows : 6;
    const int64_t panel = rows <= MOST_ROWS ? last : std::max<int64_t>(8, 65536 / depth / 4 * 4); // weights of 256 KiB
    for (int64_t p = first; p < last; p += panel)
        for (int64_t r = 0; r < rows; r += at_once)
            with_count(std::min(at_once, rows - r), [&](auto n) {
                dot_rows<decltype(n)::value>(x + r * x_stride, x_stride, w, y + r * y_stride, y_stride, depth, p,
                                             std::min(last, p + panel));
            });
}

// finish(row, column, count, sum) for each vector of Σ_k a(r, k) · b[k, 0 … width), ROWS rows; a(r, k) = a[r·a_row +
// k·a_step].
template <int ROWS, int VECTORS, class Start, class Finish>
[[gnu::always_inline]] inline void sum_block(const float* a, int64_t a_row, int64_t a_step, const float* b,
                                             int64_t b_stride, int64_t depth, int64_t column, int64_t some, Start start,
                                             Finish finish) {
    Vector total[ROWS][VECTORS];
    for (int r = 0; r < ROWS; ++r)
        for (int v = 0; v < VECTORS; ++v) total[r][v] = start(r, column + v * LANES, some);
    for (int64_t k = 0; k < depth; ++k) {
        Vector columns[VECTORS];
        for (int v = 0; v < VECTORS; ++v) columns[v] = load(b + k * b_stride + column + v * LANES, some);
        for (int r = 0; r < ROWS; ++r) {
            const Vector factor = all(a[r * a_row + k * a_step]);
            for (int v = 0; v < VECTORS; ++v) total[r][v] += factor * columns[v];
        }
    }
    for (int r = 0; r < ROWS; ++r)
        for (int v = 0; v < VECTORS; ++v) finish(r, column + v * LANES, some, total[r][v]);
}

// Backward: the sums Σ_k a(r, k) · b[k, 0 … width) of ROWS ≤ MOST_ROWS rows, begun by `start`, given to `finish`.
template <int ROWS, class Start, class Finish>
inline void sum_rows(const float* a, int64_t a_row, int64_t a_step, const float* b, int64_t b_stride, int64_t depth,
                     int64_t width, Start start, Finish finish) {
    constexpr int VECTORS = ROWS <= 2 ? 8 : ROWS <= 6 ? 4 : ROWS <= 8 ? 3 : 2;
    int64_t j = 0;
    for (; j + VECTORS * LANES <= width; j += VECTORS * LANES)
        sum_block<ROWS, VECTORS>(a, a_row, a_step, b, b_stride, depth, j, LANES, start, finish);
    for (; j + LANES <= width; j += LANES)
        sum_block<ROWS, 1>(a, a_row, a_step, b, b_stride, depth, j, LANES, start, finish);
    if (j < width) sum_block<ROWS, 1>(a, a_row, a_step, b, b_stride, depth, j, width - j, start, finish);
}

// Backward: d[rows, 0 … width) = slopes[rows, depth] · w[depth, 0 … width); a panel of weights comes from memory once.
inline void backward_product(const float* slopes, int64_t stride, const float* w, int64_t w_stride, float* d,
                             int64_t d_stride, int64_t rows, int64_t depth, int64_t width) {
    const bool once = rows <= MOST_ROWS; // all rows pass over the weights together
    const int64_t across = once ? width : std::min<int64_t>(width, 480);
    const int64_t down = once ? depth : 65536 / std::max<int64_t>(across, 1); // weights of 256 KiB
    for (int64_t c = 0; c < width; c += across)
        for (int64_t k = 0; k < depth; k += down)
            for (int64_t r = 0, n; r < rows; r += n) {
                n = rows - r <= MOST_ROWS ? rows - r : 8;
                float* const at = d + r * d_stride + c;
                with_count(n, [&](auto count) {
                    sum_rows<decltype(count)::value>(
                        slopes + r * stride + k, stride, 1, w + k * w_stride + c, w_stride, std::min(down, depth - k),
                        std::min(across, width - c),
                        [=](int i, int64_t j, int64_t n) { return k ? load(at + i * d_stride + j, n) : Vector{}; },
                        [=](int i, int64_t j, int64_t some, Vector v) { store(at + i * d_stride + j, v, some); });
                });
            }
}

} // namespace
