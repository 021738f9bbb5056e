#include "trainer/distributed/process_group.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "common/error.hpp"
#include "common/json.hpp"
#include "trainer/distributed/heartbeat.hpp"

#ifdef USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace trainer {

ProcessGroup::ProcessGroup() = default;
ProcessGroup::~ProcessGroup() = default;

#ifndef USE_C10D_GLOO

struct ProcessGroup::State {
  Heartbeat heartbeat;
};

ProcessGroup::ProcessGroup(const World& world) : world_(world) {
  throw common::Error(
      common::ErrorKind::usage,
      fmt::format("this safe-trainer was built without Gloo, so {} processes cannot share a run; "
                  "start one, or build it with the headers of its LibTorch's Gloo",
                  world.size));
}
void ProcessGroup::sum(std::vector<torch::Tensor>& /*tensors*/, const std::vector<torch::Tensor>& /*like*/,
                       std::vector<double>& /*numbers*/) const {}
void ProcessGroup::sum(std::vector<double>& /*numbers*/) const {}
std::vector<torch::Tensor> ProcessGroup::broadcast(const std::vector<torch::Tensor>& tensors,
                                                   int /*owner*/) const {
  return tensors;
}
std::string ProcessGroup::broadcast(const std::string& text, int /*owner*/) const { return text; }
void ProcessGroup::wait_for_all() const {}

#else

namespace {

// The address of this machine by which it reaches another; empty where there is none.
std::string own_address_towards(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return "";
  std::string address;
  for (const addrinfo* one = found; one != nullptr && address.empty(); one = one->ai_next) {
    const int probe = ::socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);  // nothing is sent
    if (probe < 0) continue;
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    std::array<char, NI_MAXHOST> text{};
    if (::connect(probe, one->ai_addr, one->ai_addrlen) == 0 &&
        ::getsockname(probe, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&own), size, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0)
      address = text.data();
    ::close(probe);
  }
  ::freeaddrinfo(found);
  return address;
}

std::shared_ptr<gloo::transport::Device> network_named(const std::string& interface) {
  try {
    return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  } catch (const std::exception&) {
    throw common::Error(
        common::ErrorKind::usage,
        fmt::format("GLOO_SOCKET_IFNAME is '{}', and this machine has no network of that name with an "
                    "address; name another (ip addr), or unset it",
                    interface));
  }
}

std::shared_ptr<gloo::transport::Device> network_device(const World& world) {
  if (const char* const interface = std::getenv("GLOO_SOCKET_IFNAME")) return network_named(interface);
  const std::string own = own_address_towards(world.address, world.port);
  return own.empty() ? c10d::ProcessGroupGloo::createDefaultDevice()
                     : c10d::ProcessGroupGloo::createDeviceForHostname(own);
}

}  // namespace

struct ProcessGroup::State {
  explicit State(const World& world) : device(network_device(world)), heartbeat(world) {
    c10d::TCPStoreOptions options;
    options.port = world.port;
    options.waitWorkers = false;
    options.timeout = Heartbeat::k_patience;
    try {
      const auto store = c10::make_intrusive<c10d::TCPStore>(world.address, options);
      // Heartbeats end what waits for nobody; a collective may wait for a long encoding.
      const auto choices = c10d::ProcessGroupGloo::Options::create(std::chrono::hours(24 * 7));
      choices->devices.push_back(device);
      choices->threads = 1;
      gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(
          c10::make_intrusive<c10d::PrefixStore>("safe/gloo/" + world.attempt, store), world.rank, world.size,
          choices);
    } catch (const std::exception& error) {
      heartbeat.explain(error.what());
    }
  }

  template <typename Start>
  void run(const Start& start) {
    try {
      start()->wait();
    } catch (const std::exception& error) {
      heartbeat.explain(error.what());
    }
  }
  void reduce(torch::Tensor sum) {
    std::vector<torch::Tensor> one = {std::move(sum)};
    run([&] { return gloo->allreduce(one); });
  }
  void send(torch::Tensor tensor, int owner) {
    c10d::BroadcastOptions options;
    options.rootRank = owner;
    std::vector<torch::Tensor> one = {std::move(tensor)};
    run([&] { return gloo->broadcast(one, options); });
  }

  std::shared_ptr<gloo::transport::Device> device;
  Heartbeat heartbeat;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
};

ProcessGroup::ProcessGroup(const World& world) : world_(world) {
  if (world.size > 1) state_ = std::make_unique<State>(world);
}

void ProcessGroup::sum(std::vector<double>& numbers) const {
  if (state_ && !numbers.empty())
    state_->reduce(
        torch::from_blob(numbers.data(), {static_cast<std::int64_t>(numbers.size())}, torch::kFloat64));
}

