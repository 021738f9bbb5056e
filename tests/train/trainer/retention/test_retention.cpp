#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/tensors.hpp"
#include "trainer/retention/fisher.hpp"
#include "trainer/retention/gradient_subspace.hpp"
#include "trainer/retention/kl.hpp"
#include "trainer/retention/null_space.hpp"
#include "trainer/train/adamw.hpp"

using namespace trainer;
using support::noise;

TEST_CASE("KL of a model to itself is exactly 0 and pulls nowhere; to another it is positive") {
  const torch::Tensor logits = noise({6, 11}, 1);
  torch::Tensor same = logits.clone().set_requires_grad(true);
  const torch::Tensor zero = kl_divergence(logits, same, 3);
  CHECK(zero.item<double>() == 0.0);
  zero.backward();
  CHECK(same.grad().abs().max().item<double>() < 1e-7);
  CHECK(kl_divergence(logits, noise({6, 11}, 2), 3).item<double>() > 0.01);
}

TEST_CASE("KL is the mean over positions of T squared times the sum over the vocabulary") {
  const torch::Tensor teacher = torch::tensor({{0.3, -1.0, 2.0}, {0.0, 0.5, -0.5}}).to(torch::kFloat32);
  const torch::Tensor student = torch::tensor({{1.0, 0.2, 0.1}, {0.3, 0.3, 0.3}}).to(torch::kFloat32);
  double expected = 0;
  for (int row = 0; row < 2; ++row) {
    double sum_t = 0;
    double sum_s = 0;
    for (int v = 0; v < 3; ++v) {
      sum_t += std::exp(teacher[row][v].item<double>() / 2);
      sum_s += std::exp(student[row][v].item<double>() / 2);
    }
    for (int v = 0; v < 3; ++v) {
      const double p = std::exp(teacher[row][v].item<double>() / 2) / sum_t;
      const double q = std::exp(student[row][v].item<double>() / 2) / sum_s;
      expected += 4.0 * p * std::log(p / q) / 2;
    }
  }
  CHECK(kl_divergence(teacher, student, 2).item<double>() == doctest::Approx(expected).epsilon(1e-5));
}

TEST_CASE("KL's gradient agrees with central differences") {
  const torch::Tensor teacher = noise({2, 5}, 3).to(torch::kFloat32);
  torch::Tensor student = noise({2, 5}, 4).set_requires_grad(true);
  kl_divergence(teacher, student, 3).backward();
  const double step = 1e-2;
  for (int v = 0; v < 5; ++v) {
    torch::Tensor up = student.detach().clone();
    torch::Tensor down = student.detach().clone();
    up[1][v] += step;
    down[1][v] -= step;
    const double difference =
        (kl_divergence(teacher, up, 3).item<double>() - kl_divergence(teacher, down, 3).item<double>()) /
        (2 * step);
    CHECK(student.grad()[1][v].item<double>() == doctest::Approx(difference).epsilon(0.02));
  }
}

TEST_CASE("Fisher of a softmax-linear model is its analytic value, and not the square of the batch's mean") {
  // logits = W x with one fixed x: F of W_ij, over labels drawn from the model, is p_i (1 - p_i) x_j^2.
  torch::Tensor weight = noise({4, 3}, 5).set_requires_grad(true);
  const torch::Tensor x = noise({3}, 6);
  const torch::Tensor p = torch::softmax(weight.detach().mv(x), 0);
  const torch::Tensor analytic = (p * (1 - p)).unsqueeze(1) * x.pow(2).unsqueeze(0);
  at::Generator generator = make_generator(7, "labels");
  const std::int64_t samples = 4000;
  torch::Tensor mean_gradient = torch::zeros_like(weight.detach());
  const Compute one_thread(1, 24, {});
  const std::vector<torch::Tensor> fisher =
      mean_squared_gradients(samples, {weight}, one_thread, [&](std::int64_t) {
        const torch::Tensor log_p = torch::log_softmax(weight.mv(x), 0);
        const auto label = torch::multinomial(log_p.detach().exp(), 1, false, generator).item<std::int64_t>();
        std::vector<torch::Tensor> gradient = torch::autograd::grad({log_p[label]}, {weight});
        mean_gradient += gradient[0] / static_cast<double>(samples);
        return gradient;
      });
  CHECK(torch::allclose(fisher[0], analytic, 0.1, 0.01));
  // The square of the mean gradient, which the Python original takes, is smaller by orders of magnitude.
  CHECK(mean_gradient.pow(2).sum().item<double>() < 0.05 * fisher[0].sum().item<double>());
}

