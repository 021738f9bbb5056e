#include "trainer/model/weights.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "common/digest.hpp"
#include "common/error.hpp"

namespace trainer {

using common::Error;
using common::ErrorKind;

void visit_linear(const WeightVisitor& visitor, const std::string& name, Linear& linear, std::int64_t in,
                  std::int64_t out, Bias bias) {
  visitor(name + ".weight", linear.weight, {out, in}, Start::fan_in);
  if (bias == Bias::present) visitor(name + ".bias", linear.bias, {out}, Start::zeros);
}

void visit_norm(const WeightVisitor& visitor, const std::string& name, LayerNorm& norm, std::int64_t width) {
  visitor(name + ".weight", norm.weight, {width}, Start::ones);
  visitor(name + ".bias", norm.bias, {width}, Start::zeros);
}

namespace {

// A generator of its own for each tensor, so that a model with one tensor more starts the others alike.
at::Generator generator_for(std::int64_t seed, const std::string& name) {
  const auto digest = common::digest_of(std::to_string(seed) + "/" + name);
  return at::detail::createCPUGenerator(common::load_le64(digest.bytes().data()));
}

double deviation_of(at::IntArrayRef shape, Start start) {
  if (start == Start::embedding) return 0.02;
  std::int64_t fan_in = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) fan_in *= shape[axis];
  return 1.0 / std::sqrt(static_cast<double>(fan_in));
}

// The name that shares the longest ending: layouts differ in their beginnings.
std::string nearest(const std::string& wanted, const std::map<std::string, std::string>& sources) {
  std::string best;
  std::ptrdiff_t best_length = 0;
  for (const auto& [name, source] : sources) {
    const auto length =
        std::mismatch(wanted.rbegin(), wanted.rend(), name.rbegin(), name.rend()).first - wanted.rbegin();
    if (length > best_length) best_length = length, best = source;
  }
  return best;
}

void refuse_adapters(const std::string& where, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (name.find(".lora_") != std::string::npos || name.find(".base_layer.") != std::string::npos)
      throw Error(
          ErrorKind::io,
          fmt::format(
              "{}: tensor {} is of an adapter of PEFT that was not merged; merge it (merge_and_unload "
              "of peft), save the model, and name that folder",
              where, name));
}

// A tensor beside those that the network has tells of another network: more layers, or biases. One with a
// name of its own is no part of it.
void refuse_unused(const std::string& where, const std::map<std::string, std::string>& sources,
                   const std::map<std::string, std::string>& unused) {
  const auto part_of = [](const std::string& name) { return name.substr(0, name.find('.')); };
  std::set<std::string> parts;
  for (const auto& [ours, source] : sources)
    if (!unused.contains(ours)) parts.insert(part_of(ours));
  for (const auto& [ours, source] : unused)
    if (parts.contains(part_of(ours)))
      throw Error(
          ErrorKind::mismatch,
          fmt::format(
              "{}: tensor {} is not of the network that config.json describes; config.json belongs to "
              "another model, or leaves out what transformers would add to it",
              where, source));
}

}  // namespace

void start_randomly(const WeightVisit& visit, std::int64_t seed, const Placement& placement) {
  visit([&](const std::string& name, torch::Tensor& weight, at::IntArrayRef shape, Start start) {
    if (start == Start::index) return;
    auto fresh = torch::empty(shape, torch::kFloat32);
    if (start == Start::zeros) {
      fresh.zero_();
    } else if (start == Start::ones) {
      fresh.fill_(1);
    } else {
      auto generator = generator_for(seed, name);
      fresh.normal_(0, deviation_of(shape, start), generator);
    }
    weight = fresh.to(placement.device, placement.dtype);
  });
}

void load_weights(const WeightVisit& visit, const SafetensorsFolder& folder, const CanonicalName& canonical,
                  const Placement& placement) {
  const std::string where = folder.path().string();
  std::map<std::string, std::string> sources;  // the model's name -> the folder's
  for (const auto& name : folder.names()) {
    const auto ours = canonical(name);
    if (ours.empty()) continue;
    const auto [at, fresh] = sources.emplace(ours, name);
    if (!fresh)
      throw Error(ErrorKind::mismatch, fmt::format("{}: tensors {} and {} both are {}; remove one of them",
                                                   where, at->second, name, ours));
  }
  refuse_adapters(where, folder.names());
  std::map<std::string, std::string> unused = sources;
  struct Place {
    torch::Tensor* weight;
    Start start;
  };
  std::map<std::string, Place> places;  // by the folder's names
  std::set<std::string> wanted;
  visit([&](const std::string& name, torch::Tensor& weight, at::IntArrayRef shape, Start start) {
    const auto source = sources.find(name);
    if (source == sources.end()) {
      if (start == Start::index) return;  // newer writers leave computed indices out
      const auto near = nearest(name, sources);
      throw Error(
          ErrorKind::mismatch,
          fmt::format(
              "{}: tensor {} is missing{}; the folder is incomplete, or config.json belongs to another "
              "model",
              where, name, near.empty() ? "" : " (nearest: " + near + ")"));
    }
    unused.erase(name);
    const auto& entry = folder.entry(source->second);
    if (start == Start::index ? is_floating(entry.type) : !is_floating(entry.type))
      throw Error(
          ErrorKind::mismatch,
          fmt::format("{}: tensor {} has dtype {}{}", where, source->second, name_of(entry.type),
                      start == Start::index
                          ? ", and whole numbers are expected; fetch the model again"
                          : ": the model is quantised or damaged; fetch the one in F16, BF16 or F32"));
    if (at::IntArrayRef(entry.shape) != shape)
      throw Error(ErrorKind::mismatch,
                  fmt::format("{}: tensor {} has shape [{}], config.json asks for [{}]", where,
                              source->second, fmt::join(entry.shape, ", "), fmt::join(shape, ", ")));
    places.emplace(source->second, Place{&weight, start});
    wanted.insert(source->second);
  });
  refuse_unused(where, sources, unused);
  folder.read(wanted, [&](const std::string& name, const torch::Tensor& stored) {
    const Place& place = places.at(name);
    if (place.start != Start::index)
      *place.weight = stored.to(placement.device, placement.dtype);
    else if (!stored.to(torch::kInt64).equal(place.weight->cpu()))
      throw Error(ErrorKind::mismatch,
                  fmt::format("{}: {} holds other indices than the layout defines; the file is "
                              "damaged or of an unknown variant",
                              where, name));
  });
}

NamedTensors weights_by_name(const WeightVisit& visit) {
  NamedTensors all;
  visit([&](const std::string& name, torch::Tensor& weight, at::IntArrayRef shape, Start) {
    ENSURE(weight.sizes() == shape);
    ENSURE(all.emplace(name, weight).second);
  });
  return all;
}

}  // namespace trainer
