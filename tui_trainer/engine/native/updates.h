// What describes a network to the steps, and the optimizers' updates.

#pragma once

#include "products.h"

#include <cmath>

extern "C" {

enum Activation { IDENTITY, RELU, LEAKY_RELU, ELU, TANH, SIGMOID };
enum Rule { NONE, SGD, ADAM, ADADELTA };

// A weight [outputs, inputs] or a bias [outputs], and what its optimizer remembers of it.
struct Parameter {
    float* value;
    float* gradient; // where it is left; may be null where batches are no larger than a tile and a rule updates
    float* memory[2];
    float* steps;   // updates so far, counted on; null for SGD
    int32_t fresh;  // SGD: nothing is remembered yet
    double rate;    // learning rate before the schedule
    double penalty; // λ of λ·w added to the gradient
    double shrink;  // λ of decoupled weight decay
};

struct Layer {
    int64_t inputs, outputs;
    Parameter weight, bias; // bias.value may be null
    const float* mask;      // dropout's factors on the outputs, [examples, outputs], or null
    float kept;             // share of outputs that dropout keeps
    int32_t trained;
};

struct Network {
    Layer* layers;
    int64_t layer_count;
    int32_t activation, rule;
    float slope; // of leaky ReLU below 0
    float label_smoothing;
    double settings[3];    // SGD: momentum, dampening, Nesterov; Adam: β₁, β₂, ε; Adadelta: ρ, ε
    const float* images;   // [n, inputs]
    const int64_t* labels; // [n]
    int32_t threads;
    double loss; // sums over examples, added to
    int64_t correct;
    double gradient_norm; // of the last step
};
}

namespace {

// An optimizer's update of `count` neighbouring numbers of a parameter, from `at` on; `done` steps after the chunk
// began. Formulas as in PyTorch's documentation of SGD, Adam, AdamW and Adadelta.
void update(const Network& net, const Parameter& p, int64_t at, const float* gradient, int64_t count, int64_t done,
            double factor) {
    const float rate = float(p.rate * factor), penalty = float(p.penalty), kept = float(1 - p.rate * factor * p.shrink);
    const double* set = net.settings;
    float* const value = p.value + at;
    float *const one = p.memory[0] + at, *const two = p.memory[1] + at;
    const auto each = [&](auto step_of) {
        for (int64_t i = 0; i < count; i += LANES) {
            const int64_t some = std::min<int64_t>(LANES, count - i);
            const Vector w = load(value + i, some);
            store(value + i, kept * w - step_of(i, some, load(gradient + i, some) + penalty * w), some);
        }
    };
    switch (net.rule) {
    case SGD: {
        const float momentum = float(set[0]), fresh = float(1 - set[1]);
        const bool nesterov = set[2] != 0, first = p.fresh && done == 0;
        if (momentum == 0) return each([=](int64_t, int64_t, Vector d) { return rate * d; });
        return each([=](int64_t i, int64_t some, Vector d) {
            const Vector moving = first ? d : momentum * load(one + i, some) + fresh * d;
            store(one + i, moving, some);
            return rate * (nesterov ? d + momentum * moving : moving);
        });
    }
    case ADAM: {
        const double t = double(*p.steps) + double(done + 1);
        const float keep1 = float(set[0]), add1 = float(1 - set[0]), keep2 = float(set[1]), add2 = float(1 - set[1]);
        const float stride = float(p.rate * factor / (1 - std::pow(set[0], t))), epsilon = float(set[2]);
        const float scale = float(1 / std::sqrt(1 - std::pow(set[1], t)));
        return each([=](int64_t i, int64_t some, Vector d) {
            const Vector mean = keep1 * load(one + i, some) + add1 * d,
                         square = keep2 * load(two + i, some) + add2 * d * d;
            store(one + i, mean, some);
            store(two + i, square, some);
            return stride * mean / (square_root(square) * scale + epsilon);
        });
    }
    case ADADELTA: {
        const float keep = float(set[0]), add = float(1 - set[0]), epsilon = float(set[1]);
        return each([=](int64_t i, int64_t some, Vector d) {
            const Vector square = keep * load(one + i, some) + add * d * d, before = load(two + i, some);
            const Vector step = square_root(before + epsilon) / square_root(square + epsilon) * d;
            store(one + i, square, some);
            store(two + i, keep * before + add * step * step, some);
            return rate * step;
        });
    }
    }
}

} // namespace
