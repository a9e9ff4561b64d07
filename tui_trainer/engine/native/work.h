// What the threads of a step share: how the work is divided, and the room for what a tile of examples leaves behind.

#pragma once

#include "updates.h"

#include <atomic>
#include <vector>
#include <sched.h>

namespace {

constexpr int64_t TILE = 104;      // examples whose activations stay in the cache from forward to backward
constexpr int64_t CACHED = 500000; // weights that a core's own cache holds
constexpr int64_t BLOCK_ROWS = 10; // of a weight's gradient: fastest of 4 … 12 on AVX-512

inline int64_t padded(int64_t width) { return (width + LANES - 1) / LANES * LANES; }

// Numbers that begin at a cache line: a vector that crosses one costs two loads.
class Buffer {
    struct alignas(64) Line {
        float numbers[16];
    };
    std::vector<Line> lines;

public:
    explicit Buffer(int64_t count) : lines((count + 15) / 16) {}
    float* data() { return lines.data()->numbers; }
};

class Barrier {
    std::atomic<int> arrived{0};
    std::atomic<unsigned> round{0};
    const int count;

public:
    explicit Barrier(int count) : count(count) {}
    void wait() {
        if (count == 1) return;
        const unsigned mine = round.load(std::memory_order_relaxed);
        if (arrived.fetch_add(1, std::memory_order_acq_rel) == count - 1) {
            arrived.store(0, std::memory_order_relaxed);
            round.store(mine + 1, std::memory_order_release);
            return;
        }
        for (int looks = 0; round.load(std::memory_order_acquire) == mine; ++looks) {
            if (looks > 1000) sched_yield(); // the one awaited may need this core
#if defined(__SSE__)
            else
                _mm_pause();
#endif
        }
    }
};

struct Range {
    int64_t first, last;
};

// One thread's part of `count`, in whole units.
inline Range share(int64_t count, int64_t unit, int thread, int threads) {
    const int64_t units = (count + unit - 1) / unit;
    return {std::min(count, units * thread / threads * unit), std::min(count, units * (thread + 1) / threads * unit)};
}

struct Work {
    Network& net;
    const int64_t* order;
    const int64_t examples, batch, steps;
    const double* factors;
    Barrier barrier;
    int64_t tile;
    bool by_rows; // threads share the examples and not the columns: fewer barriers, but each reads all weights
    Buffer inputs;
    std::vector<Buffer> outputs, slopes; // of each layer, [tile, padded outputs]: values, and gradients of the loss
    std::vector<int64_t> targets, first_row;
    std::vector<double> losses, squares;
    std::vector<char> hits;

    Work(Network& net, const int64_t* order, int64_t examples, int64_t batch, const double* factors)
        : net(net), order(order), examples(examples), batch(batch), steps((examples + batch - 1) / batch),
          factors(factors), barrier(net.threads), tile(even_tile(std::min(batch, examples))),
          inputs(tile * padded(net.layers[0].inputs)), targets(tile), losses(tile), hits(tile) {
        int64_t rows = 0;
        for (int64_t l = 0; l < net.layer_count; ++l) {
            outputs.emplace_back(tile * padded(net.layers[l].outputs));
            slopes.emplace_back(tile * padded(net.layers[l].outputs));
            first_row.push_back(rows);
            rows += net.layers[l].outputs;
        }
        squares.resize(rows);
        int64_t weights = 0;
        for (int64_t l = 0; l < net.layer_count; ++l) weights += net.layers[l].inputs * net.layers[l].outputs;
        by_rows = weights <= CACHED && tile >= 8 * net.threads;
    }

    static int64_t even_tile(int64_t count) {
        const int64_t tiles = (count + TILE - 1) / TILE;
        return (count + tiles - 1) / tiles;
    }
};

} // namespace