TEST_CASE(
    "the Fisher penalty is a spring: its gradient is w F (theta - anchor), its value half of that times the "
    "way") {
  const std::vector<torch::Tensor> fisher = {noise({3, 2}, 8).pow(2), {}};
  const std::vector<torch::Tensor> anchor = {noise({3, 2}, 9), noise({2}, 10)};
  const std::vector<torch::Tensor> theta = {noise({3, 2}, 11), noise({2}, 12)};
  const RetentionTerm term = fisher_penalty(fisher, theta, anchor, 0.7);
  const torch::Tensor moved = theta[0] - anchor[0];
  CHECK(torch::allclose(term.gradients[0], fisher[0] * moved * 0.7));
  CHECK_FALSE(term.gradients[1].defined());
  CHECK(term.value == doctest::Approx((0.35 * fisher[0] * moved * moved).sum().item<double>()));
  CHECK(fisher_penalty(fisher, anchor, anchor, 0.7).value == 0.0);
}

namespace {

// States of rank 9 in 16 dimensions with a falling spectrum, and their second moment.
torch::Tensor states(std::int64_t count) {
  const torch::Tensor mix =
      noise({16, 16}, 20) * torch::pow(torch::tensor(0.6), torch::arange(16)).unsqueeze(1);
  return noise({count, 16}, 21).mm(mix);
}
torch::Tensor moment_of(const torch::Tensor& rows) { return rows.t().mm(rows).to(torch::kFloat64); }

}  // namespace

TEST_CASE(
    "a subspace is orthonormal, holds the energy that was asked for, and no direction more than it needs") {
  const torch::Tensor moment = moment_of(states(300));
  for (const double energy : {0.5, 0.9, 0.99, 0.9999}) {
    const Subspace subspace = span_of(moment, 300, energy, 0);
    const std::int64_t rank = subspace.basis.size(1);
    CHECK(torch::allclose(subspace.basis.t().mm(subspace.basis), torch::eye(rank), 1e-5, 1e-5));
    CHECK(subspace.energy >= energy);
    if (rank > 1) CHECK(span_of(moment, 300, 2, rank - 1).energy < energy);
    const double held = subspace.basis.to(torch::kFloat64)
                            .t()
                            .mm(moment)
                            .mm(subspace.basis.to(torch::kFloat64))
                            .trace()
                            .item<double>();
    CHECK(held / moment.trace().item<double>() == doctest::Approx(subspace.energy).epsilon(1e-6));
  }
  CHECK(span_of(moment, 300, 0.9999, 3).basis.size(1) == 3);
}

TEST_CASE(
    "after two hundred AdamW steps with decay the weight has not left the null space; projecting only the "
    "gradient leaves it") {
  const Subspace subspace = span_of(moment_of(states(300)), 300, 0.99, 0);
  const torch::Tensor target = noise({16, 16}, 22);
  const auto train = [&](bool reparametrised) {
    at::Generator generator = make_generator(23, "start");
    AdapterLinear map = AdapterLinear::full(16, 16, 0, generator);
    if (reparametrised) map.protect(subspace.basis, AdapterLinear::Anchor::zero);
    std::vector<Parameter> parameters;
    map.append_parameters("map", ParameterGroup::adapter, parameters);
    AdamW optimiser(parameters, {});
    for (int step = 0; step < 200; ++step) {
      const torch::Tensor loss =
          (map(noise({8, 16}, 1000 + step)) - noise({8, 16}, 1000 + step).mm(target)).pow(2).sum();
      std::vector<torch::Tensor> gradients = torch::autograd::grad({loss}, {parameters[0].value});
      if (!reparametrised)
        gradients[0] = gradients[0] - gradients[0].mm(subspace.basis).mm(subspace.basis.t());
      clip_gradients(gradients, 1.0);
      optimiser.step(gradients, 1e-2, 1e-2);
    }
    return map;
  };
  const NullSpaceState kept = measure_null_space(train(true), subspace);
  CHECK(kept.leak < 1e-5);
  CHECK(kept.drift <= kept.certificate * (1 + 1e-6));
  CHECK(kept.drift > 0);
  const NullSpaceState left = measure_null_space(train(false), subspace);
  CHECK(left.leak > 1e-2);
  CHECK(left.drift > 2 * kept.drift);
}

