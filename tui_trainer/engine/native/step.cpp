// Whole optimizer steps of a multilayer perceptron in one call: gather, forward, cross-entropy, backward, update.
//
// Every number is computed by one thread, in an order that depends on shapes alone: how many threads share the work
// never changes a bit. The interface is plain C, so that building it needs a compiler and nothing else.

#include "work.h"

#include <cmath>
#include <thread>

namespace {

// Sums → outputs, by bias, activation and dropout.
void activate(const Network& net, const Layer& layer, float* y, Range rows, Range part, const float* mask,
              bool hidden) {
    const int64_t stride = padded(layer.outputs);
    const Vector zero = {};
    for (int64_t r = rows.first; r < rows.last; ++r)
        for (int64_t c = part.first; c < part.last; c += LANES) {
            const int64_t some = std::min<int64_t>(LANES, part.last - c);
            Vector z = load(y + r * stride + c, some);
            if (layer.bias.value) z += load(layer.bias.value + c, some);
            if (hidden) {
                switch (net.activation) { // a NaN stays one
                case RELU: z = z < zero ? zero : z; break;
                case LEAKY_RELU: z = z < zero ? z * net.slope : z; break;
                case ELU: z = z < zero ? exponential(z) - 1.0f : z; break;
                case TANH: z = z == z ? 1.0f - 2.0f / (exponential(z * 2.0f) + 1.0f) : z; break;
                case SIGMOID: z = z == z ? 1.0f / (1.0f + exponential(-z)) : z; break;
                }
                if (mask) z *= load(mask + r * layer.outputs + c, some);
            }
            store(y + r * stride + c, z, some);
        }
}

// The loss's gradient by outputs → by sums. Every derivative is a function of the output.
void derive(const Network& net, const Layer& layer, const float* y, float* d, Range rows, Range part,
            const float* mask) {
    const int64_t stride = padded(layer.outputs);
    const Vector zero = {};
    for (int64_t r = rows.first; r < rows.last; ++r)
        for (int64_t c = part.first; c < part.last; c += LANES) {
            const int64_t some = std::min<int64_t>(LANES, part.last - c);
            Vector value = load(y + r * stride + c, some), slope = load(d + r * stride + c, some);
            if (mask) {
                slope *= load(mask + r * layer.outputs + c, some);
                value *= layer.kept;
            }
            switch (net.activation) {
            case RELU: slope = value > zero ? slope : zero; break;
            case LEAKY_RELU: slope = value > zero ? slope : slope * net.slope; break;
            case ELU: slope = value > zero ? slope : slope * (value + 1.0f); break;
            case TANH: slope *= 1.0f - value * value; break;
            case SIGMOID: slope *= value * (1.0f - value); break;
            }
            store(d + r * stride + c, slope, some);
        }
}

// Softmax cross-entropy of the rows of `part`: losses, hits, and the gradient of the mean over `batch` examples.
void classify(Work& work, Range part, int64_t batch) {
    const Network& net = work.net;
    const int64_t classes = net.layers[net.layer_count - 1].outputs, stride = padded(classes);
    const float smooth = net.label_smoothing, scale = 1.0f / batch;
    for (int64_t r = part.first; r < part.last; ++r) {
        const float* z = work.outputs.back().data() + r * stride;
        float* d = work.slopes.back().data() + r * stride;
        const int64_t target = work.targets[r];
        int64_t best = 0;
        float sum_of_all = 0;
        for (int64_t c = 0; c < classes; ++c) {
            if (z[c] > z[best]) best = c;
            sum_of_all += z[c];
        }
        const float peak = z[best];
        float total = 0;
        for (int64_t c = 0; c < classes; c += LANES) {
            const int64_t some = std::min<int64_t>(LANES, classes - c);
            store(d + c, exponential(load(z + c, some) - peak), some);
        }
        for (int64_t c = 0; c < classes; ++c) total += d[c];
        const double log_total = std::log(double(total)) + peak;
        const double loss = (1 - double(smooth)) * (log_total - z[target]) +
                            double(smooth) * (log_total - double(sum_of_all) / classes);
        const bool sound = std::isfinite(sum_of_all);
        work.losses[r] = sound ? loss : NAN;
        work.hits[r] = best == target;
        for (int64_t c = 0; c < classes; ++c) d[c] = sound ? scale * (d[c] / total - smooth / classes) : NAN;
        d[target] -= scale * (1 - smooth);
    }
}

// Gradient of rows [first, first + n) of a layer's weight and bias over a tile, and on the last tile their update.
// `block`: room for the gradient of the rows where it is not kept.
void learn(Work& work, int64_t l, int64_t first, int64_t n, int64_t rows, bool begin, bool end, int64_t step,
           float* block) {
    const Network& net = work.net;
    const Layer& layer = net.layers[l];
    const Parameter &weight = layer.weight, &bias = layer.bias;
    const int64_t in = layer.inputs, stride = padded(layer.outputs), below_stride = padded(in);
    const float* slopes = work.slopes[l].data() + first;
    const float* below = l ? work.outputs[l - 1].data() : work.inputs.data();
    const double factor = work.factors[step];
    const bool measures = end && step == work.steps - 1;
    double& squares = work.squares[work.first_row[l] + first];
    if (weight.gradient) block = weight.gradient + first * in;
    const auto begin_at = [=](int r, int64_t c, int64_t some) {
        return begin ? Vector{} : load(block + r * in + c, some);
    };
    const auto sums = [&](auto finish) {
        with_count(n, [&](auto count) {
            sum_rows<decltype(count)::value>(slopes, 1, stride, below, below_stride, rows, in, begin_at, finish);
        });
    };
    if (net.rule == SGD && net.settings[0] == 0 && !weight.gradient) { // straight from the registers into the weight
        const float rate = float(weight.rate * factor), penalty = float(weight.penalty),
                    kept = float(1 - weight.rate * factor * weight.shrink);
        float* const value = weight.value + first * in;
        Vector total = {};
        sums([=, &total](int r, int64_t c, int64_t some, Vector gradient) {
            float* const at = value + r * in + c;
            const Vector w = load(at, some);
            store(at, kept * w - rate * (gradient + penalty * w), some);
            if (measures) total += gradient * gradient;
        });
        squares = sum(total);
    } else {
        sums([=](int r, int64_t c, int64_t some, Vector gradient) { store(block + r * in + c, gradient, some); });
        if (measures) {
            Vector total = {};
            for (int64_t i = 0; i < n * in; i += LANES) {
                const Vector gradient = load(block + i, std::min<int64_t>(LANES, n * in - i));
                total += gradient * gradient;
            }
            squares = sum(total);
        }
        if (end) update(net, weight, first * in, block, n * in, step, factor);
    }
    if (!bias.value) return;
    float sums_of_rows[MOST_ROWS];
    float* const totals = bias.gradient ? bias.gradient + first : sums_of_rows;
    for (int64_t i = 0; i < n; ++i) {
        float total = begin ? 0 : totals[i];
        for (int64_t r = 0; r < rows; ++r) total += slopes[r * stride + i];
        totals[i] = total;
        if (measures) squares += double(total) * total;
    }
    if (end) update(net, bias, first, totals, n, step, factor);
}

// What one thread computes of a layer's [rows, columns] of values: some of the rows, or some of the columns.
struct Part {
    Range rows, columns;
};

Part part_of(const Work& work, int64_t rows, int64_t columns, int64_t unit, int thread) {
    const int threads = work.net.threads;
    if (work.by_rows) return {share(rows, 1, thread, threads), {0, columns}};
    return {{0, rows}, share(columns, unit, thread, threads)};
}

void forward(Work& work, int64_t from, int64_t count, int thread) {
    const Network& net = work.net;
    const float* x = work.inputs.data();
    int64_t stride = padded(net.layers[0].inputs);
    for (int64_t l = 0; l < net.layer_count; ++l) {
        const Layer& layer = net.layers[l];
        float* y = work.outputs[l].data();
        const int64_t y_stride = padded(layer.outputs);
        const auto [rows, columns] = part_of(work, count, layer.outputs, 8, thread);
        const float* mask = layer.mask ? layer.mask + from * layer.outputs : nullptr;
        forward_product(x + rows.first * stride, stride, layer.weight.value, y + rows.first * y_stride, y_stride,
                        rows.last - rows.first, layer.inputs, columns.first, columns.last);
        activate(net, layer, y, rows, columns, mask, l < net.layer_count - 1);
        x = y;
        stride = y_stride;
        if (!work.by_rows) work.barrier.wait();
    }
}

// The loss's gradient by the sums of every layer from `lowest` on, the last layer's being there.
void backward(Work& work, int64_t from, int64_t count, int64_t lowest, int thread) {
    const Network& net = work.net;
    for (int64_t l = net.layer_count - 1; l > lowest; --l) {
        const Layer &layer = net.layers[l], &below = net.layers[l - 1];
        const auto [rows, columns] = part_of(work, count, layer.inputs, LANES, thread);
        const int64_t stride = padded(layer.outputs), below_stride = padded(layer.inputs);
        float* d = work.slopes[l - 1].data();
        backward_product(work.slopes[l].data() + rows.first * stride, stride, layer.weight.value + columns.first,
                         layer.inputs, d + rows.first * below_stride + columns.first, below_stride,
                         rows.last - rows.first, layer.outputs, columns.last - columns.first);
        const float* mask = below.mask ? below.mask + from * below.outputs : nullptr;
        derive(net, below, work.outputs[l - 1].data(), d, rows, columns, mask);
        if (!work.by_rows) work.barrier.wait();
    }
    if (work.by_rows) work.barrier.wait();
}

void train(Work& work, int thread) {
#if defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8040); // denormals count as 0: late in training they would cost many times as much
#endif
    Network& net = work.net;
    const int64_t width = net.layers[0].inputs, stride = padded(width);
    int64_t lowest = 0;
    while (lowest < net.layer_count && !net.layers[lowest].trained) ++lowest;
    int64_t widest = 0;
    for (int64_t l = lowest; l < net.layer_count; ++l) widest = std::max(widest, net.layers[l].inputs);
    Buffer block(BLOCK_ROWS * widest);
    for (int64_t step = 0; step < work.steps; ++step) {
        const int64_t first = step * work.batch, batch = std::min(work.batch, work.examples - first);
        for (int64_t from = 0; from < batch; from += work.tile) {
            const int64_t rows = std::min(work.tile, batch - from);
            const int64_t* order = work.order + first + from;
            const Range mine = share(rows, 1, thread, net.threads);
            for (int64_t r = mine.first; r < mine.last; ++r) {
                std::memcpy(work.inputs.data() + r * stride, net.images + order[r] * width, 4 * width);
                work.targets[r] = net.labels[order[r]];
            }
            if (!work.by_rows) work.barrier.wait();
            forward(work, first + from, rows, thread);
            classify(work, mine, batch);
            if (!work.by_rows) work.barrier.wait();
            backward(work, first + from, rows, lowest, thread);
            if (thread == 0)
                for (int64_t r = 0; r < rows; ++r) {
                    net.loss += work.losses[r];
                    net.correct += work.hits[r];
                }
            for (int64_t l = net.layer_count - 1; l >= lowest; --l) {
                const Range outputs = share(net.layers[l].outputs, BLOCK_ROWS, thread, net.threads);
                for (int64_t o = outputs.first; o < outputs.last; o += BLOCK_ROWS)
                    learn(work, l, o, std::min(BLOCK_ROWS, outputs.last - o), rows, from == 0, from + rows == batch,
                          step, block.data());
            }
            work.barrier.wait();
        }
    }
}

} // namespace

extern "C" {

// Train on examples[order], batch by batch; a factor a step multiplies the learning rates.
void run_steps(Network* net, const int64_t* order, int64_t examples, int64_t batch, const double* factors) {
    Work work(*net, order, examples, batch, factors);
    std::vector<std::thread> others;
    for (int thread = 1; thread < net->threads; ++thread) others.emplace_back(train, std::ref(work), thread);
    train(work, 0);
    for (std::thread& other : others) other.join();
    for (int64_t l = 0; l < net->layer_count; ++l)
        for (const Parameter* p : {&net->layers[l].weight, &net->layers[l].bias})
            if (net->layers[l].trained && p->value && p->steps) *p->steps += float(work.steps);
    double squares = 0;
    for (const double square : work.squares) squares += square;
    net->gradient_norm = std::sqrt(squares);
}

int64_t tile_size() { return TILE; }
}