void ProcessGroup::sum(std::vector<torch::Tensor>& tensors, const std::vector<torch::Tensor>& like,
                       std::vector<double>& numbers) const {
  if (!state_) return;
  tensors.resize(like.size());
  // Behind the numbers, by how many each tensor is defined.
  const std::size_t own_numbers = numbers.size();
  for (const torch::Tensor& tensor : tensors) numbers.push_back(tensor.defined() ? 1 : 0);
  torch::Tensor more =
      torch::from_blob(numbers.data(), {static_cast<std::int64_t>(numbers.size())}, torch::kFloat64);
  constexpr std::int64_t k_numbers_at_once = std::int64_t{1} << 23;  // 64 MiB
  std::vector<torch::Tensor> sums(like.size());
  for (std::size_t begin = 0; begin < like.size();) {
    std::vector<torch::Tensor> parts;
    std::size_t end = begin;
    for (std::int64_t held = 0; end < like.size() && (held == 0 || held < k_numbers_at_once); ++end) {
      held += like[end].numel();
      parts.push_back(tensors[end].defined()
                          ? tensors[end].detach().to(torch::kCPU, torch::kFloat64).reshape({-1})
                          : torch::zeros({like[end].numel()}, torch::kFloat64));
    }
    if (begin == 0) parts.push_back(more);
    const torch::Tensor flat = torch::cat(parts);
    state_->reduce(flat);
    std::int64_t place = 0;
    for (std::size_t k = begin; k < end; ++k) {
      sums[k] = flat.slice(0, place, place + like[k].numel()).view(like[k].sizes()).to(like[k].device());
      place += like[k].numel();
    }
    if (begin == 0) more.copy_(flat.slice(0, place));
    begin = end;
  }
  if (like.empty()) sum(numbers);
  for (std::size_t k = 0; k < like.size(); ++k)
    tensors[k] = numbers[own_numbers + k] > 0 ? sums[k] : torch::Tensor();
  numbers.resize(own_numbers);
}

std::string ProcessGroup::broadcast(const std::string& text, int owner) const {
  if (!state_) return text;
  std::vector<double> size = {world_.rank == owner ? static_cast<double>(text.size()) : 0.0};
  sum(size);
  std::string copy = world_.rank == owner ? text : std::string(static_cast<std::size_t>(size[0]), '\0');
  if (!copy.empty())
    state_->send(torch::from_blob(copy.data(), {static_cast<std::int64_t>(copy.size())}, torch::kUInt8),
                 owner);
  return copy;
}

std::vector<torch::Tensor> ProcessGroup::broadcast(const std::vector<torch::Tensor>& tensors,
                                                   int owner) const {
  if (!state_) return tensors;
  const bool mine = world_.rank == owner;
  common::Json shapes = common::Json::array();
  for (const torch::Tensor& tensor : tensors)
    if (mine)
      shapes.push_back(tensor.defined() ? common::Json{{"type", static_cast<int>(tensor.scalar_type())},
                                                       {"sizes", tensor.sizes().vec()}}
                                        : common::Json());
  shapes = common::parse_json(broadcast(common::dump_line(shapes), owner), "what another process sent");
  std::vector<torch::Tensor> received;
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    torch::Tensor& one = received.emplace_back();
    if (shapes[k].is_null()) continue;
    one = mine ? tensors[k].detach().to(torch::kCPU).contiguous()
               : torch::empty(shapes[k].at("sizes").get<std::vector<std::int64_t> >(),
                              static_cast<torch::ScalarType>(shapes[k].at("type").get<int>()));
    if (one.numel() > 0) state_->send(one, owner);
  }
  return received;
}

void ProcessGroup::wait_for_all() const {
  if (state_) state_->run([&] { return state_->gloo->barrier(); });
}

#endif

void ProcessGroup::sum(std::vector<torch::Tensor>& tensors, const std::vector<torch::Tensor>& like) const {
  std::vector<double> none;
  sum(tensors, like, none);
}

std::vector<std::string> ProcessGroup::gather(const std::string& text) const {
  std::vector<std::string> texts;
  for (int rank = 0; rank < size(); ++rank) texts.push_back(broadcast(text, rank));
  return texts;
}

bool ProcessGroup::any(bool mine) const {
  std::vector<double> count = {mine ? 1.0 : 0.0};
  sum(count);
  return count[0] > 0;
}

std::int64_t ProcessGroup::least(std::int64_t mine) const {
  std::int64_t least = mine;
  for (const std::string& one : gather(std::to_string(mine)))
    least = std::min<std::int64_t>(least, std::stoll(one));
  return least;
}

void ProcessGroup::require_same(const std::string& what, const std::string& value) const {
  if (is_alone()) return;
  const std::vector<std::string> values = gather(value);
  std::vector<int> others;
  for (int rank = 0; rank < size(); ++rank)
    if (values[static_cast<std::size_t>(rank)] != values.front()) others.push_back(rank);
  if (!others.empty())
    throw common::Error(
        common::ErrorKind::mismatch,
        fmt::format("{} of rank {} is another than that of rank 0; start all processes with the same "
                    "command, on machines of one kind",
                    what, fmt::join(others, ", ")));
}

void ProcessGroup::finish() {
  if (!state_) return;
  wait_for_all();
  state_->heartbeat.finish();
}

void ProcessGroup::fail(int code) {
  if (state_) state_->heartbeat.fail(code);
}

}  // namespace trainer