TEST_CASE("a basis of everything lets nothing move, and none lets everything move as if it were not there") {
  at::Generator generator = make_generator(24, "start");
  AdapterLinear map = AdapterLinear::full(16, 16, 0.3, generator);
  const torch::Tensor x = noise({5, 16}, 25);
  const torch::Tensor free = map(x).detach();
  map.protect(torch::zeros({16, 0}), AdapterLinear::Anchor::zero);
  CHECK(map(x).equal(free));
  map.protect(torch::eye(16), AdapterLinear::Anchor::zero);
  CHECK(map(x).eq(0).all().item<bool>());
}

TEST_CASE(
    "the space of some rows is orthonormal, holds them, and takes the strongest first where it may not hold "
    "all") {
  const torch::Tensor rows = noise({6, 40}, 50);
  const torch::Tensor basis = row_space(rows, 64);
  CHECK(basis.size(1) == 6);
  CHECK(torch::allclose(basis.t().mm(basis), torch::eye(6), 1e-5, 1e-5));
  CHECK((rows - rows.mm(basis).mm(basis.t())).abs().max().item<double>() < 1e-4);
  const torch::Tensor uneven = rows * torch::tensor({100, 1, 1, 1, 1, 1}).unsqueeze(1);
  const torch::Tensor one = row_space(uneven, 1);
  CHECK(uneven[0].unsqueeze(0).mm(one).norm().item<double>() / uneven[0].norm().item<double>() > 0.999);
  CHECK(row_space(torch::zeros({5, 7}), 3).size(1) == 0);
}

TEST_CASE("the learning rate warms up from the first step and ends at zero") {
  // 1500 steps, warm-up 150, base 1e-4: the Python original's first step has the full rate; ours 1/150 of it.
  CHECK(warmup_steps(1500) == 150);
  CHECK(warmup_steps(25000) == 1000);
  CHECK(warmup_steps(5) == 1);
  CHECK(1e-4 * schedule_factor(1, 1500, 150) == doctest::Approx(6.667e-7).epsilon(1e-3));
  CHECK(1e-4 * schedule_factor(150, 1500, 150) == doctest::Approx(1e-4));
  CHECK(1e-4 * schedule_factor(799, 1500, 150) == doctest::Approx(5.302e-5).epsilon(2e-3));
  CHECK(schedule_factor(1500, 1500, 150) == doctest::Approx(0));
}

TEST_CASE("AdamW's first step moves every number by the rate against its gradient's sign") {
  torch::Tensor weight = torch::zeros({2, 2}).set_requires_grad(true);
  AdamW optimiser({{"w", ParameterGroup::adapter, weight}}, {.weight_decay = 0});
  optimiser.step({torch::tensor({{3.0F, -0.1F}, {0.5F, -7.0F}})}, 1, 0.01);
  CHECK(torch::allclose(weight.detach(), torch::tensor({{-0.01F, 0.01F}, {-0.01F, 0.01F}}), 1e-4, 1e-6));
}

TEST_CASE("an optimiser that is saved and restored goes on with the same bits") {
  const auto make = [] { return noise({3, 3}, 30).set_requires_grad(true); };
  const auto run = [&](bool interrupted) {
    torch::Tensor weight = make();
    auto optimiser = std::make_unique<AdamW>(std::vector<Parameter>{{"w", ParameterGroup::adapter, weight}},
                                             AdamWOptions{});
    for (int step = 0; step < 10; ++step) {
      if (interrupted && step == 5) {
        const auto state = optimiser->state();
        std::map<std::string, torch::Tensor> copy;
        for (const auto& [name, tensor] : state) copy[name] = tensor.clone();
        optimiser = std::make_unique<AdamW>(std::vector<Parameter>{{"w", ParameterGroup::adapter, weight}},
                                            AdamWOptions{});
        optimiser->set_state(copy);
      }
      optimiser->step({noise({3, 3}, 40 + step)}, 1e-2, 1e-2);
    }
    return weight.detach();
  };
  CHECK(run(true).equal(run(false)));
}
